package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/cmd/internal/load"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/engine/tokenizer"
	"github.com/gazevk/gaze/visualize"
)

// A valueRange is a flag "low:high"; the zero value is an automatic range.
type valueRange struct{ visualize.Range }

// MarshalText returns what UnmarshalText reads.
func (r valueRange) MarshalText() ([]byte, error) {
	if r == (valueRange{}) {
		return nil, nil
	}
	return fmt.Appendf(nil, "%g:%g", r.Low, r.High), nil
}

// UnmarshalText reads "0.001:1".
func (r *valueRange) UnmarshalText(text []byte) error {
	low, high, _ := strings.Cut(string(text), ":")
	var err1, err2 error
	r.Low, err1 = strconv.ParseFloat(low, 64)
	r.High, err2 = strconv.ParseFloat(high, 64)
	if err1 != nil || err2 != nil || *r == (valueRange{}) {
		return errors.New("expected two numbers, such as 0.001:1")
	}
	return nil
}

// An attentionMap is the captured attention of one text.
type attentionMap struct {
	run      *modelRun
	capture  *modernbert.Capture
	encoding tokenizer.Encoding
	labels   []string // of the tokens
	measure  visualize.Measure
	pooling  visualize.Pooling
}

// recompute returns the map of each head of a view, or of the mean of their cells,
// in the smallest cells of which at most most make a side. Cells begin at multiples
// of their size.
func (m *attentionMap) recompute(ctx context.Context, v modernbert.View, mean bool, most int) ([]*visualize.Map, error) {
	side := 1
	v.Sum, v.Measure = m.pooling == visualize.MeanPooling, load.Measures[m.measure]
	asked := v.Rectangle
	for {
		v.Rectangle.Queries.First = asked.Queries.First / side * side
		v.Rectangle.Keys.First = asked.Keys.First / side * side
		v.Cell = gaze.Square(side)
		if rows, columns := v.Rectangle.Cells(v.Cell); max(rows, columns) <= most || side == engine.HeatmapTile {
			break
		}
		side *= 2
	}
	cells, _, err := m.capture.Heatmap(ctx, v)
	if err != nil {
		return nil, err
	}
	rows, columns := v.Rectangle.Cells(v.Cell)
	heads := v.Heads.End - v.Heads.First
	if mean {
		cells, heads = meanCells(cells, heads), 1
	}
	var maps []*visualize.Map
	for head := range heads {
		one, err := visualize.NewPart(v.Rectangle, side, m.measure, m.pooling, cells[head*rows*columns:][:rows*columns])
		if err != nil {
			return nil, err
		}
		maps = append(maps, one)
	}
	return maps, nil
}

// meanCells returns the means of cells, [heads, cells], over heads. What is hidden
// in one head of a layer is hidden in all.
func meanCells(cells []float32, heads int) []float32 {
	mean := make([]float32, len(cells)/heads)
	for i := range mean {
		sum := 0.0
		for head := range heads {
			sum += float64(cells[head*len(mean)+i])
		}
		mean[i] = float32(sum / float64(heads))
	}
	return mean
}

// picture returns the picture of a map, with what a reader should know of it.
func (m *attentionMap) picture(layer int, head string, one *visualize.Map) visualize.Picture {
	return visualize.Picture{
		Map: one, Tokens: m.labels, Sequences: gaze.Lengths{len(m.labels)},
		Subtitle: fmt.Sprintf("%s, layer %d, %s: %v, %s tokens, %s", m.run.flags.model, layer, head,
			m.run.checkpoint.Config.Attention(layer).Visible(), count(int64(len(m.labels))), m.device()),
	}
}

func (m *attentionMap) device() string {
	e, err := m.run.engines.get("auto")
	if err != nil {
		return "no device" // it has just computed
	}
	return e.Traits().Device
}
