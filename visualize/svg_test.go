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
				pixels := number("width") / img.Bounds().Dx()
				for y := range img.Bounds().Dy() {
					for x := range img.Bounds().Dx() {
						_, _, _, alpha := img.At(x, y).RGBA()
						// The pixel right of and below the grid's lines, left of the boundaries'.
						at := drawn.RGBAAt(number("x")+x*pixels+pixels*2/3, number("y")+y*pixels+pixels*2/3)
						r, g, b, _ := img.At(x, y).RGBA()
						hatched := at == maskPaper || at == maskInk || at == boundaryInk
						if (alpha == 0) != hatched || alpha != 0 && (uint8(r>>8) != at.R || uint8(g>>8) != at.G || uint8(b>>8) != at.B) {
							t.Fatalf("%s: cell %d, %d is %v, drawn as %v", name, x, y, img.At(x, y), at)
						}
					}
				}
			}
		}
		if images == 0 || elements < 20 {
			t.Errorf("%s: %d images among %d elements", name, images, elements)
		}
		if p, ok := picture.(Picture); ok {
			s, _ := layoutOf(t, p)
			for _, l := range s.labels {
				if !texts[l.text] {
					t.Errorf("%s lacks the text %q", name, l.text)
				}
			}
		}
	}
}
