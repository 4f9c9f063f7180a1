package explore

import (
	"fmt"
	"strings"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize/internal/faces"
)

// refinePin moves the pin of a cell to its greatest weight, once that is known,
// and prints what is pinned.
func (e *Explorer) refinePin() {
	if e.refine != nil {
		if t, ok := need[*tile](e.store, *e.refine); ok {
			query, key := t.greatest()
			e.refine = nil
			e.pinAt(query, key)
		}
	}
	if e.announce && e.pin {
		if _, ok := need[[]float32](e.store, rowPart{e.run, e.shown(), e.pinned.query}); ok {
			e.announce = false
			e.host.Print(e.record())
		}
	}
}

// query returns the query that is pinned, or under the mouse.
func (e *Explorer) query() (int, bool) {
	if e.pin {
		return e.pinned.query, true
	}
	if at, ok := e.pointed(); ok {
		return at.query, true
	}
	return 0, false
}

// pointed returns the pair under the mouse.
func (e *Explorer) pointed() (pair, bool) {
	if e.run == nil || e.screen != mapScreen {
		return pair{}, false
	}
	for _, p := range e.panes() {
		if query, key, ok := p.view.pair(float64(e.mouse.X), float64(e.mouse.Y)); ok {
			return pair{query, key}, true
		}
	}
	if token, ok := e.tokenAt(e.mouse); ok {
		return pair{token, token}, true
	}
	return pair{}, false
}

// readout says what is known of the pair under the mouse, or the pinned one, and of
// the selection.
func (e *Explorer) readout() (lines []string) {
	switch {
	case e.run == nil:
		return nil
	case e.screen != mapScreen:
		return []string{e.describe(e.hovered())}
	case len(e.layout.panes) == 0:
		e.arrange()
	}
	lines = e.pairReadout()
	if e.selection {
		lines = append(lines, e.selectionReadout()...)
	}
	return lines
}

func (e *Explorer) pairReadout() (lines []string) {
	at, ok := e.pointed()
	if !ok && e.pin {
		at, ok = e.pinned, true
	}
	if !ok {
		return nil
	}
	panes := e.panes()
	for _, p := range panes[:len(panes)-1] {
		// Another text has other tokens there.
		if last := max(at.query, at.key); last < len(p.run.Tokens) && (last >= len(e.run.Tokens) || p.run.Text != e.run.Text) {
			lines = append(lines, fmt.Sprintf("A: query %s, key %s", p.run.tokenName(at.query), p.run.tokenName(at.key)))
		}
		if at.query < len(p.run.Tokens) {
			if row, ok := need[[]float32](e.store, rowPart{p.run, p.head, at.query}); ok && at.key < len(row) {
				lines = append(lines, fmt.Sprintf("A: %s", rank(row, at.key)[0]))
			}
		}
	}
	if max(at.query, at.key) >= len(e.run.Tokens) {
		return lines
	}
	return append(e.ownReadout(at), lines...)
}

// ownReadout says what is known of a pair of the run in sight.
func (e *Explorer) ownReadout(at pair) (lines []string) {
	lines = []string{fmt.Sprintf("query %d %s", at.query, e.run.tokenName(at.query)), fmt.Sprintf("key %d %s", at.key, e.run.tokenName(at.key))}
	panes := e.panes()
	p := panes[len(panes)-1]
	if !p.available() {
		return lines
	}
	if row, ok := need[[]float32](e.store, rowPart{p.run, p.head, at.query}); ok {
		lines = append(lines, rank(row, at.key)...)
	}
	if cell := e.view.cell(); cell > 1 || p.minus.run != nil {
		row, column := at.query/tileTokens(cell), at.key/tileTokens(cell)
		part := e.part(&p, cell, row, column)
		if t, ok := has[*tile](e.store, part); ok {
			if value, visible := e.value(part, t, at); visible && cell > 1 {
				lines = append(lines, fmt.Sprintf("%v of its cell: %s", e.Pooling, readable(float64(value))))
			} else if visible {
				lines = append(lines, fmt.Sprintf("difference %s", readable(float64(value))))
			}
		}
	}
	if e.rollout && p.head.layer != mean {
		if query, ok := e.query(); ok {
			if roll, ok := need[[]float64](e.store, rolloutPart{p.run, p.head.layer, query}); ok {
				lines = append(lines, fmt.Sprintf("rollout of query %d here: %s", query, readable(roll[at.key])))
			}
		}
	}
	return lines
}

// rank says how great a weight of a row is, and which one it is.
func rank(row []float32, key int) []string {
	weight := row[key]
	if weight != weight {
		return []string{"masked"}
	}
	greater, visible := 0, 0
	for _, w := range row {
		if w == w {
			visible++
		}
		if w > weight {
			greater++
		}
	}
	return []string{"weight " + readable(float64(weight)), fmt.Sprintf("rank %d of %d", greater+1, visible)}
}

// selectionReadout says how much attention is in the selection.
func (e *Explorer) selectionReadout() (lines []string) {
	s := e.selected
	if e.run == nil || s.Validate(len(e.run.Tokens)) != nil {
		return nil
	}
	lines = append(lines, fmt.Sprintf("selected %s", rectangle(s)))
	if given, ok := need[[]float64](e.store, stripPart{e.run, e.shown(), true, s.Keys}); ok {
		mass := 0.0
		for _, value := range given[s.Queries.First:s.Queries.End] {
			mass += value
		}
		queries := s.Queries.End - s.Queries.First
		lines = append(lines, fmt.Sprintf("mass %s, %.1f %% of these queries' attention", readable(mass), 100*mass/float64(queries)))
	}
	return lines
}

// rectangle writes "0:12,3:40", as flags have it.
func rectangle(r gaze.Rectangle) string {
	return fmt.Sprintf("%d:%d,%d:%d", r.Queries.First, r.Queries.End, r.Keys.First, r.Keys.End)
}

// tokenName quotes a token, with the code points that no font shows. Of a token
// that is some bytes of a letter they are the letter's, which else follows.
func (r *Run) tokenName(token int) string {
	t := r.Tokens[token]
	label := t.Label
	text, letters := "“"+label+"”", ""
	if strings.ContainsRune(label, '\uFFFD') && t.End > t.First {
		label = r.Text[t.First:t.End]
		letters = " of “" + label + "”"
	}
	for i, letter := range []rune(label) {
		if i == 8 {
			break
		}
		if !faces.Known(letter) {
			text, letters = text+fmt.Sprintf(" U+%04X", letter), ""
		}
	}
	return text + letters
}

// record returns the pinned pair as a line of CSV: layer, head, query, key, their
// tokens and the weight.
func (e *Explorer) record() string {
	weight := ""
	if row, ok := has[[]float32](e.store, rowPart{e.run, e.shown(), e.pinned.query}); ok && row[e.pinned.key] == row[e.pinned.key] {
		weight = fmt.Sprint(row[e.pinned.key])
	}
	name := func(i int) string {
		if i == mean {
			return "mean"
		}
		return fmt.Sprint(i)
	}
	return fmt.Sprintf("%s,%s,%d,%d,%q,%q,%s", name(e.Layer), name(e.Head), e.pinned.query, e.pinned.key,
		e.run.Tokens[e.pinned.query].Label, e.run.Tokens[e.pinned.key].Label, weight)
}
