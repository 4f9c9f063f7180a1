package modernbert

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/modernbert/testdata/golden"
	"github.com/gazevk/gaze/vk"
)

// whole returns a view of all pairs of a layer of n tokens and two heads.
func whole(layer, n int) View {
	all := gaze.Span{End: n}
	return View{Layer: layer, Heads: gaze.Span{End: 2}, Rectangle: gaze.Rectangle{Queries: all, Keys: all}, Cell: gaze.Square(4)}
}

// What is seen of a layer as soon as it is announced, by whoever hears of it and by
// others meanwhile, is what is seen of it afterwards; the pass gives what it always
// gives.
func TestLayersAsTheyComplete(t *testing.T) {
	m, _ := loaded(t, "v4 flat")
	batch := tokens(70, 131)
	want := Want{Hidden: true, Capture: []int{3, 0, 2}}
	plain := mustForward(t, m, batch, want)
	defer plain.Capture.Close()
	var heard []int
	var others sync.WaitGroup
	early := make([][][]float32, m.Config.Layers) // pictures by layer
	var guard sync.Mutex
	look := func(layer int, c *Capture) {
		cells, _, err := c.Heatmap(context.Background(), whole(layer, 201))
		if err != nil {
			t.Error(err)
		}
		guard.Lock()
		defer guard.Unlock()
		early[layer] = append(early[layer], cells)
	}
	progress := 0.0
	out, err := m.Forward(context.Background(), batch, want, Watch{
		Progress: func(done float64) {
			if done < progress {
				t.Errorf("%v done after %v", done, progress)
			}
			progress = done
		},
		Layer: func(layer int, c *Capture) {
			heard = append(heard, layer)
			look(layer, c)
			others.Add(1)
			go func() {
				defer others.Done()
				for range 3 {
					look(layer, c)
				}
			}()
			for _, later := range want.Capture {
				if _, err := c.Statistics(context.Background(), later); (err != nil) != (later > layer) || err != nil && !strings.Contains(err.Error(), "is not there yet") {
					t.Errorf("statistics of layer %d after layer %d: %v", later, layer, err)
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	others.Wait()
	if !slices.Equal(heard, []int{0, 2, 3}) || progress != 1 {
		t.Errorf("heard of layers %v, and of %v done", heard, progress)
	}
	near(t, "hidden", out.Hidden, plain.Hidden, 0)
	for _, layer := range want.Capture {
		after, _, err := out.Capture.Heatmap(context.Background(), whole(layer, 201))
		if err != nil || len(early[layer]) != 4 {
			t.Fatal(len(early[layer]), err)
		}
		for _, cells := range early[layer] {
			near(t, "cells seen early", cells, after, 0)
		}
		alone, _, _ := plain.Capture.Heatmap(context.Background(), whole(layer, 201))
		near(t, "cells", after, alone, 0)
	}
	out.Capture.Close()
}

// A pass that is cancelled between layers ends there, its capture is closed, and the
// model still runs.
func TestCancelledBetweenLayers(t *testing.T) {
	m, _ := loaded(t, "v4 flat")
	ctx, cancel := context.WithCancel(context.Background())
	var kept *Capture
	out, err := m.Forward(ctx, tokens(70), Want{Capture: []int{0, 1, 2}}, Watch{Layer: func(layer int, c *Capture) {
		if kept = c; layer == 1 {
			cancel()
		}
		if layer == 2 {
			t.Error("it went on")
		}
	}})
	if out != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, error %v", out, err)
	}
	if _, err := kept.Statistics(context.Background(), 0); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("the error is %v", err)
	}
	mustForward(t, m, tokens(70), Want{Hidden: true})
}

// Whoever hears of a capture may close it while the pass goes on, and while somebody
// looks at it: its memory lasts as long as anybody uses it.
func TestCaptureClosedEarly(t *testing.T) {
	m, _ := loaded(t, "v4 flat")
	batch := tokens(70, 131)
	plain := mustForward(t, m, batch, Want{Hidden: true})
	var others sync.WaitGroup
	out, err := m.Forward(context.Background(), batch, Want{Hidden: true, Capture: []int{0, 3}}, Watch{Layer: func(layer int, c *Capture) {
		if layer > 0 {
			return
		}
		for range 4 {
			others.Add(1)
			go func() {
				defer others.Done()
				if _, err := c.Statistics(context.Background(), 0); err != nil && !strings.Contains(err.Error(), "closed") {
					t.Error(err)
				}
				c.Close()
			}()
		}
	}})
	others.Wait()
	if err != nil {
		t.Fatal(err)
	}
	near(t, "hidden", out.Hidden, plain.Hidden, 0)
	if _, err := out.Capture.Statistics(context.Background(), 3); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("the error is %v", err)
	}
	if err := out.Capture.buffers.Download(context.Background(), make([]byte, 4), "key of layer 0", 0); err == nil || !strings.Contains(err.Error(), "no buffer") {
		t.Errorf("its memory was not freed: %v", err)
	}
}

// An engine that is closed between layers ends the pass with an error.
func TestEngineClosedBetweenLayers(t *testing.T) {
	e, err := engine.Open("auto", engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Load(context.Background(), e, caseNamed(t, "v4 flat").Open(t), engine.F32)
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Forward(context.Background(), golden.Batch(gaze.Lengths{70}, 101), Want{Capture: []int{0, 1}}, Watch{Layer: func(layer int, c *Capture) {
		if layer == 0 {
			e.Close()
		}
	}})
	if !errors.Is(err, vk.ErrClosed) {
		t.Errorf("the error is %v", err)
	}
	if err := errors.Join(m.Close(), e.Close()); err != nil {
		t.Error(err)
	}
}
