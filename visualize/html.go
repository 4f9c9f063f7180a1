package visualize

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"html/template"
	"io"
	"math"
)

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Parse(pageSource))

// WriteHTML writes the picture as one page that needs nothing else: the SVG, and
// beside the mouse the query, the key, the weight and its rank in the row.
func (p Picture) WriteHTML(w io.Writer) error {
	density, err := checkSize(&p.Size, DefaultSize, p.Density)
	if err != nil {
		return err
	}
	t, err := newTypesetter(density)
	if err != nil {
		return err
	}
	s, err := p.layout(t)
	if err != nil {
		return err
	}
	var picture bytes.Buffer
	if err := writeSVG(&picture, density, func(*typesetter) (*scene, error) { return s, nil }); err != nil {
		return err
	}
	var shown cells
	for _, shape := range s.shapes {
		if c, ok := shape.(cells); ok {
			shown = c
		}
	}
	m := shown.m
	values := make([]byte, 0, 4*m.Rows*m.Cols)
	for row := range m.Rows {
		for col := range m.Cols {
			value, visible := m.At(row, col)
			if !visible {
				value = math.NaN()
			}
			values = binary.LittleEndian.AppendUint32(values, math.Float32bits(float32(value)))
		}
	}
	return page.Execute(w, map[string]any{
		"Title": p.Title, "SVG": template.HTML(picture.String()), "X": shown.at.X, "Y": shown.at.Y, "Pixels": shown.pixels,
		"Rows": m.Rows, "Columns": m.Cols, "Cell": m.Cell, "Query": m.First.Query, "Key": m.First.Key, "Measure": m.Measure.String(),
		"Tokens": p.Tokens, "Values": base64.StdEncoding.EncodeToString(values),
	})
}
