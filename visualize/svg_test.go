package visualize

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"strconv"
	"strings"
	"testing"
)

// An SVG is well-formed XML that holds every text of the layout, and in its
// images every cell in its colour.
func TestSVG(t *testing.T) {
	for name, picture := range goldenPictures(t) {
		var out bytes.Buffer
		if err := picture.(interface{ WriteSVG(io.Writer) error }).WriteSVG(&out); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		drawn, err := picture.Draw()
		if err != nil {
			t.Fatal(err)
		}
		density := 1
		if p, ok := picture.(Picture); ok {
			density = max(p.Density, 1)
		}
		set, err := newTypesetter(density)
		if err != nil {
			t.Fatal(err)
		}
		s, err := picture.(interface {
			layout(*typesetter) (*scene, error)
		}).layout(set)
		if err != nil {
			t.Fatal(err)
		}
		var maps []cells
		for _, shape := range s.shapes {
			if c, ok := shape.(cells); ok {
				maps = append(maps, c)
			}
		}
		texts, images, elements := map[string]bool{}, 0, 0
		decoder := xml.NewDecoder(&out)
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			switch token := token.(type) {
			case xml.CharData:
				texts[string(token)] = true
			case xml.StartElement:
				elements++
				a := map[string]string{}
				for _, attribute := range token.Attr {
					a[attribute.Name.Local] = attribute.Value
				}
				if token.Name.Local == "svg" && (a["width"] != strconv.Itoa(drawn.Rect.Dx()) || a["height"] != strconv.Itoa(drawn.Rect.Dy())) {
					t.Errorf("%s is %s x %s, expected %v", name, a["width"], a["height"], drawn.Rect.Size())
				}
				if token.Name.Local != "image" {
					continue
				}
				images++
				data, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(a["href"], "data:image/png;base64,"))
				if err != nil {
					t.Fatal(err)
				}
				img, err := png.Decode(bytes.NewReader(data))
				if err != nil {
					t.Fatal(err)
				}
				number := func(name string) int {
					n, err := strconv.Atoi(a[name])
					if err != nil {
						t.Fatal(err)
					}
					return n
				}
				if img.Bounds().Dx() != number("width") || img.Bounds().Dy() != number("height") {
					t.Errorf("%s: an image of %v is stretched to %s x %s", name, img.Bounds(), a["width"], a["height"])
				}
				c := maps[images-1]
				for row := range c.m.Rows {
					for col := range c.m.Cols {
						r, g, b, alpha := img.At(col*c.pixels+c.pixels/2, row*c.pixels+c.pixels/2).RGBA()
						value, visible := c.m.At(row, col)
						want := c.colors.At(c.scale.Position(value, c.r))
						if visible != (alpha > 0) || visible && (uint8(r>>8) != want.R || uint8(g>>8) != want.G || uint8(b>>8) != want.B) {
							t.Fatalf("%s: cell %d, %d is %v, expected %v, visible %v", name, row, col, []uint32{r, g, b, alpha}, want, visible)
						}
					}
				}
			}
		}
		if images != len(maps) || elements < 20 {
			t.Errorf("%s: %d images of %d maps, among %d elements", name, images, len(maps), elements)
		}
		for _, l := range s.labels {
			if !texts[l.text] {
				t.Errorf("%s lacks the text %q", name, l.text)
			}
		}
	}
}
