package visualize

import (
	"image/color"
	"math"
	"strings"
	"testing"
)

func TestColorTablesHoldThePublishedColours(t *testing.T) {
	for _, c := range []struct {
		name  string
		index int
		want  color.RGBA
	}{
		{"viridis", 0, color.RGBA{0x44, 0x01, 0x54, 0xff}},
		{"viridis", 128, color.RGBA{0x21, 0x91, 0x8c, 0xff}},
		{"viridis", 255, color.RGBA{0xfd, 0xe7, 0x25, 0xff}},
		{"cividis", 0, color.RGBA{0x00, 0x22, 0x4e, 0xff}},
		{"cividis", 255, color.RGBA{0xfe, 0xe8, 0x38, 0xff}},
		{"magma", 0, color.RGBA{0x00, 0x00, 0x04, 0xff}},
		{"magma", 128, color.RGBA{0xb7, 0x37, 0x79, 0xff}},
		{"magma", 255, color.RGBA{0xfc, 0xfd, 0xbf, 0xff}},
		{"grey", 77, color.RGBA{77, 77, 77, 0xff}},
	} {
		colors, err := ColorMapByName(c.name)
		if err != nil {
			t.Fatal(err)
		}
		if got := colors.Colors[c.index]; got != c.want {
			t.Errorf("%s[%d] = %v, want %v", c.name, c.index, got, c.want)
		}
	}
}

// lightness is CIE L*, from 0 to 100.
func lightness(c color.RGBA) float64 {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	y := 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
	if y <= 216.0/24389 {
		return y * 24389 / 27
	}
	return 116*math.Cbrt(y) - 16
}

func TestSequentialColorMapsGrowLighter(t *testing.T) {
	for _, c := range ColorMaps() {
		if c.Name == "blue_red" {
			continue
		}
		for i := 1; i < 256; i++ {
			// Rounding to 8 bits may undo a step of less than a grey level.
			if before, after := lightness(c.Colors[i-1]), lightness(c.Colors[i]); after < before-0.4 {
				t.Errorf("%s grows darker from %d (L* %.2f) to %d (L* %.2f)", c.Name, i-1, before, i, after)
			}
		}
		if span := lightness(c.Colors[255]) - lightness(c.Colors[0]); span < 70 {
			t.Errorf("%s spans only %.0f of lightness", c.Name, span)
		}
	}
}

func TestDivergingColorMapTreatsBothSignsAlike(t *testing.T) {
	c := blueRed.Colors
	for i := range 128 {
		low, high := lightness(c[127-i]), lightness(c[128+i])
		if math.Abs(low-high) > 8 {
			t.Errorf("%d steps from the middle: L* %.1f below, %.1f above", i, low, high)
		}
		if i > 0 && (low > lightness(c[128-i])+0.4 || high > lightness(c[127+i])+0.4) {
			t.Errorf("%d steps from the middle the colours grow lighter", i)
		}
	}
	for _, middle := range c[127:129] {
		least, greatest := min(middle.R, middle.G, middle.B), max(middle.R, middle.G, middle.B)
		if least < 0xf0 || greatest-least > 6 {
			t.Errorf("the middle is %v, not nearly white", middle)
		}
	}
	if c[20].B <= c[20].R || c[235].R <= c[235].B {
		t.Errorf("ends are %v and %v: the low one must be blue, the high one red", c[20], c[235])
	}
}

func TestColorMapAt(t *testing.T) {
	for _, c := range []struct {
		position float64
		index    uint8
	}{
		{math.NaN(), 0}, {math.Inf(-1), 0}, {-1, 0}, {0, 0}, {1.0 / 256, 1}, {0.5, 128},
		{0.999, 255}, {1, 255}, {2, 255}, {math.Inf(1), 255},
	} {
		if got := grey.At(c.position); got.R != c.index {
			t.Errorf("At(%v) is entry %d, want %d", c.position, got.R, c.index)
		}
	}
}

func TestColorMapByNameListsTheNames(t *testing.T) {
	_, err := ColorMapByName("jet")
	if err == nil {
		t.Fatal("jet was found")
	}
	for _, c := range ColorMaps() {
		if !strings.Contains(err.Error(), c.Name) {
			t.Errorf("%q does not name %s", err, c.Name)
		}
		if _, err := ColorMapByName(c.Name); err != nil {
			t.Error(err)
		}
	}
}
