package reference

import "math"

// LayerNorm returns (x - mean) / sqrt(variance + epsilon) * gain + bias for every
// row of x, [rows, width], with the biased variance (torch.nn.LayerNorm). A nil
// bias is none.
func LayerNorm(x, gain, bias []float64, epsilon float64, rows, width int) []float64 {
	mustHold("x", len(x), rows, width)
	mustHold("gain", len(gain), width)
	if bias != nil {
		mustHold("bias", len(bias), width)
	}
	out := make([]float64, len(x))
	for row := range rows {
		in := x[row*width : (row+1)*width]
		mean := 0.0
		for _, v := range in {
			mean += v
		}
		mean /= float64(width)
		variance := 0.0
		for _, v := range in {
			variance += (v - mean) * (v - mean)
		}
		variance /= float64(width)
		for i, v := range in {
			y := (v - mean) / math.Sqrt(variance+epsilon) * gain[i]
			if bias != nil {
				y += bias[i]
			}
			out[row*width+i] = y
		}
	}
	return out
}
