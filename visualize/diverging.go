package visualize

import (
	"image/color"
	"math"
)

// blueRedColors computes a diverging colour map in Oklab (Ottosson 2020,
// https://bottosson.github.io/posts/oklab): both arms fall from the same near
// white to the same lightness, so that neither sign looks stronger than the
// other, and each keeps one hue. Entries 127 and 128 lie on either side of 0.
func blueRedColors() (colors [256]color.RGBA) {
	const (
		blue, red              = 250, 27 // hue angles in degrees
		lightest, darkest      = 0.975, 0.40
		mostChroma, chromaPeak = 0.138, 0.72 // the peak as distance from 0
	)
	for i := range colors {
		t := (float64(i) - 127.5) / 127.5
		hue := float64(red)
		if t < 0 {
			hue, t = blue, -t
		}
		lightness := lightest - (lightest-darkest)*math.Pow(t, 1.15)
		// A parabola through 0 at the middle, flat at its peak.
		chroma := mostChroma * (1 - (t/chromaPeak-1)*(t/chromaPeak-1))
		sin, cos := math.Sincos(hue * math.Pi / 180)
		colors[i] = oklab(lightness, chroma*cos, chroma*sin)
	}
	return colors
}

// oklab converts a colour of Oklab to sRGB, each component clipped to its range.
func oklab(lightness, a, b float64) color.RGBA {
	l := cube(lightness + 0.3963377774*a + 0.2158037573*b)
	m := cube(lightness - 0.1055613458*a - 0.0638541728*b)
	s := cube(lightness - 0.0894841775*a - 1.2914855480*b)
	return color.RGBA{
		sRGB(4.0767416621*l - 3.3077115913*m + 0.2309699292*s),
		sRGB(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s),
		sRGB(-0.0041960863*l - 0.7034186147*m + 1.7076147010*s),
		0xff,
	}
}

func cube(x float64) float64 { return x * x * x }

// sRGB applies the transfer function of IEC 61966-2-1 to a linear component.
func sRGB(linear float64) uint8 {
	linear = min(max(linear, 0), 1)
	if linear <= 0.0031308 {
		return uint8(math.Round(255 * 12.92 * linear))
	}
	return uint8(math.Round(255 * (1.055*math.Pow(linear, 1/2.4) - 0.055)))
}
