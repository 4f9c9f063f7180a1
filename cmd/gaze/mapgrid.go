package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/visualize"
)

// gridSize is the side of one map of a grid, in pixels.
const gridSize = 120

// A gridHead is one map of a grid.
type gridHead struct {
	layer, head       int
	one               *visualize.Map
	entropy, distance float64 // means over its rows, in bits and tokens
	roles             engine.Roles
}

// strongRole is the share of a head's attention from which on its role is named.
const strongRole = 0.3

// title returns "L3 H1, previous 61%", of the role that heads are sorted by, else of
// the strongest, or "L3 H1" if that is not strong.
func (h gridHead) title(order string) string {
	role, err := engine.ParseRole(order)
	if err != nil {
		if role = h.roles.Strongest(); h.roles[role] < strongRole {
			return fmt.Sprintf("L%d H%d", h.layer, h.head)
		}
	}
	return fmt.Sprintf("L%d H%d, %v %.0f%%", h.layer, h.head, role, 100*h.roles[role])
}

// String returns "2.1 bits, 5.3 away".
func (h gridHead) String() string {
	digits := 1
	if h.distance >= 100 {
		digits = 0
	}
	return fmt.Sprintf("%.1f bits, %.*f away", h.entropy, digits, h.distance)
}

// drawGrid draws a page of all heads.
func (m *attentionMap) drawGrid(ctx context.Context, f *mapFlags) error {
	c := m.run.checkpoint.Config
	colors, err := visualize.ColorMapByName(f.colors)
	if err != nil {
		return usageError{err}
	}
	var heads []gridHead
	for layer := range c.Layers {
		of, err := m.layer(ctx, layer, gridSize*max(f.density, 1))
		if err != nil {
			return err
		}
		heads = append(heads, of...)
	}
	role, err := engine.ParseRole(f.order)
	switch {
	case err == nil:
		slices.SortStableFunc(heads, func(a, b gridHead) int { return cmp.Compare(b.roles[role], a.roles[role]) })
	case f.order == "entropy":
		slices.SortStableFunc(heads, func(a, b gridHead) int { return cmp.Compare(a.entropy, b.entropy) })
	case f.order == "distance":
		slices.SortStableFunc(heads, func(a, b gridHead) int { return cmp.Compare(a.distance, b.distance) })
	}
	n := count(int64(len(m.labels)))
	page := visualize.Montage{
		Title:    excerpt(m.run.texts[0].string),
		Subtitle: fmt.Sprintf("%s: %d layers (L) of %d heads (H) by %s, %s tokens, %s", f.model, c.Layers, c.Heads, f.order, n, m.device()),
		Columns:  c.Heads, CommonRange: true, Size: gridSize, Density: f.density,
	}
	for _, h := range heads {
		page.Pictures = append(page.Pictures, visualize.Picture{
			Map: h.one, Scale: f.scale, ColorMap: colors, Title: h.title(f.order),
			Subtitle: h.String(),
		})
	}
	if err := writePicture(f.out, page); err != nil {
		return err
	}
	return m.run.print(fmt.Sprintf("%s: %d layers of %d heads, %s tokens\n", f.out, c.Layers, c.Heads, n))
}

// layer returns the maps of a layer's heads, of at most most cells a side.
func (m *attentionMap) layer(ctx context.Context, layer, most int) ([]gridHead, error) {
	all := gaze.Span{End: len(m.labels)}
	view := modernbert.View{Layer: layer, Heads: gaze.Span{End: m.run.checkpoint.Config.Heads}, Rectangle: gaze.Rectangle{Queries: all, Keys: all}}
	maps, err := m.recompute(ctx, view, false, most)
	if err != nil {
		return nil, err
	}
	statistics, err := m.capture.Statistics(ctx, layer)
	if err != nil {
		return nil, err
	}
	heads := make([]gridHead, len(maps))
	for head, one := range maps {
		heads[head] = gridHead{layer: layer, head: head, one: one}
		if err := heads[head].summarize(statistics[head*len(m.labels):][:len(m.labels)]); err != nil {
			return nil, fmt.Errorf("layer %d, head %d on %s: %w", layer, head, m.device(), err)
		}
	}
	return heads, nil
}

// summarize takes the means over the rows of a head, if its weights add up.
func (h *gridHead) summarize(rows []engine.RowStatistic) error {
	const tolerance = 1e-3
	for query, row := range rows {
		if !(math.Abs(float64(row.Sum)-1) <= tolerance) {
			return fmt.Errorf("the recomputed weights of query %d add up to %v, not to 1: the driver miscompiles a kernel; gaze verify tells which", query, row.Sum)
		}
		h.entropy += float64(row.Entropy) / float64(len(rows))
		h.distance += float64(row.Distance) / float64(len(rows))
	}
	h.roles = engine.MeanRoles(rows)
	return nil
}
