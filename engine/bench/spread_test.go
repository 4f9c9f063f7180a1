package bench

import (
	"math"
	"testing"
)

func TestSpreadOf(t *testing.T) {
	for _, c := range []struct {
		x    []float64
		want Spread
	}{
		{nil, Spread{}},
		{[]float64{3}, Spread{3, 3, 3, 3, 3}},
		{[]float64{4, 2}, Spread{2, 2.5, 3, 3.5, 4}},
		// numpy.quantile([9, 1, 5, 3, 7, 100], [0, .25, .5, .75, 1])
		{[]float64{9, 1, 5, 3, 7, 100}, Spread{1, 3.5, 6, 8.5, 100}},
		{[]float64{5, 4, 3, 2, 1}, Spread{1, 2, 3, 4, 5}},
	} {
		given := append([]float64{}, c.x...)
		if got := SpreadOf(c.x); got != c.want {
			t.Errorf("%v: %v, expected %v", c.x, got, c.want)
		}
		for i := range given {
			if given[i] != c.x[i] {
				t.Errorf("%v was changed to %v", given, c.x)
			}
		}
	}
}

func TestClocks(t *testing.T) {
	samples := []Sample{{1, 10}, {3, 30}, {2, 20}}
	if got := GPU(samples).Median; got != 2 {
		t.Errorf("the device's median is %v", got)
	}
	if got := Host(samples).Median; got != 20 {
		t.Errorf("the host's median is %v", got)
	}
	c := &Case{MultiplyAdds: 3e9, Bytes: 5e9, GPU: GPU(samples), Host: Host(samples)}
	if c.GFLOPS() != 3 || c.Gigabytes() != 2.5 {
		t.Errorf("%v GFLOP/s, %v GB/s, expected 3 and 2.5", c.GFLOPS(), c.Gigabytes())
	}
	c.GPU = Spread{} // no clock
	if got := c.Seconds(); got != 20 {
		t.Errorf("without a clock of the device it took %v s, expected the host's 20", got)
	}
	if got := (&Case{MultiplyAdds: 1}).GFLOPS(); got != 0 || math.IsNaN(got) {
		t.Errorf("nothing measured gives %v GFLOP/s", got)
	}
}
