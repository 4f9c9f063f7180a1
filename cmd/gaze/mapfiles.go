package main

import (
	"encoding/csv"
	"image"
	"io"
	"math"
	"path/filepath"
	"strconv"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// writePicture writes a picture in the form that the name of the file asks for.
func writePicture(path string, p interface {
	Draw() (*image.RGBA, error)
	WriteSVG(w io.Writer) error
}) error {
	if filepath.Ext(path) == ".svg" {
		return gaze.WriteFile(path, p.WriteSVG)
	}
	img, err := p.Draw()
	if err != nil {
		return err
	}
	return visualize.WritePNG(path, img)
}

// writeMapCSV writes the cells of a map: a line a row of them, and before it the
// first query that it covers, its number and its text. The first two lines are
// those of the keys. Cells of hidden pairs are empty.
func writeMapCSV(w io.Writer, m *visualize.Map, labels []string) error {
	out := csv.NewWriter(w)
	numbers, texts := []string{"", "key"}, []string{"query", ""}
	for col := range m.Cols {
		key := m.First.Key + col*m.Cell
		numbers, texts = append(numbers, strconv.Itoa(key)), append(texts, labels[key])
	}
	lines := [][]string{numbers, texts}
	for row := range m.Rows {
		query := m.First.Query + row*m.Cell
		line := []string{strconv.Itoa(query), labels[query]}
		for col := range m.Cols {
			text := ""
			if value, visible := m.At(row, col); visible {
				text = strconv.FormatFloat(value, 'g', 7, 32)
			}
			line = append(line, text)
		}
		lines = append(lines, line)
	}
	if err := out.WriteAll(lines); err != nil {
		return err
	}
	return out.Error()
}

// writeMapNPY writes the cells of a map as an array, [rows, columns], NaN where
// all pairs are hidden.
func writeMapNPY(w io.Writer, m *visualize.Map) error {
	rows := make([][]float32, m.Rows)
	for row := range rows {
		rows[row] = make([]float32, m.Cols)
		for col := range rows[row] {
			rows[row][col] = float32(math.NaN())
			if value, visible := m.At(row, col); visible {
				rows[row][col] = float32(value)
			}
		}
	}
	return writeNPY(w, rows)
}
