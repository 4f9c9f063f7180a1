package explore

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gazevk/gaze/visualize"
)

// An action is something that a key does, and that can be asked for by name.
type action struct {
	name  string
	keys  []chord
	help  string
	group string
	do    func(*Explorer)
}

// actions are all there are, in the order in which the help shows them. It is
// filled by init, because help, one of them, reads it.
var actions []action

func init() {
	actions = []action{
		{"open", keys("enter"), "open the head that is selected", "Heads", (*Explorer).open},
		{"overview", keys("backspace"), "all layers and heads", "Heads", (*Explorer).overview},
		{"previous_layer", keys("pageup"), "the layer before", "Heads", func(e *Explorer) { e.step(-1, 0) }},
		{"next_layer", keys("pagedown"), "the layer behind", "Heads", func(e *Explorer) { e.step(1, 0) }},
		{"previous_head", keys("["), "the head before", "Heads", func(e *Explorer) { e.step(0, -1) }},
		{"next_head", keys("]"), "the head behind", "Heads", func(e *Explorer) { e.step(0, 1) }},
		{"mean", keys("h"), "mean over heads, over all layers, or one head", "Heads", (*Explorer).nextMean},
		{"order", keys("e"), "order the overview otherwise", "Heads", (*Explorer).nextOrder},

		{"fit", keys("home"), "show everything", "View", func(e *Explorer) { e.view.fit() }},
		{"focus", keys("f"), "show the selection; again: back", "View", (*Explorer).focus},
		{"zoom_in", append(keys("="), with(Shift, "=")...), "zoom in; the wheel does so at the mouse", "View", func(e *Explorer) { e.zoomMiddle(1.25) }},
		{"zoom_out", keys("-"), "zoom out", "View", func(e *Explorer) { e.zoomMiddle(0.8) }},
		{"pixel_1", keys("1"), "a pixel a token", "View", func(e *Explorer) { e.view.snap(1) }},
		{"pixel_2", keys("2"), "2 pixels a token", "View", func(e *Explorer) { e.view.snap(2) }},
		{"pixel_4", keys("4"), "4 pixels a token", "View", func(e *Explorer) { e.view.snap(4) }},
		{"pixel_8", keys("8"), "8 pixels a token", "View", func(e *Explorer) { e.view.snap(8) }},
		{"pan_up", keys("w"), "move, as dragging does", "View", func(e *Explorer) { e.slide(0, 1) }},
		{"pan_left", keys("a"), "", "View", func(e *Explorer) { e.slide(1, 0) }},
		{"pan_down", keys("s"), "", "View", func(e *Explorer) { e.slide(0, -1) }},
		{"pan_right", keys("d"), "", "View", func(e *Explorer) { e.slide(-1, 0) }},

		{"scale", keys("l"), "scale: log, linear, gamma", "Colours", (*Explorer).nextScale},
		{"measure", keys("n"), "weight, share of the row's greatest, lift over uniform", "Colours", (*Explorer).nextMeasure},
		{"pooling", keys("p"), "the greatest of a cell, or its mean", "Colours", (*Explorer).nextPooling},
		{"colors", keys("m"), "colour map", "Colours", (*Explorer).nextColors},
		{"range", keys("c"), "fit the colours to what is in sight, and lock them", "Colours", (*Explorer).rangeOnce},
		{"range_always", with(Shift, "c"), "fit them always, or per head", "Colours", (*Explorer).rangeAlways},
		{"overlay", keys("o"), "the edges of the mask", "Colours", func(e *Explorer) { e.Overlay = !e.Overlay }},

		{"find", append(with(Control, "f"), keys("/")...), "find a token", "Tokens", (*Explorer).promptFind},
		{"find_next", keys("."), "the next that was found", "Tokens", func(e *Explorer) { e.nextFound(1) }},
		{"find_previous", keys(","), "the one before", "Tokens", func(e *Explorer) { e.nextFound(-1) }},
		{"go_to", with(Control, "g"), "go to a query and a key", "Tokens", (*Explorer).promptGoTo},
		{"rollout", keys("r"), "attention rollout of the pinned query", "Tokens", (*Explorer).toggleRollout},
		{"copy", with(Control, "c"), "copy what is read off", "Tokens", func(e *Explorer) { e.host.Copy(strings.Join(e.readout(), "\n")) }},

		{"edit", append(keys("t"), with(Control, "l")...), "edit the text; the maps follow", "Text", (*Explorer).beginEdit},
		{"variant", keys("v"), "the next variant of the model", "Text", func(e *Explorer) { e.host.Variant(1) }},
		{"pause", keys("space"), "stop following, or go on", "Text", (*Explorer).togglePause},

		{"keep", with(Control, "d"), "keep this head as A, to compare others with", "Compare", (*Explorer).keep},
		{"compare", with(Shift, "d"), "beside A, then minus A, then alone; d moves", "Compare", (*Explorer).nextComparison},

		{"export", with(Control|Shift, "e"), "write what is in sight to a file", "Window", func(e *Explorer) { e.promptExport(false) }},
		{"export_all", with(Control|Shift|Alt, "e"), "write the whole map to a file", "Window", func(e *Explorer) { e.promptExport(true) }},
		{"larger", with(Control, "="), "text and all else larger", "Window", func(e *Explorer) { e.enlarge(1) }},
		{"smaller", with(Control, "-"), "smaller", "Window", func(e *Explorer) { e.enlarge(-1) }},
		{"clear", keys("escape"), "leave, unpin, deselect", "Window", (*Explorer).clear},
		{"help", append(with(Shift, "/"), keys("f1")...), "these keys", "Window", func(e *Explorer) { e.help = !e.help }},
		{"quit", with(Control, "q"), "close the window", "Window", func(e *Explorer) { e.host.Quit() }},
	}
}

// Actions returns the names of what [Explorer.Do] does, and what that is.
func Actions() (list []struct{ Name, Keys, Help string }) {
	for _, a := range actions {
		var chords []string
		for _, c := range a.keys {
			chords = append(chords, c.String())
		}
		list = append(list, struct{ Name, Keys, Help string }{a.name, strings.Join(chords, " or "), a.help})
	}
	return list
}

// Do does what an action's key would.
func (e *Explorer) Do(name string) error {
	for _, a := range actions {
		if a.name == name {
			e.catchUp()
			e.dirty = true
			a.do(e)
			return nil
		}
	}
	return fmt.Errorf("no action %q: press ? in the window, or see the help, for all", name)
}

// open shows the map of the selected head.
func (e *Explorer) open() {
	if e.screen == overviewScreen && e.run != nil {
		e.screen = mapScreen
		if e.progress >= 1 {
			e.following = false
		}
	}
}

// Stay stays with a map that is in sight, while more layers complete.
func (e *Explorer) Stay() {
	if e.screen == mapScreen {
		e.following, e.dirty = false, true
	}
}

func (e *Explorer) overview() { e.screen, e.help = overviewScreen, false }

// step goes to another layer or head.
func (e *Explorer) step(layers, heads int) {
	if e.run == nil {
		return
	}
	if layers != 0 {
		e.following = false
	}
	if e.Layer != mean {
		e.Layer = min(max(e.Layer+layers, 0), len(e.run.Layers)-1)
	}
	if e.Head != mean {
		e.Head = min(max(e.Head+heads, 0), e.run.Heads-1)
	}
}

// nextMean goes from a head to the mean of its layer's heads, that of all
// layers, and back.
func (e *Explorer) nextMean() {
	switch {
	case e.Head != mean:
		e.averaged, e.Head = e.shown(), mean
	case e.Layer != mean:
		e.Layer = mean
	default:
		e.Layer, e.Head = e.averaged.layer, e.averaged.head
	}
	e.withinRun(e.run)
	e.screen = mapScreen
}

// withinRun takes the last layer and the last head where a run has fewer than
// the numbers say.
func (e *Explorer) withinRun(run *Run) {
	if run != nil {
		e.Layer, e.Head = min(e.Layer, len(run.Layers)-1), min(e.Head, run.Heads-1)
	}
}

func (e *Explorer) zoomMiddle(factor float64) {
	middle := e.view.box.Min.Add(e.view.box.Size().Div(2))
	e.view.zoom(float64(middle.X), float64(middle.Y), factor)
}

// slide moves the view by so many tenths of itself, or the overview.
func (e *Explorer) slide(dx, dy float64) {
	if e.screen == overviewScreen {
		e.scroll -= int(dy * float64(e.canvas.img.Rect.Dy()) / 10)
		return
	}
	e.following = false
	e.view.pan(dx*float64(e.view.box.Dx())/10, dy*float64(e.view.box.Dy())/10)
}

// focus shows the selection, or the pin; again what was seen before.
func (e *Explorer) focus() {
	switch {
	case e.beforeF != nil:
		box := e.view.box
		e.view = *e.beforeF
		e.view.resize(box)
		e.beforeF = nil
		return
	case e.selection:
		before := e.view
		e.view.show(e.selected)
		e.beforeF = &before
	case e.pin:
		before := e.view
		e.view.scale = float64(e.canvas.px(20))
		e.view.jump(e.pinned.query, e.pinned.key)
		e.beforeF = &before
	default:
		e.say("nothing is selected: drag with Shift, or click a cell")
	}
}

func (e *Explorer) nextScale() {
	e.Scale = (e.Scale + 1) % 3
	if e.Range == RangeLocked {
		e.Range = RangeOfHead // what was locked has no meaning on another scale
	}
}

func (e *Explorer) nextMeasure() {
	e.Measure = (e.Measure + 1) % (visualize.Lift + 1)
	if e.Range == RangeLocked {
		e.Range = RangeOfHead
	}
}

func (e *Explorer) nextPooling() { e.Pooling = (e.Pooling + 1) % 2 }

// nextColors takes the next colour map that does not diverge.
func (e *Explorer) nextColors() {
	maps := visualize.ColorMaps()
	at := slices.IndexFunc(maps, func(c visualize.ColorMap) bool { return c.Name == e.Colors })
	e.Colors = maps[(at+1)%(len(maps)-1)].Name
}

func (e *Explorer) rangeOnce() {
	if e.run == nil || e.screen != mapScreen {
		e.say("open a head first: there the colours have a range of their own")
		return
	}
	e.arrange()
	e.Range, e.ranged = RangeOfHead, rangeKey{}
	e.fitRange()
	e.Range = RangeLocked
}

func (e *Explorer) rangeAlways() {
	if e.Range == RangeOfView {
		e.Range = RangeOfHead
	} else {
		e.Range = RangeOfView
	}
	e.ranged = rangeKey{}
}

func (e *Explorer) toggleRollout() {
	e.rollout = !e.rollout
	if e.rollout && !e.pin {
		e.say("rollout of the query under the mouse; click to pin one")
	}
}

func (e *Explorer) togglePause() {
	e.paused = !e.paused
	e.following = !e.paused && e.progress < 1
	e.host.Pause(e.paused)
}

// keep remembers the head in sight as the one to compare others with.
func (e *Explorer) keep() {
	if e.run == nil {
		return
	}
	before := e.against.run
	e.against = other{e.run, e.shown()}
	if before != nil {
		e.drop(before)
	}
	e.say("kept %s as A; choose another, then press %s", e.headName(e.shown()), "shift+d")
}

// nextComparison goes from side by side to the difference and to neither.
func (e *Explorer) nextComparison() {
	switch {
	case e.against.run == nil:
		e.say("nothing is kept to compare with: press ctrl+d on it first")
		return
	case e.compare == sideBySide && len(e.run.Tokens) != len(e.against.run.Tokens):
		e.compare = noComparison
		e.say("no difference: A has %d tokens, this has %d", len(e.against.run.Tokens), len(e.run.Tokens))
	default:
		e.compare = (e.compare + 1) % (difference + 1)
	}
	e.screen = mapScreen
}

// clear leaves what is entered last: help, a prompt, the pin, the selection, what
// was found, the comparison.
func (e *Explorer) clear() {
	e.message = ""
	switch {
	case e.help:
		e.help = false
	case e.drag.kind != noDrag:
		e.drag = drag{}
	case e.pin || e.selection || len(e.found) > 0 || e.rollout:
		e.pin, e.selection, e.found, e.find, e.rollout = false, false, nil, "", false
	case e.compare != noComparison:
		e.compare = noComparison
	}
}
