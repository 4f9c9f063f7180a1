package visualize

import (
	"encoding/csv"
	"io"
	"strconv"
)

// WriteCSV writes the cells of m: a line a row of them, and before it the first
// query that it covers, its number and its text. The first two lines are those
// of the keys. Masked cells are empty. tokens are the texts of all tokens.
func (m *Map) WriteCSV(w io.Writer, tokens []string) error {
	out := csv.NewWriter(w)
	numbers, texts := []string{"", "key"}, []string{"query", ""}
	for col := range m.Cols {
		key := m.First.Key + col*m.Cell
		numbers, texts = append(numbers, strconv.Itoa(key)), append(texts, tokens[key])
	}
	lines := [][]string{numbers, texts}
	for row := range m.Rows {
		query := m.First.Query + row*m.Cell
		line := []string{strconv.Itoa(query), tokens[query]}
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
