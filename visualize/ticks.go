package visualize

import (
	"math"
	"strconv"
	"strings"
)

// step125 returns the least of 1, 2, 5, 10, 20, 50 ... and their tenths and
// hundredths that is not below minimum, which is above 0.
func step125(minimum float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(minimum)))
	for _, factor := range []float64{1, 2, 5} {
		if factor*decade >= minimum*(1-1e-9) {
			return factor * decade
		}
	}
	return 10 * decade
}

// TokenStep returns every how many tokens one is numbered along an axis, so that
// the numbers are at least gap pixels apart.
func TokenStep(pixelsPerToken float64, gap int) int {
	return max(int(step125(float64(gap)/pixelsPerToken)+0.5), 1)
}

// multiples returns those of step from first to end-1.
func multiples(step, first, end int) []int {
	var list []int
	for token := (first + step - 1) / step * step; token < end; token += step {
		list = append(list, token)
	}
	return list
}

// A Tick is a mark on a colour bar. Without a label it is a minor one.
type Tick struct {
	Position float64 // 0 at the bottom of the bar, 1 at its top
	Label    string
}

// ValueTicks returns marks for a bar that is length pixels long, with labels at
// least gap pixels apart.
func ValueTicks(scale Scale, measure Measure, r Range, length, gap int) []Tick {
	base := 10.0
	if measure == Lift {
		base = 2
	}
	text := func(value float64, digits int) string {
		if measure != Lift {
			return Readable(value, digits)
		}
		if exponent := math.Log2(value); value < 1 && exponent >= -16 && exponent == math.Trunc(exponent) {
			return "1/" + Readable(1/value, digits) + "×"
		}
		return Readable(value, digits) + "×"
	}
	const most = 12 // labels
	gap = max(gap, length/most)
	if scale == Log {
		if ticks := powerTicks(r, base, length, gap, text); ticks != nil {
			return ticks
		}
	}
	return evenTicks(scale, r, length, gap, text)
}

// powerTicks labels powers of base, or every second, fifth, tenth ... of them.
// Where powers of ten lie far apart there are marks between them, and labels at
// 2 and 5 times each if these have the room. It returns nil where r holds fewer
// than two labels.
func powerTicks(r Range, base float64, length, gap int, text func(float64, int) string) []Tick {
	const slack = 1e-9 // of rounding, so that a range from 0.01 has a mark at 0.01
	first := int(math.Ceil(math.Log(r.Low)/math.Log(base) - slack))
	last := int(math.Floor(math.Log(r.High)/math.Log(base) + slack))
	pixelsPerPower := float64(length) * math.Log(base) / (math.Log(r.High) - math.Log(r.Low))
	step := max(int(step125(float64(gap)/pixelsPerPower)+0.5), 1)
	between := base == 10 && pixelsPerPower >= float64(gap)
	roomy := base == 10 && pixelsPerPower*math.Log10(2) >= float64(gap)
	var ticks []Tick
	labels := 0
	mark := func(value float64, labelled bool) {
		t := Tick{Position: Log.Position(value, r)}
		if labelled {
			t.Label = text(value, 5)
			labels++
		}
		ticks = append(ticks, t)
	}
	for exponent := first - 1; exponent <= last; exponent++ {
		value := math.Pow(base, float64(exponent))
		if exponent >= first {
			mark(value, exponent%step == 0)
		}
		for factor := 2.0; between && factor < base; factor++ {
			if v := value * factor; v > r.Low && v < r.High {
				mark(v, roomy && (factor == 2 || factor == 5))
			}
		}
	}
	if labels < 2 {
		return nil
	}
	return ticks
}

// evenTicks labels multiples of 1, 2 or 5 times a power of ten, as many as fit,
// from the ends of the range towards 0. Where the scale spreads what is close to
// 0, values below the step follow, as 5, 2 and 1 times powers of ten.
func evenTicks(scale Scale, r Range, length, gap int, text func(float64, int) string) []Tick {
	const wanted = 5
	step := step125((r.High - r.Low) * max(1.0/wanted, float64(gap)/float64(length)))
	largest := max(math.Abs(r.Low), math.Abs(r.High))
	digits := max(int(math.Ceil(math.Log10(largest/step)))+1, 1)
	var ticks []Tick
	offer := func(value float64) {
		const slack = 1e-9 // of rounding
		if value < r.Low-slack*step || value > r.High+slack*step {
			return
		}
		position := scale.Position(value, r)
		for _, other := range ticks {
			if math.Abs(position-other.Position)*float64(length) < float64(gap) {
				return
			}
		}
		ticks = append(ticks, Tick{position, text(value, digits)})
	}
	offer(0)
	lowest, highest := math.Ceil(r.Low/step-1e-9), math.Floor(r.High/step+1e-9)
	for range 2 * wanted { // there are fewer, unless step is lost in rounding
		if lowest > highest {
			break
		}
		if highest >= -lowest {
			offer(highest * step)
			highest--
		} else {
			offer(lowest * step)
			lowest++
		}
	}
	if scale == Gamma {
		// The next lower of 1, 2 and 5.
		for small := step125(step / 2.5); small > step/1e4; small = step125(small / 2.5) {
			offer(small)
			offer(-small)
		}
	}
	return ticks
}

// Readable formats value with at most so many significant digits: 0.025, 1250,
// 1.5e−7.
func Readable(value float64, digits int) string {
	text := strconv.FormatFloat(value, 'e', digits-1, 64)
	mantissa, exponent, _ := strings.Cut(text, "e")
	power, err := strconv.Atoi(exponent)
	if err != nil { // infinite or NaN
		return text
	}
	if power >= -3 && power < 6 {
		rounded, _ := strconv.ParseFloat(text, 64)
		text = strconv.FormatFloat(rounded, 'f', -1, 64)
	} else {
		if strings.Contains(mantissa, ".") {
			mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
		}
		text = mantissa + "e" + strconv.Itoa(power)
	}
	return strings.ReplaceAll(text, "-", "−")
}
