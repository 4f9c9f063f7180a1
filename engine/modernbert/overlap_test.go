package modernbert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/vk"
)

// Forward passes of several goroutines over batches of many lengths, some of which
// are cancelled or captured, give what each gives alone, whatever buffers and
// recordings they find.
func TestForwardsOverlap(t *testing.T) {
	m, _ := loaded(t, "v4 flat")
	want := Want{Hidden: true, HiddenStates: true, Pool: []engine.PoolMode{engine.PoolMean}, Logits: true}
	lengths := [][]int{{3}, {70, 1}, {1, 70}, {131}, {40, 40}, {5, 5, 5}}
	for n := range keptWorks {
		lengths = append(lengths, []int{20 + n})
	}
	var alone []*Output
	for _, l := range lengths {
		alone = append(alone, mustForward(t, m, tokens(l...), want))
	}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			for round := range 3 * len(lengths) {
				i := (round*(2*worker+1) + round/9) % len(lengths)
				if round%3 == 0 {
					i %= 6 // some return soon
				}
				w := want
				if round%5 == worker {
					w.Capture = []int{1}
				}
				ctx, cancel := context.WithCancel(context.Background())
				watch := Watch{}
				if round%7 == worker {
					watch.Progress = func(float64) { cancel() }
				}
				out, err := m.Forward(ctx, tokens(lengths[i]...), w, watch)
				cancel()
				if err != nil {
					if watch.Progress == nil || !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
					continue
				}
				what := fmt.Sprintf("worker %d, round %d, lengths %v: ", worker, round, lengths[i])
				near(t, what+"hidden", out.Hidden, alone[i].Hidden, 0)
				near(t, what+"states", slices.Concat(out.HiddenStates...), slices.Concat(alone[i].HiddenStates...), 0)
				near(t, what+"pooled", out.Pooled, alone[i].Pooled, 0)
				near(t, what+"logits", out.Logits, alone[i].Logits, 0)
				if w.Capture != nil {
					if _, err := out.Capture.Statistics(context.Background(), 1); err != nil {
						t.Error(err)
					}
					out.Capture.Close()
				}
			}
		}()
	}
	group.Wait()
	if len(m.works) > keptWorks {
		t.Errorf("%d programs are kept", len(m.works))
	}
}

// The same where every batch is larger than all before, so that buffers are made anew
// beside forward passes that use theirs.
func TestForwardsGrow(t *testing.T) {
	m, _ := loaded(t, "v4 flat")
	want := Want{Hidden: true}
	var group sync.WaitGroup
	outputs := make([]*Output, 24)
	for worker := range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := worker; i < len(outputs); i += 4 {
				var err error
				if outputs[i], err = m.Forward(context.Background(), tokens(3*i+1), want, Watch{}); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
	for i, out := range outputs {
		if out != nil {
			near(t, fmt.Sprintf("%d tokens", 3*i+1), out.Hidden, mustForward(t, m, tokens(3*i+1), want).Hidden, 0)
		}
	}
}

// A forward pass starts when all of the one before has been submitted, and does not
// wait for its end.
func TestForwardStartsEarly(t *testing.T) {
	m, _ := loaded(t, "v4 flat")
	want := Want{Hidden: true}
	for range 3 { // the device's pace is learned, and both have their buffers
		mustForward(t, m, tokens(70), want)
	}
	first := true
	second := make(chan error, 1)
	_, err := m.Forward(context.Background(), tokens(70), want, Watch{Progress: func(done float64) {
		if !first || done < 1 {
			return
		}
		first = false
		// The first has not returned, so its outputs are still where they were: a second
		// that waited for it would wait forever.
		go func() {
			_, err := m.Forward(context.Background(), tokens(70), want, Watch{})
			second <- err
		}()
		if err := <-second; err != nil {
			t.Error(err)
		}
	}})
	if err != nil || first {
		t.Error(err, first)
	}
}

// A cancelled context ends the wait for a turn.
func TestForwardCancelledInLine(t *testing.T) {
	m, _ := loaded(t, "v4 flat")
	inside, leave := make(chan struct{}), make(chan struct{})
	ended := make(chan error)
	go func() {
		once := sync.OnceFunc(func() { close(inside); <-leave })
		out, err := m.Forward(context.Background(), tokens(70), Want{Capture: []int{0}}, Watch{Layer: func(int, *Capture) { once() }})
		if err == nil {
			err = out.Capture.Close()
		}
		ended <- err
	}()
	<-inside
	for range atOnce { // one waits for the turn to submit; beside two under way the next would wait at the door
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := m.Forward(ctx, tokens(70), Want{Hidden: true}, Watch{}); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
	close(leave)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A batch that needs larger buffers than there were does not disturb what was
// recorded of others.
func TestLargerBatchBetween(t *testing.T) {
	m, _ := loaded(t, "v4 flat")
	want := Want{Hidden: true}
	before := mustForward(t, m, tokens(3, 2), want).Hidden
	in := func(number, length int) { // a batch in one of the two exchanges
		t.Helper()
		for range number { // as if another forward pass was under way in the first
			x, err := m.take(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			defer m.give(x)
		}
		mustForward(t, m, tokens(length), want)
		near(t, "hidden", mustForward(t, m, tokens(3, 2), want).Hidden, before, 0)
	}
	in(0, 1)
	in(1, 1)
	for length := 6; length < 200; length *= 2 {
		in(1, length) // what is shared grows, and what the second exchanges
		in(0, 1)
		in(0, length) // what the first exchanges
		in(1, 1)
	}
}

// What programs leave behind is given back where memory is short.
func TestWorksAreDropped(t *testing.T) {
	m, _ := loaded(t, "v4 flat")
	for n := range keptWorks + 3 {
		mustForward(t, m, tokens(n+1), Want{Hidden: true})
	}
	if first := m.works[0].program.Lengths[0]; len(m.works) != keptWorks || first != 4 {
		t.Errorf("%d programs are kept, the oldest of %d tokens", len(m.works), first)
	}
	mustForward(t, m, tokens(4), Want{Hidden: true}) // the oldest is the youngest now
	mustForward(t, m, tokens(100), Want{Hidden: true})
	if first := m.works[0].program.Lengths[0]; len(m.works) != keptWorks || first != 6 {
		t.Errorf("%d programs are kept, the oldest of %d tokens", len(m.works), first)
	}
	bytes := lastWork(m).inputs.Bytes()
	m.drop(keptWorks, bytes-1)
	if len(m.works) != 1 || lastWork(m).program.Lengths[0] != 100 {
		t.Errorf("%d programs are kept", len(m.works))
	}
}

// A device without memory for a batch gets back what others left, and the batch
// is tried again.
func TestForwardOnFullDevice(t *testing.T) {
	full := 0 // so many more buffers cannot be made
	e, err := engine.Open("auto", engine.Options{Vulkan: []vk.Option{vk.WithFaults(func(call string) error {
		if call == "vkCreateBuffer" && full > 0 {
			full--
			return vk.ErrOutOfMemory
		}
		return nil
	})}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Load(context.Background(), e, caseNamed(t, "v4 flat").Open(t), engine.F32)
	if err != nil {
		t.Fatal(err)
	}
	want := Want{Hidden: true}
	small := mustForward(t, m, tokens(9), want).Hidden
	x, err := m.take(context.Background()) // the second exchange too
	if err != nil {
		t.Fatal(err)
	}
	mustForward(t, m, tokens(9), want)
	m.give(x)
	full = 1
	mustForward(t, m, tokens(70), want)
	if len(m.works) != 1 || m.exchanges[1].buffers != nil || full != 0 {
		t.Errorf("%d programs are kept, the idle exchange has %v", len(m.works), m.exchanges[1].specs)
	}
	near(t, "hidden", mustForward(t, m, tokens(9), want).Hidden, small, 0)
	full = 2
	if _, err := m.Forward(context.Background(), tokens(131), want, Watch{}); !errors.Is(err, vk.ErrOutOfMemory) {
		t.Errorf("error %v", err)
	}
	near(t, "hidden", mustForward(t, m, tokens(9), want).Hidden, small, 0)
	if err := errors.Join(m.Close(), e.Close()); err != nil {
		t.Error(err)
	}
}
