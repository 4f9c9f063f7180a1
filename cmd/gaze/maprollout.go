package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/cmd/internal/load"
	"github.com/gazevk/gaze/visualize"
)

// writeRollout writes the attention rollout of a token.
func (m *attentionMap) writeRollout(ctx context.Context, f *mapFlags) error {
	bar := newProgress(m.run.streams, "rollout")
	shares, err := m.capture.Rollout(ctx, f.rollout.query, f.layer, bar.show)
	bar.clear()
	if err != nil {
		return err
	}
	switch filepath.Ext(f.out) {
	case ".csv":
		err = gaze.WriteFile(f.out, func(w io.Writer) error { return writeRolloutCSV(w, shares, m.labels) })
	case ".npy":
		err = gaze.WriteFile(f.out, func(w io.Writer) error { return writeRolloutNPY(w, shares) })
	default:
		err = m.drawRollout(f, shares)
	}
	if err != nil {
		return err
	}
	return m.run.print(fmt.Sprintf("%s: attention rollout of token %d (%s) from layer %d down, %s tokens\n",
		f.out, f.rollout.query, m.labels[f.rollout.query], f.layer, count(int64(len(m.labels)))))
}

// fewTokens is how many a text has at most to be drawn once for each layer.
const fewTokens = 200

// drawRollout draws the text, each token shaded by its share; of a short one, also
// as it enters the other layers.
func (m *attentionMap) drawRollout(f *mapFlags, shares [][]float64) error {
	colors, err := visualize.ColorMapByName(f.colors)
	if err != nil {
		return usageError{err}
	}
	text := m.run.texts[0].string
	shades := []visualize.Shade{{Values: shares[0]}}
	if len(m.labels) <= fewTokens && len(shares) > 1 {
		shades[0].Name = "as it enters layer 0: the text"
		for layer := 1; layer < len(shares); layer++ {
			shades = append(shades, visualize.Shade{Name: fmt.Sprintf("layer %d", layer), Values: shares[layer]})
		}
	}
	return writePicture(f.out, visualize.ShadedText{
		Title: excerpt(text),
		Subtitle: fmt.Sprintf("%s: attention rollout of token %d (%s) of what layer %d gives, %s tokens, %s", f.model, f.rollout.query,
			m.labels[f.rollout.query], f.layer, count(int64(len(m.labels))), m.device()),
		Text: text, Tokens: load.Tokens(m.labels, m.encoding), Shades: shades, Caption: "share", Marked: f.rollout.query,
		Scale: f.scale, Range: f.values.Range, ColorMap: colors, Size: f.size, Density: f.density,
	})
}

// writeRolloutNPY writes the shares as an array, [layers, tokens].
func writeRolloutNPY(w io.Writer, shares [][]float64) error {
	rows := make([][]float32, len(shares))
	for layer, share := range shares {
		for _, x := range share {
			rows[layer] = append(rows[layer], float32(x))
		}
	}
	return writeNPY(w, rows)
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
