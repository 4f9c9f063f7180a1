package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gazevk/gaze/cmd/internal/load"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/engine/tokenizer"
	"github.com/gazevk/gaze/visualize/explore"
	"github.com/gazevk/gaze/vk"
)

// A live runs the model on whatever text is wanted last, or a run of attention, on a
// goroutine of its own. What it finds it posts to the explorer.
type live struct {
	explorer *explore.Explorer
	variants []variant
	name     string // of the device
	options  engine.Options
	command  []string                                                    // flags of gaze map that say which device and precision
	newPool  func(context.Context, *engine.Engine) (*engine.Pool, error) // nil: cells come to the CPU

	lock    sync.Mutex
	changed sync.Cond
	text    string
	variant int
	wanted  int // counts the requests
	cancel  context.CancelFunc
	device  int  // counts those that were opened, from 0
	reopen  bool // it was lost
	spared  bool // so was the one before, since a text was asked for last
	closed  bool
	ended   chan struct{}

	inUse   sync.RWMutex               // held for reading while a source uses the device
	shared  atomic.Pointer[vk.Adapter] // whose cells what shows frames reads; nil: none
	spilled atomic.Bool                // no longer

	// Of the goroutine alone.
	engine *engine.Engine
	pool   *engine.Pool // nil: none, if pooled
	pooled bool
	model  *modernbert.Model
	loaded *checkpoint.Model
	inputs load.Inputs
}

func newLive(variants []variant, device string, options engine.Options) *live {
	l := &live{variants: variants, name: device, options: options, ended: make(chan struct{}), cancel: func() {}}
	l.changed.L = &l.lock
	return l
}

// start begins to take requests.
func (l *live) start(e *explore.Explorer) {
	l.explorer = e
	if l.variants[0].run != nil {
		e.NoText(numbersOnly)
	}
	go l.loop()
}

// run asks for a text, and cancels what is under way.
func (l *live) run(text string) { l.ask(func() { l.text, l.spared = text, false }) }

// next asks for the same text in another variant.
func (l *live) next(step int) bool {
	if len(l.variants) == 1 {
		return false
	}
	l.ask(func() { l.variant, l.spared = (l.variant+step+len(l.variants))%len(l.variants), false })
	return true
}

// lost says that a device was lost, the first being 0, and has it opened anew
// and asked for the same again. It reports whether all will be well: a device
// that is lost twice in a row is an error. One that was replaced is of no concern.
func (l *live) lost(device int) (again bool) {
	l.lock.Lock()
	defer l.lock.Unlock()
	if device != l.device || l.reopen {
		return true
	}
	if l.spared {
		return false
	}
	l.reopen, l.spared = true, true
	l.wanted++
	l.cancel()
	l.changed.Signal()
	l.explorer.Post(func() { l.explorer.Progress(0) })
	return true
}

func (l *live) ask(change func()) {
	l.lock.Lock()
	defer l.lock.Unlock()
	change()
	l.wanted++
	l.cancel()
	l.changed.Signal()
}

// stop ends what is under way.
func (l *live) stop() {
	l.lock.Lock()
	l.closed = true
	l.cancel()
	l.lock.Unlock()
	l.changed.Signal()
	<-l.ended
}

// close frees the device of one that was stopped. All runs must be closed before.
func (l *live) close() error { return l.unload() }

func (l *live) loop() {
	defer close(l.ended)
	served := 0
	for {
		l.lock.Lock()
		for l.wanted == served && !l.closed {
			l.changed.Wait()
		}
		if l.closed {
			l.lock.Unlock()
			return
		}
		served = l.wanted
		v, text, reopen := &l.variants[l.variant], l.text, l.reopen
		if reopen {
			l.device, l.reopen = l.device+1, false
		}
		ctx, cancel := context.WithCancel(context.Background())
		l.cancel = cancel
		l.lock.Unlock()
		if reopen {
			l.unload() // which has runs that are still shown: they went with the device
		}
		var err error
		if v.run != nil {
			err = l.attend(ctx, v)
		} else {
			err = l.forward(ctx, v, text)
		}
		if errors.Is(err, vk.ErrDeviceLost) && l.lost(l.device) {
			err = nil
		}
		if err != nil && ctx.Err() == nil {
			l.explorer.Post(func() { l.explorer.Fail(err) })
		}
		cancel()
	}
}

// unload gives the model and the device back, once no source computes.
func (l *live) unload() (err error) {
	l.inUse.Lock()
	defer l.inUse.Unlock()
	if l.model != nil {
		err = l.model.Close()
		l.model, l.loaded = nil, nil
	}
	if l.pool != nil {
		err = errors.Join(err, l.pool.Close())
	}
	l.pool, l.pooled = nil, false
	if l.engine != nil {
		err = errors.Join(err, l.engine.Close())
		l.engine = nil
	}
	return err
}

// open opens the device, unless it is open.
func (l *live) open(ctx context.Context) (err error) {
	if l.engine == nil {
		if l.engine, err = engine.Open(l.name, l.options); err != nil {
			return err
		}
	}
	if l.pooled || l.newPool == nil {
		return nil
	}
	if l.pool, err = l.newPool(ctx, l.engine); err != nil {
		return err
	}
	l.pooled = true
	l.shared.Store(nil)
	l.spilled.Store(false)
	if l.pool != nil {
		adapter := l.engine.Adapter()
		l.shared.Store(&adapter)
	}
	return nil
}

// load brings the model of v to the device, unless it is there.
func (l *live) load(ctx context.Context, v *variant) (err error) {
	if err := l.open(ctx); err != nil {
		return err
	}
	if l.loaded == v.checkpoint && l.model.Precision == v.precision {
		return nil
	}
	if l.model != nil {
		l.model.Close()
		l.model, l.loaded = nil, nil
	}
	if l.model, err = modernbert.Load(ctx, l.engine, v.checkpoint, v.precision); err != nil {
		return err
	}
	l.loaded = v.checkpoint
	return nil
}

// newSource returns what will compute a run, once it has a capture.
func (l *live) newSource(run *explore.Run) *source {
	device := l.device
	s := &source{run: run, inUse: &l.inUse, pool: l.pool, spilled: &l.spilled}
	s.lost = func() bool {
		again := l.lost(device)
		if again {
			s.abandoned.Store(true)
			l.explorer.Post(func() { l.explorer.Abandon(run) })
		}
		return again
	}
	run.Source = s
	return s
}

// progress returns what passes on how much is done, but for its end.
func (l *live) progress() func(done float64) {
	var reported time.Time
	return func(done float64) {
		if time.Since(reported) > 50*time.Millisecond {
			reported = time.Now()
			l.explorer.Post(func() { l.explorer.Progress(min(done, 0.999)) })
		}
	}
}

// forward runs the model and posts the run, its layers as they are complete.
func (l *live) forward(ctx context.Context, v *variant, text string) error {
	limit, by := load.Limit(v.checkpoint, v.tokenizer)
	encoding, err := v.tokenizer.Encode(text, tokenizer.Options{MaxLength: limit})
	if err != nil {
		return err
	}
	if len(encoding.IDs) == 0 {
		return errors.New("the text has no tokens, and the tokenizer adds none")
	}
	if err := l.load(ctx, v); err != nil {
		return err
	}
	if most := modernbert.MaxTokens(l.engine.Traits(), l.model.Config); len(encoding.IDs) > most {
		return fmt.Errorf("the text has %d tokens; %s takes %d of this model", len(encoding.IDs), l.engine.Traits().Device, most)
	}
	want := modernbert.Want{}
	if v.replaced {
		want.Attention = v.attention
	}
	run := &explore.Run{Name: v.name, Text: text, Heads: v.checkpoint.Config.Heads, Device: l.engine.Traits().Device,
		Command: append([]string{"--model", v.path, "--text", text}, l.command...)}
	if v.replaced {
		run.Command = nil // gaze map has no variants
	}
	for layer := range v.checkpoint.Config.Layers {
		want.Capture = append(want.Capture, layer)
		run.Layers = append(run.Layers, v.attention[layer].Visible())
	}
	run.Tokens = load.Tokens(load.TokenLabels(v.tokenizer, encoding.IDs), encoding)
	e, s := l.explorer, l.newSource(run)
	watch := modernbert.Watch{
		Progress: l.progress(),
		Layer: func(layer int, c *modernbert.Capture) {
			if layer == 0 {
				s.capture = c
				e.Post(func() { e.Open(run) })
			}
			e.Post(func() { e.Complete(run, layer+1) })
		},
	}
	_, err = l.model.Forward(ctx, [][]uint32{encoding.IDs}, want, watch)
	if err != nil {
		s.abandoned.Store(true)
		if s.capture != nil {
			e.Post(func() { e.Abandon(run) })
		}
		return err
	}
	e.Post(func() {
		e.Progress(1)
		if cut := encoding.Truncated; cut > 0 {
			e.Warn(fmt.Sprintf("%d of the text's %d tokens are cut off: %s is %d", cut, cut+len(run.Tokens), by, limit))
		}
	})
	return nil
}
