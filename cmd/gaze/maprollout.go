package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"github.com/gazevk/gaze"
)

// writeRollout writes the attention rollout of a token.
func (m *attentionMap) writeRollout(ctx context.Context, f *mapFlags) error {
	bar := newProgress(m.run.streams, "rollout")
	shares, err := m.capture.Rollout(ctx, f.rollout.query, f.layer, bar.show)
	bar.clear()
	if err != nil {
		return err
	}
	write := func(w io.Writer) error { return writeRolloutCSV(w, shares, m.labels) }
	if filepath.Ext(f.out) == ".npy" {
		write = func(w io.Writer) error {
			rows := make([][]float32, len(shares))
			for layer, share := range shares {
				for _, x := range share {
					rows[layer] = append(rows[layer], float32(x))
				}
			}
			return writeNPY(w, rows)
		}
	}
	if err := gaze.WriteFile(f.out, write); err != nil {
		return err
	}
	return m.run.print(fmt.Sprintf("%s: attention rollout of token %d (%s) from layer %d down, %s tokens\n",
		f.out, f.rollout.query, m.labels[f.rollout.query], f.layer, count(int64(len(m.labels)))))
}

// writeRolloutCSV writes a line a layer, of what comes from each token that enters
// it; the first two lines are the tokens' numbers and texts.
func writeRolloutCSV(w io.Writer, shares [][]float64, labels []string) error {
	out := csv.NewWriter(w)
	numbers := []string{"token"}
	for token := range labels {
		numbers = append(numbers, strconv.Itoa(token))
	}
	lines := [][]string{numbers, append([]string{"layer"}, labels...)}
	for layer, share := range shares {
		line := []string{strconv.Itoa(layer)}
		for _, x := range share {
			line = append(line, strconv.FormatFloat(x, 'g', 7, 64))
		}
		lines = append(lines, line)
	}
	if err := out.WriteAll(lines); err != nil {
		return err
	}
	return out.Error()
}
