package explore

import (
	"fmt"
	"image"
	"slices"
	"sync"
	"time"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// A Host is what an explorer asks for. Its methods are called by the explorer's
// goroutine and return at once.
type Host interface {
	// Run asks for the attention of another text, and drops what was asked for
	// before. The answer comes by [Explorer.Open].
	Run(text string)
	// Variant asks for the attention of the text in the next of the variants.
	Variant(step int)
	// Pause stops taking texts from outside, or goes on.
	Pause(paused bool)
	// Read returns a file's text.
	Read(path string) (string, error)
	// Wake has Frame called, by any goroutine.
	Wake()
	// Copy puts text on the clipboard.
	Copy(text string)
	// Print writes a line for who reads along.
	Print(line string)
	// Quit closes the window.
	Quit()
	// Label returns what a key bears on this keyboard.
	Label(key Key) string
}

// An Explorer is the state of a viewer. All its methods are called by one
// goroutine, but for Post.
type Explorer struct {
	host   Host
	canvas canvas
	frame  Resize // the last
	layout layout
	store  *store
	dirty  bool // what the last frame shows is no longer so

	run      *Run // what is shown; nil before the first
	next     *Run // what will be, once the layer in sight is complete
	against  other
	compare  comparison
	progress float64 // of the forward pass under way; 1: none is
	failed   error   // of the last

	Settings
	screen    screen
	view      view
	coarse    int      // queries that a row of cells in sight is made of, in place of coarseRows times as many; 0: none is
	ranged    rangeKey // what the range belongs to
	sampled   sampling
	r         visualize.Range // of the colours
	averaged  Head            // the head before a mean was chosen
	hasBefore bool
	scroll    int // pixels of the overview
	flowed    *flow
	textLine  int // the first line in sight of the text
	textQuery int // that the text was scrolled to

	mouse     image.Point
	pinned    pair // of pin
	pin       bool
	announce  bool           // the pin is to be printed once its weight is known
	refine    *cellPart      // whose greatest weight is to be pinned
	selected  gaze.Rectangle // of selection
	selection bool
	beforeF   *view // what focus replaced
	drag      drag
	clicked   clicked

	noText    string // why none can be typed
	edit      line
	editing   bool
	swallow   bool // the next letter, which belongs to a key that did something
	prompt    *prompt
	find      string
	found     []int // tokens, ascending
	hits      []int // the first of each occurrence
	rollout   bool
	following bool
	paused    bool
	exporting *export
	unwritten error // why the last export was not written
	help      bool
	helpLine  int // lines that it is scrolled by
	message   string
	alarm     bool // the message is an error

	lock  sync.Mutex
	inbox []func()
}

type pair struct{ query, key int }

// A Head is one that a person looks at; -1 stands for the mean of all.
type Head = head

// A screen is what fills the window.
type screen int

const (
	overviewScreen screen = iota
	mapScreen
)

// A comparison says what is shown beside a head, or taken from it.
type comparison int

const (
	noComparison comparison = iota
	sideBySide
	difference
)

// An other is the head that the one in sight is compared with.
type other struct {
	run  *Run
	head head
}

// A rangeKey is what a range of colours belongs to.
type rangeKey struct {
	run      *Run
	head     head
	cell     int
	measure  visualize.Measure
	scale    visualize.Scale
	pooling  visualize.Pooling
	compare  comparison
	complete bool // all tiles in sight were there
}

// New returns an explorer. Close it when done.
func New(host Host, s Settings) *Explorer {
	e := &Explorer{host: host, Settings: s, progress: 1, following: true}
	if _, err := visualize.ColorMapByName(s.Colors); err != nil || s.Colors == "blue_red" {
		e.Colors = DefaultSettings().Colors
	}
	e.store = newStore(host.Wake)
	e.mouse = image.Pt(-1, -1)
	return e
}

// Close ends what is under way and closes the runs.
func (e *Explorer) Close() {
	e.catchUp() // there may be runs
	runs := []*Run{e.run, e.next, e.against.run}
	for i, run := range runs {
		if run != nil && !slices.Contains(runs[:i], run) {
			e.store.forget(run)
		}
	}
	e.store.close()
}

// Post has do called by the explorer's goroutine, before its next frame. It may
// be called by any goroutine.
func (e *Explorer) Post(do func()) {
	e.lock.Lock()
	e.inbox = append(e.inbox, do)
	e.lock.Unlock()
	e.host.Wake()
}

// Open shows a run, whose layers come by [Explorer.Complete]. What was shown
// stays until the run has the layer that is looked at.
func (e *Explorer) Open(run *Run) {
	before := e.next
	e.next, e.failed, e.progress = run, nil, 0
	if before != nil {
		e.drop(before)
	}
	e.settle()
	e.dirty = true
}

// Complete says that the first so many layers of a run are complete.
func (e *Explorer) Complete(run *Run, layers int) {
	run.done = layers
	e.settle()
	if run == e.run && e.following && e.screen == mapScreen && e.Layer != mean && layers > 0 {
		e.Layer = layers - 1
	}
	e.dirty = true
}

// NoText says why no text can be typed: what is shown was made of none.
func (e *Explorer) NoText(why string) { e.noText = why }

// Progress says how much of the forward pass under way is done; 1 ends it.
func (e *Explorer) Progress(done float64) {
	e.progress = done
	e.dirty = true
}

// Fail says that there will be no attention of the text that was asked for.
func (e *Explorer) Fail(err error) {
	e.failed, e.progress, e.dirty = err, 1, true
	if before := e.next; before != nil {
		e.next = nil
		e.drop(before)
	}
}

// Abandon says that no more of a run's layers will come, and that nothing more of
// it can be computed.
func (e *Explorer) Abandon(run *Run) {
	run.gone = true
	if e.next == run {
		e.next = nil
		e.drop(run)
	}
}

// Warn shows a message.
func (e *Explorer) Warn(message string) {
	e.say("%s", message)
	e.dirty = true
}

// Shown reports whether what was asked for last is in sight, though there may be
// layers to come.
func (e *Explorer) Shown() bool {
	e.catchUp()
	return e.run != nil && e.next == nil && e.failed == nil
}

// Ready reports whether there is a run, and all of it.
func (e *Explorer) Ready() bool {
	e.catchUp()
	return e.run != nil && e.next == nil && e.progress >= 1 && e.failed == nil
}

// Failure returns why there is no attention of the text that was asked for.
func (e *Explorer) Failure() error {
	e.catchUp()
	return e.failed
}

// Trouble returns why something in sight could not be computed, or the last export
// not be written.
func (e *Explorer) Trouble() error {
	if err := e.store.failure(); err != nil {
		return err
	}
	return e.unwritten
}

// Message returns the message at the lower edge, if there is one.
func (e *Explorer) Message() string {
	e.catchUp()
	return e.message
}

// Text returns the text of the run in sight.
func (e *Explorer) Text() string {
	if e.run == nil {
		return ""
	}
	return e.run.Text
}

// Tokens returns how many tokens the run in sight has.
func (e *Explorer) Tokens() int {
	if e.run == nil {
		return 0
	}
	return len(e.run.Tokens)
}

// InMap reports whether a map is in sight, not the overview.
func (e *Explorer) InMap() bool { return e.screen == mapScreen }

// settle shows the next run if it has what is looked at.
func (e *Explorer) settle() {
	if e.next == nil {
		return
	}
	layers := len(e.next.Layers)
	e.withinRun(e.next)
	wanted := head{e.Layer, e.Head}.end(layers)
	if e.run != nil && len(e.run.Tokens) > 0 && e.next.done < wanted && !(e.following && e.next.done > 0) {
		return
	}
	before := e.run
	e.run, e.next = e.next, nil
	if e.compare == difference && len(e.run.Tokens) != len(e.against.run.Tokens) {
		e.compare = sideBySide
		e.say("side by side, for there is no difference: A has %d tokens, this has %d", len(e.against.run.Tokens), len(e.run.Tokens))
	}
	if before == nil || len(before.Tokens) != len(e.run.Tokens) {
		if before == nil {
			e.view.n = len(e.run.Tokens)
			e.view.fit()
		}
		e.view.count(e.tokensInSight())
		e.selection = false
		if e.pin && max(e.pinned.query, e.pinned.key) >= len(e.run.Tokens) {
			e.pin = false
		}
		e.beforeF = nil
		e.textLine = 0
	}
	e.search()
	if before != nil {
		e.drop(before)
	}
}

// drop closes a run that is shown nowhere.
func (e *Explorer) drop(run *Run) {
	if run != e.run && run != e.next && run != e.against.run {
		e.store.forget(run)
	}
}

// Handle does what an event asks for.
func (e *Explorer) Handle(event Event) {
	e.catchUp()
	e.dirty = true
	switch event := event.(type) {
	case Resize:
		e.frame = event
		e.resize()
	case Press:
		e.press(event)
	case Rune:
		e.typed(string(event.Rune))
	case Paste:
		e.paste(event.Text)
	case Drop:
		e.dropped(event.Paths)
	case Move:
		e.moved(image.Pt(int(event.X), int(event.Y)))
	case Click:
		e.click(event)
	case Wheel:
		e.wheel(event)
	}
}

// resize makes the frame as large as the window, and what is in it as large as
// the screen and the person ask for.
func (e *Explorer) resize() {
	screen := max(e.frame.Density, 1)
	e.Larger = min(max(e.Larger, 1-screen), largestDensity-screen)
	if err := e.canvas.resize(max(e.frame.Width, 1), max(e.frame.Height, 1), screen+e.Larger); err != nil {
		e.tell(err)
	}
}

// enlarge draws everything larger, or smaller.
func (e *Explorer) enlarge(by int) {
	e.Larger += by
	e.resize()
}

// catchUp does what was posted.
func (e *Explorer) catchUp() {
	e.lock.Lock()
	inbox := e.inbox
	e.inbox = nil
	e.lock.Unlock()
	for _, do := range inbox {
		do()
		e.dirty = true
	}
}

// Frame returns the picture of the window, nil before the first Resize, which is the explorer's own until Frame
// is called again, and whether it has changed.
func (e *Explorer) Frame(time.Time) (frame *Frame, changed bool) {
	e.catchUp()
	if e.store.take() {
		e.dirty = true
	}
	switch {
	case e.canvas.img == nil:
		return nil, false
	case !e.dirty:
		return &e.canvas.shown, false
	}
	e.dirty = false
	e.store.begin()
	e.canvas.begin()
	e.draw()
	e.store.end()
	return &e.canvas.shown, true
}

// Presented says that what shows frames has shown the last one and reads none from
// before it any more.
func (e *Explorer) Presented() { e.store.release() }

// Spill drops the cells that only a device has, because what shows frames cannot have
// them: they are computed anew, where that can be.
func (e *Explorer) Spill() {
	e.store.spill()
	e.dirty = true
}

// Busy reports whether the frame will change by itself.
func (e *Explorer) Busy() bool { return e.dirty || !e.store.idle() || e.next != nil || e.progress < 1 }

// Mouse returns where the mouse is; it may be outside of the frame.
func (e *Explorer) Mouse() image.Point { return e.mouse }

// tell shows a message until the next.
func (e *Explorer) tell(err error) { e.message, e.alarm = err.Error(), true }

func (e *Explorer) say(format string, values ...any) {
	e.message, e.alarm = fmt.Sprintf(format, values...), false
}

// shown returns the head that is looked at.
func (e *Explorer) shown() head { return head{e.Layer, e.Head} }
