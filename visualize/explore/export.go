package explore

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// An export is a picture that is to be written.
type export struct {
	part     exportPart
	path     string
	multiple int // pixels of a PNG per pixel of its layout
}

// An exportPart is the cells of the picture.
type exportPart struct {
	tilePart
	rectangle gaze.Rectangle
}

func (p exportPart) urgency() int { return urgentRow }

func (p exportPart) pairs() float64 { return p.pairsOf(p.rectangle) }

func (p exportPart) compute(ctx context.Context) (any, error) { return p.tile(ctx, p.rectangle) }

// promptExport asks where to write what is in sight, or the whole map.
func (e *Explorer) promptExport(all bool) {
	if e.run == nil {
		e.say("there is no map yet")
		return
	}
	name := strings.NewReplacer(", ", "-", " ", "").Replace(e.headName(e.shown())) + ".png"
	e.prompt = &prompt{label: "write to a .png, .svg, .html or .csv, and pixels per pixel: ", line: newLine(name + " 1")}
	e.prompt.done = func(text string) error { return e.Export(text, all) }
}

// Export writes a picture of what is in sight, or of the whole map, once its
// cells are computed. where is a file's name and may end in " 2", for twice as
// many pixels along each side.
func (e *Explorer) Export(where string, all bool) error {
	path, multiple := strings.TrimSpace(where), 1
	if at := strings.LastIndex(path, " "); at >= 0 {
		if n, err := strconv.Atoi(path[at+1:]); err == nil {
			path, multiple = strings.TrimSpace(path[:at]), n
		}
	}
	switch filepath.Ext(path) {
	case ".png", ".svg", ".html", ".csv":
	default:
		return fmt.Errorf("%q: expected a name that ends in .png, .svg, .html or .csv", path)
	}
	if multiple < 1 || multiple > 8 {
		return fmt.Errorf("%d pixels per pixel: from 1 to 8 are possible", multiple)
	}
	if e.run == nil {
		return fmt.Errorf("there is no map yet")
	}
	e.screen = mapScreen
	e.arrange()
	v := e.view
	v.n = len(e.run.Tokens)
	r := v.visible()
	if all {
		everything := gaze.Span{End: len(e.run.Tokens)}
		r = gaze.Rectangle{Queries: everything, Keys: everything}
	}
	if err := r.Validate(v.n); err != nil {
		return fmt.Errorf("nothing of the map is in sight: %w", err)
	}
	// The cells are those that gaze map takes, whatever the window has room for.
	cell, asked := 1, r
	for {
		r.Queries.First, r.Keys.First = asked.Queries.First/cell*cell, asked.Keys.First/cell*cell
		if rows, columns := r.Cells(gaze.Square(cell)); max(rows, columns) <= visualize.DefaultCells || cell == LargestCell {
			break
		}
		cell *= 2
	}
	part := exportPart{tilePart{of: e.run, head: e.shown(), cell: cell, measure: e.Measure, pooling: e.Pooling}, r}
	if e.compare == difference {
		part.minus = e.against
	}
	e.exporting, e.unwritten = &export{part, path, multiple}, nil
	e.dirty = true
	return nil
}

// finishExport writes the picture once its cells are there, and all in sight, whose
// range its colours have.
func (e *Explorer) finishExport() {
	x := e.exporting
	if x == nil {
		return
	}
	if r := e.store.results[x.part]; r != nil && r.err != nil {
		e.exporting, e.unwritten = nil, r.err
		e.tell(r.err)
		return
	}
	t, ok := need[*tile](e.store, x.part)
	if _, complete := e.inSight(); !ok || !complete && e.store.failure() == nil {
		return
	}
	e.exporting = nil
	if e.unwritten = e.write(x, t); e.unwritten != nil {
		e.tell(e.unwritten)
		return
	}
	e.say("%s is written", x.path)
	if command := e.command(x); command != "" {
		e.host.Print(command)
	}
}

func (e *Explorer) write(x *export, t *tile) error {
	measure := x.part.measure
	if x.part.minus.run != nil {
		measure = visualize.Difference
	}
	cells := make([]float32, len(t.values))
	for i, value := range t.values {
		switch {
		case value != value && measure != visualize.Difference:
			value = Hidden
		case x.part.pooling == visualize.MeanPooling:
			value *= float32(t.pairs(i))
		}
		cells[i] = value
	}
	m, err := visualize.NewPart(t.rectangle, t.cell, measure, x.part.pooling, cells)
	if err != nil {
		return err
	}
	labels := make([]string, len(e.run.Tokens))
	for i, token := range e.run.Tokens {
		labels[i] = token.Label
	}
	if filepath.Ext(x.path) == ".csv" {
		return gaze.WriteFile(x.path, func(w io.Writer) error { return m.WriteCSV(w, labels) })
	}
	p := visualize.Picture{
		Map: m, Tokens: labels, Sequences: e.run.sequences(), Scale: e.drawnScale(), Range: e.r, Density: x.multiple,
		Title:    excerpt(e.run.Text),
		Subtitle: e.subtitle(x.part.head, t.cell),
	}
	name := e.Colors
	if measure == visualize.Difference {
		name = "blue_red"
		p.Subtitle += ", minus " + e.headName(x.part.minus.head)
	}
	if p.ColorMap, err = visualize.ColorMapByName(name); err != nil {
		return err
	}
	switch filepath.Ext(x.path) {
	case ".svg":
		return gaze.WriteFile(x.path, p.WriteSVG)
	case ".html":
		return gaze.WriteFile(x.path, p.WriteHTML)
	}
	img, err := p.Draw()
	if err != nil {
		return err
	}
	return visualize.WritePNG(x.path, img)
}

// subtitle says of a picture what gaze map does.
func (e *Explorer) subtitle(h head, cell int) string {
	n := strconv.Itoa(len(e.run.Tokens))
	for i := len(n) - 3; i > 0; i -= 3 {
		n = n[:i] + "," + n[i:]
	}
	which := fmt.Sprintf("head %d", h.head)
	switch {
	case h.layer == mean:
		return fmt.Sprintf("%s, %s, %s tokens, %s", e.run.Name, e.headName(h), n, e.run.Device)
	case h.head == mean && cell > 1:
		which = fmt.Sprintf("mean of the pooled cells of %d heads", e.run.Heads)
	case h.head == mean:
		which = fmt.Sprintf("mean of %d heads", e.run.Heads)
	}
	if e.run.Alone {
		return fmt.Sprintf("%s, %s: %v, %s tokens, %s", e.run.Name, which, e.run.Layers[h.layer], n, e.run.Device)
	}
	return fmt.Sprintf("%s, layer %d, %s: %v, %s tokens, %s", e.run.Name, h.layer, which, e.run.Layers[h.layer], n, e.run.Device)
}

// excerpt cuts a text to what a title holds.
func excerpt(text string) string {
	const most = 60 // letters
	words := strings.Join(strings.Fields(text[:min(len(text), 8*most)]), " ")
	if letters := []rune(words); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return words
}

// command returns the command that draws the same picture without a window;
// nothing where none does.
func (e *Explorer) command(x *export) string {
	if x.part.minus.run != nil || x.part.head.layer == mean || e.run.Command == nil {
		return ""
	}
	h := "mean"
	if x.part.head.head != mean {
		h = strconv.Itoa(x.part.head.head)
	}
	exact := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) } // rounded, the greatest cell could lie beyond
	args := append([]string{"gaze", "map"}, e.run.Command...)
	args = append(args, "--layer", strconv.Itoa(x.part.head.layer), "--head", h, "--rect", rectangle(x.part.rectangle),
		"--measure", x.part.measure.String(), "--pool", x.part.pooling.String())
	if filepath.Ext(x.path) != ".csv" { // which has no colours
		args = append(args, "--scale", e.drawnScale().String(), "--colors", e.Colors, "--range", exact(e.r.Low)+":"+exact(e.r.High),
			"--density", strconv.Itoa(x.multiple))
	}
	args = append(args, "--out", x.path)
	for i, arg := range args {
		args[i] = quote(arg)
	}
	return strings.Join(args, " ")
}

// quote writes an argument as a shell reads it.
func quote(arg string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:,+=@", r)
	}
	if arg != "" && strings.IndexFunc(arg, func(r rune) bool { return !plain(r) }) < 0 {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
