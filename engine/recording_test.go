package engine

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/vk"
)

// calls counts the Vulkan calls of each name.
type calls struct {
	lock  sync.Mutex
	count map[string]int
}

func (c *calls) note(call string) error {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.count == nil {
		c.count = map[string]int{}
	}
	name, _, _ := strings.Cut(call, " ")
	c.count[name]++
	return nil
}

// since returns what has been called since the last time.
func (c *calls) since() map[string]int {
	c.lock.Lock()
	defer c.lock.Unlock()
	defer clear(c.count)
	return maps.Clone(c.count)
}

// prepared is a layer of attention that was prepared, and what it takes to run it.
type prepared struct {
	*Prepared
	t       *testing.T
	plan    *Plan
	in      Input
	buffers *Buffers
}

func prepare(t *testing.T, e *Engine, tokens int) *prepared {
	t.Helper()
	a := layer(2, gaze.SlidingWindow{Left: 30, Right: 30})
	p := &prepared{t: t, plan: mustPlan(t, e.Traits(), Request{Attention: a, Lengths: gaze.Lengths{tokens}})}
	var err error
	if p.buffers, err = e.NewBuffers(p.plan.Buffers); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.buffers.Close() })
	if p.Prepared, err = e.Prepare(p.plan.Steps, p.buffers); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Prepared.Close() })
	p.input(1)
	return p
}

// input uploads other numbers.
func (p *prepared) input(seed uint64) {
	p.t.Helper()
	a := p.plan.Attention
	p.in = randomInput(seed, a, p.plan.Lengths)
	cos, sin := a.RoPE.Table(a.HeadDim, p.plan.Lengths.Longest())
	data := map[string][]byte{bufMap: Words(p.plan.Map), bufCosine: Bytes(cos), bufSine: Bytes(sin), bufPositions: Bytes(p.plan.Lengths.Positions())}
	for name, whole := range data {
		if err := p.buffers.Upload(context.Background(), name, 0, whole); err != nil {
			p.t.Fatal(err)
		}
	}
	for _, tensor := range p.in.tensors() {
		perHead := len(tensor.data) / a.Heads
		stride := p.plan.whole(tensor.name).Size / int64(a.Heads)
		for h := range a.Heads {
			if err := p.buffers.Upload(context.Background(), tensor.name, int64(h)*stride, Bytes(tensor.data[h*perHead:][:perHead])); err != nil {
				p.t.Fatal(err)
			}
		}
	}
}

// run runs it and holds that the output is what the engine gives without a recording.
func (p *prepared) run(watch Watch) *Timing {
	p.t.Helper()
	nothing := make([]byte, p.plan.whole(bufOutput).Size) // of what was there before
	if err := p.buffers.Upload(context.Background(), bufOutput, 0, nothing); err != nil {
		p.t.Fatal(err)
	}
	timing, err := p.Run(context.Background(), watch)
	if err != nil {
		p.t.Fatal(err)
	}
	a, n := p.plan.Attention, p.plan.Lengths.Tokens()
	stride := p.plan.whole(bufOutput).Size / int64(a.Heads)
	output := make([]float32, a.Heads*n*a.HeadDim)
	for h := range a.Heads {
		if err := p.buffers.Download(context.Background(), Bytes(output[h*n*a.HeadDim:][:n*a.HeadDim]), bufOutput, int64(h)*stride); err != nil {
			p.t.Fatal(err)
		}
	}
	if want := run(p.t, p.engine, p.plan, p.in).Output; !slices.Equal(output, want) {
		p.t.Error("another output than without a recording")
	}
	return timing
}

// TestRecordedOnce holds that what runs again is submitted again: nothing is
// recorded, allocated or bound, and what the buffers then hold counts.
func TestRecordedOnce(t *testing.T) {
	var c calls
	e := open(t, vk.WithFaults(c.note))
	p := prepare(t, e, 200)
	for range 3 { // the engine learns how quick the device is
		p.run(Watch{})
	}
	for seed := range uint64(5) {
		p.input(seed)
		c.since()
		if _, err := p.Run(context.Background(), Watch{}); err != nil {
			t.Fatal(err)
		}
		got := c.since()
		for name := range got {
			if !slices.Contains([]string{"vkResetFences", "vkQueueSubmit", "vkWaitForFences", "vkGetQueryPoolResults"}, name) {
				t.Errorf("%d calls of %s in a run that was recorded", got[name], name)
			}
		}
		if got["vkQueueSubmit"] != 1 {
			t.Errorf("%d submits", got["vkQueueSubmit"])
		}
		p.run(Watch{})
	}
}

// TestRecordedAnew holds that a recording is cut otherwise when the device's pace
// is another, and is kept when it is nearly the same.
func TestRecordedAnew(t *testing.T) {
	var c calls
	e := open(t, vk.WithFaults(c.note))
	p := prepare(t, e, 16)
	for range 3 {
		p.run(Watch{})
	}
	slower := func(by float64) func(float64) { // whatever is learned
		rates, first := maps.Clone(e.pace.rates), e.pace.first
		return func(float64) {
			e.pace.first = first / by
			clear(e.pace.rates)
			for kernel, rate := range rates {
				e.pace.rates[kernel] = rate / by
			}
		}
	}
	one := slower(1)
	for _, by := range []float64{1, 1.2, 0.9} {
		slow := slower(by)
		slow(0)
		c.since()
		p.Run(context.Background(), Watch{Progress: slow})
		if n := c.since()["vkBeginCommandBuffer"]; n > 0 {
			t.Errorf("a device %v times as slow had %d submits recorded", by, n)
		}
		one(0)
	}
	// So slow that each submit is a workgroup or two.
	most := slower(1e6)
	most(0)
	timing := p.run(Watch{Progress: most})
	if timing.Submits < 4 || p.kept < 4 {
		t.Errorf("%d submits, %d kept", timing.Submits, p.kept)
	}
	again := timing.Submits
	most(0)
	p.run(Watch{Progress: most})
	c.since()
	most(0)
	p.Run(context.Background(), Watch{Progress: most})
	if got := c.since(); got["vkBeginCommandBuffer"] > 0 || got["vkQueueSubmit"] != again {
		t.Errorf("%d submits were recorded, %d run, of %d", got["vkBeginCommandBuffer"], got["vkQueueSubmit"], again)
	}
	one(0)
	if timing = p.run(Watch{}); timing.Submits >= again || p.kept >= again {
		t.Errorf("%d submits on a quick device, %d kept", timing.Submits, p.kept)
	}
}

// TestFewAreKept holds that a run of many submits keeps some of them, and that
// those that are not kept run too.
func TestFewAreKept(t *testing.T) {
	e := open(t)
	p := prepare(t, e, 3000)
	slow := func(float64) { e.pace.rates, e.pace.first = map[string]float64{}, 1 }
	for seed := range uint64(3) {
		p.input(seed) // what a run leaves is no help to the next
		slow(0)
		if timing := p.run(Watch{Progress: slow}); timing.Submits <= keptSubmits || p.kept != keptSubmits {
			t.Errorf("%d submits, %d kept", timing.Submits, p.kept)
		}
	}
}

// TestTwoUnderWay holds that a submit has started when the one before it ends, and
// none beyond.
func TestTwoUnderWay(t *testing.T) {
	submits := 0
	e := open(t, vk.WithFaults(func(call string) error {
		if call == "vkQueueSubmit" {
			submits++
		}
		return nil
	}))
	p := prepare(t, e, 400)
	if _, err := p.Run(context.Background(), Watch{}); err != nil {
		t.Fatal(err)
	}
	slow := func(float64) { e.pace.rates, e.pace.first = map[string]float64{}, 1 }
	slow(0)
	var ahead []int
	submits = 0
	timing, err := p.Run(context.Background(), Watch{Progress: func(done float64) {
		slow(done)
		ahead = append(ahead, submits-len(ahead)-1)
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range ahead {
		if want := min(1, timing.Submits-1-i); n != want {
			t.Fatalf("when submit %d of %d ended, %d more had started, expected %d", i, timing.Submits, n, want)
		}
	}
}

// TestPreparedAfterErrors holds that a recording runs after a run of it was
// cancelled and after each of its calls failed, and says so when its buffers are gone.
func TestPreparedAfterErrors(t *testing.T) {
	s := &saboteur{number: -1}
	e := open(t, vk.WithFaults(s.fail))
	p := prepare(t, e, 400)
	slow := func(float64) { e.pace.rates, e.pace.first = map[string]float64{}, 1 }
	for range 2 {
		slow(0)
		ctx, cancel := context.WithCancel(context.Background())
		submits := 0
		_, err := p.Run(ctx, Watch{Progress: func(done float64) {
			slow(done)
			if submits++; submits == 3 {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		e.pace = newPace(e.traits)
		p.run(Watch{})
	}
	for number := 0; ; number++ {
		s.arm(number, vk.ErrOutOfMemory)
		_, err := p.Run(context.Background(), Watch{})
		hit := s.hit
		s.arm(-1, nil)
		if hit == "" {
			break
		}
		if !errors.Is(err, vk.ErrOutOfMemory) {
			t.Errorf("call %d, %s: error %v", number, hit, err)
		}
		p.run(Watch{})
	}
	p.buffers.Close()
	if _, err := p.Run(context.Background(), Watch{}); !errors.Is(err, vk.ErrClosed) {
		t.Errorf("error %v", err)
	}
}

// TestCloseWhileLanding holds that an engine is closed after what is under way has
// ended, also where nobody has its turn any longer.
func TestCloseWhileLanding(t *testing.T) {
	for range 5 {
		e, err := Open("auto", Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := prepare(t, e, 400)
		closed := make(chan error)
		_, err = e.ExecuteSteps(context.Background(), p.plan.Steps, Watch{Submitted: func() {
			if len(e.turn) > 0 {
				t.Error("nobody else can have a turn")
			}
			p.Prepared.Close()
			p.buffers.Close() // waits for the device
			go func() { closed <- e.Close() }()
			for len(e.turn) == 0 { // until it is at that
				runtime.Gosched()
			}
		}}, p.buffers)
		if err := errors.Join(err, <-closed); err != nil {
			t.Error(err)
		}
	}
}
