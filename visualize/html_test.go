package visualize

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
)

// A page holds the picture, every cell's number and the tokens, which cannot end
// its script.
func TestHTML(t *testing.T) {
	packed := gaze.Lengths{15, 9}
	a := plainAttention(longformer, packed, 1)
	tokens := strings.Fields(strings.Repeat("word ", 22) + `</script> "quoted"`)
	p := Picture{Map: a.pooled(t, 12, Weight, MaxPooling), Sequences: packed, Tokens: tokens, Title: "<b>bold</b>", Size: 240}
	var out bytes.Buffer
	if err := p.WriteHTML(&out); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if strings.Count(text, "</script>") != 1 || strings.Contains(text, "<b>bold") || !strings.Contains(text, "<svg ") {
		t.Errorf("the page is\n%s", text)
	}
	encoded := regexp.MustCompile(`atob\("([^"]*)"\)`).FindStringSubmatch(text)
	if encoded == nil {
		t.Fatal("there are no values")
	}
	data, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(encoded[1], `\u002b`, "+"))
	if err != nil || len(data) != 4*p.Map.Rows*p.Map.Cols {
		t.Fatalf("%d bytes of values, error %v", len(data), err)
	}
	for i := range p.Map.Rows * p.Map.Cols {
		got := math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		want, visible := p.Map.At(i/p.Map.Cols, i%p.Map.Cols)
		if visible != (got == got) || visible && got != float32(want) {
			t.Errorf("cell %d is %v, expected %v, visible %v", i, got, want, visible)
		}
	}
	if !strings.Contains(text, "rows:  12 , columns:  12 , cell:  2 ") && !strings.Contains(text, "rows: 12, columns: 12, cell: 2") {
		t.Errorf("the page does not say what its cells are")
	}
	if err := (Picture{}).WriteHTML(&out); err == nil {
		t.Error("a page without a map is written")
	}
}
