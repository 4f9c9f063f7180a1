package visualize

import (
	"encoding/hex"
	"fmt"
	"image/color"
	"strings"
)

// A ColorMap gives colours to positions from 0 to 1.
type ColorMap struct {
	Name   string
	Colors [256]color.RGBA // opaque, from position 0 to position 1
}

var (
	viridis = ColorMap{"viridis", decodeColors(viridisTable)}
	cividis = ColorMap{"cividis", decodeColors(cividisTable)}
	magma   = ColorMap{"magma", decodeColors(magmaTable)}
	grey    = ColorMap{"grey", greyColors()}
	blueRed = ColorMap{"blue_red", blueRedColors()}
)

// ColorMaps returns all colour maps. The first is the default for weights;
// blue_red, the last, is the default for differences: it runs from blue over
// white, at its middle, to red.
func ColorMaps() []ColorMap {
	return []ColorMap{viridis, cividis, magma, grey, blueRed}
}

// ColorMapByName returns the colour map of that name.
func ColorMapByName(name string) (ColorMap, error) {
	var names []string
	for _, c := range ColorMaps() {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return ColorMap{}, fmt.Errorf("no colour map %q: choose one of %s", name, strings.Join(names, ", "))
}

// At returns the colour at a position. Positions outside 0 to 1, and NaN, take
// the nearest end and the lowest colour.
func (c *ColorMap) At(position float64) color.RGBA {
	if !(position > 0) {
		return c.Colors[0]
	}
	return c.Colors[int(min(position*256, 255))]
}

// decodeColors panics on a malformed table: tables are constants of this package.
func decodeColors(table string) (colors [256]color.RGBA) {
	components, err := hex.DecodeString(table)
	if err != nil || len(components) != 3*len(colors) {
		panic("visualize: malformed colour table")
	}
	for i := range colors {
		c := components[3*i:]
		colors[i] = color.RGBA{c[0], c[1], c[2], 0xff}
	}
	return colors
}

func greyColors() (colors [256]color.RGBA) {
	for i := range colors {
		colors[i] = color.RGBA{uint8(i), uint8(i), uint8(i), 0xff}
	}
	return colors
}
