package checkpoint

import (
	"math"
	"testing"
)

// meaning returns the value of a half from the definition of the format:
// 1 sign bit, 5 of the exponent, biased by 15, and 10 of the fraction.
func meaning(bits uint16) float64 {
	exponent, fraction := int(bits>>10&31), float64(bits&1023)
	var value float64
	switch {
	case exponent == 31 && fraction != 0:
		return math.NaN()
	case exponent == 31:
		value = math.Inf(1)
	case exponent == 0:
		value = math.Ldexp(fraction, -24)
	default:
		value = math.Ldexp(1+fraction/1024, exponent-15)
	}
	if bits>>15 == 1 {
		value = math.Copysign(value, -1)
	}
	return value
}

func TestEveryFloat16(t *testing.T) {
	for i := range 1 << 16 {
		bits := uint16(i)
		got, want := Float16ToFloat32(bits), meaning(bits)
		same := float64(got) == want && math.Signbit(float64(got)) == math.Signbit(want)
		if math.IsNaN(want) {
			same = got != got && math.Float32bits(got)>>31 == uint32(bits>>15)
		}
		if !same {
			t.Fatalf("%#04x became %v, expected %v", bits, got, want)
		}
		if back := Float32ToFloat16(got); back != bits {
			t.Fatalf("%#04x became %v and then %#04x", bits, got, back)
		}
	}
}

// Rounding is settled by what happens at and beside the middle between any two
// neighbours, because it is monotonic in between.
func TestFloat32ToFloat16Rounds(t *testing.T) {
	for _, sign := range []uint16{0, 0x8000} {
		for bits := range uint16(0x7c00) { // every finite magnitude; the last one's neighbour is infinity
			below := meaning(bits)
			above := meaning(bits + 1)
			if bits == 0x7bff {
				above = 65536 // what the next number would be, were there one
			}
			middle := float32((below + above) / 2)
			even := bits + bits&1
			for _, c := range []struct {
				f    float32
				want uint16
			}{
				{math.Nextafter32(middle, 0), bits},
				{middle, even},
				{math.Nextafter32(middle, math.MaxFloat32), bits + 1},
				{math.Nextafter32(float32(below), math.MaxFloat32), bits},
				{math.Nextafter32(float32(above), 0), bits + 1},
			} {
				if sign != 0 {
					c.f = -c.f
				}
				if got := Float32ToFloat16(c.f); got != sign|c.want {
					t.Fatalf("%v became %#04x, expected %#04x", c.f, got, sign|c.want)
				}
			}
		}
	}
}

func TestFloat32ToFloat16Extremes(t *testing.T) {
	for _, c := range []struct {
		bits uint32
		want uint16
	}{
		{0x00000000, 0x0000}, {0x80000000, 0x8000}, // zeros
		{0x00000001, 0x0000}, {0x80000001, 0x8000}, // the least float32
		{math.Float32bits(65519.996), 0x7bff}, {math.Float32bits(65520), 0x7c00}, {math.Float32bits(98304), 0x7c00},
		{math.Float32bits(math.MaxFloat32), 0x7c00}, {math.Float32bits(-math.MaxFloat32), 0xfc00},
		{0x7f800000, 0x7c00}, {0xff800000, 0xfc00}, // infinities
		{0x7fc00000, 0x7e00}, {0xffc00000, 0xfe00}, // quiet NaNs
		{0x7f800001, 0x7e00}, // a payload of low bits alone must not become infinity
	} {
		if got := Float32ToFloat16(math.Float32frombits(c.bits)); got != c.want {
			t.Errorf("%#08x became %#04x, expected %#04x", c.bits, got, c.want)
		}
	}
}

func TestEveryBFloat16(t *testing.T) {
	for i := range 1 << 16 {
		if got := math.Float32bits(BFloat16ToFloat32(uint16(i))); got != uint32(i)<<16 {
			t.Fatalf("%#04x became %#08x", i, got)
		}
		if back := Float32ToBFloat16(BFloat16ToFloat32(uint16(i))); back != uint16(i) {
			t.Fatalf("%#04x came back as %#04x", i, back)
		}
	}
	if got := BFloat16ToFloat32(0xbfc0); got != -1.5 {
		t.Errorf("0xbfc0 became %v, expected -1.5", got)
	}
}

func TestFloat32ToBFloat16Rounds(t *testing.T) {
	for _, sign := range []uint32{0, 0x80000000} {
		for high := range uint32(0x7f80) { // every finite magnitude; the last one's neighbour is infinity
			for low, want := range map[uint32]uint32{0: high, 1: high, 0x7fff: high, 0x8000: high + high&1, 0x8001: high + 1, 0xffff: high + 1} {
				got := Float32ToBFloat16(math.Float32frombits(sign | high<<16 | low))
				if uint32(got) != sign>>16|want {
					t.Fatalf("%#08x became %#04x, expected %#04x", sign|high<<16|low, got, sign>>16|want)
				}
			}
		}
	}
	if got := Float32ToBFloat16(math.Float32frombits(0x7f800001)); got != 0x7fc0 {
		t.Errorf("a NaN became %#04x, expected 0x7fc0", got)
	}
}
