package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/vk"
)

// A smallDevice has memory for a number of tokens.
type smallDevice struct {
	memory int

	lock   sync.Mutex
	tokens int // of what is under way
}

func (d *smallDevice) Forward(_ context.Context, batch [][]uint32, _ modernbert.Want, watch modernbert.Watch) (*modernbert.Output, error) {
	total := 0
	for _, ids := range batch {
		total += len(ids)
	}
	d.lock.Lock()
	d.tokens += total
	full := d.tokens > d.memory
	d.lock.Unlock()
	defer func() {
		d.lock.Lock()
		defer d.lock.Unlock()
		d.tokens -= total
	}()
	if full {
		return nil, fmt.Errorf("a buffer: %w", vk.ErrOutOfMemory)
	}
	watch.Progress(1)
	return &modernbert.Output{}, nil
}

func TestBatches(t *testing.T) {
	var sequences []sequence
	for i, length := range []int{3, 9, 1, 20, 9, 2} {
		sequences = append(sequences, sequence{text: i, ids: make([]uint32, length), rows: make([]int, 1+i%2)})
	}
	for _, c := range []struct {
		name                    string
		memory, limit, rowLimit int
		want                    string
	}{
		{"by tokens", 100, 12, 0, "[20] [9] [9 3] [2 1]"},
		{"all in one", 100, 100, 0, "[20 9 9 3 2 1]"},
		{"by rows", 100, 100, 3, "[20] [9 9] [3 2] [1]"},
		{"one row a batch", 100, 100, 1, "[20] [9] [9] [3] [2] [1]"},
	} {
		seen := map[int]int{}
		tried := ""
		b := &batcher{sequences: sequences, rowLimit: c.rowLimit}
		want := func(batch []int) modernbert.Want { tried += lengthsOf(sequences, batch); return modernbert.Want{} }
		err := b.run(t.Context(), c.limit, &smallDevice{memory: c.memory}, want, func(batch []int, _ *modernbert.Output) {
			for _, s := range batch {
				seen[s]++
			}
		})
		if got := strings.TrimSpace(tried); err != nil || got != c.want {
			t.Errorf("%s: %s, %v: expected %s", c.name, got, err, c.want)
		}
		if !reflect.DeepEqual(seen, map[int]int{0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1}) || b.done != 44 {
			t.Errorf("%s: sequences are seen %v times, %d tokens", c.name, seen, b.done)
		}
	}
}

func lengthsOf(sequences []sequence, batch []int) string {
	var lengths []int
	for _, s := range batch {
		lengths = append(lengths, len(sequences[s].ids))
	}
	return fmt.Sprint(lengths, " ")
}

// What does not fit in the device's memory is halved, but not for what another
// batch beside it takes.
func TestBatchesInLittleMemory(t *testing.T) {
	var sequences []sequence
	for i, length := range []int{3, 9, 1, 20, 9, 2, 9, 8, 8} {
		sequences = append(sequences, sequence{text: i, ids: make([]uint32, length)})
	}
	for memory := 20; memory < 100; memory++ {
		for limit := 1; limit < 100; limit += 7 {
			seen := make([]int, len(sequences))
			b := &batcher{sequences: sequences}
			err := b.run(t.Context(), limit, &smallDevice{memory: memory}, func([]int) modernbert.Want { return modernbert.Want{} },
				func(batch []int, _ *modernbert.Output) {
					for _, s := range batch {
						seen[s]++
					}
				})
			if err != nil || slices.Min(seen) != 1 || slices.Max(seen) != 1 {
				t.Errorf("memory %d, limit %d: sequences are seen %v times, error %v", memory, limit, seen, err)
			}
		}
	}
	b := &batcher{sequences: sequences}
	err := b.run(t.Context(), 100, &smallDevice{memory: 19}, func([]int) modernbert.Want { return modernbert.Want{} }, nil)
	if !errors.Is(err, vk.ErrOutOfMemory) || !strings.Contains(err.Error(), "a text of 20 tokens does not fit") {
		t.Errorf("the error is %v", err)
	}
}

// A pairDevice ends the first forward pass at once, and each later one when another
// is under way beside it.
type pairDevice struct {
	first sync.Once
	meet  chan struct{}
	full  bool        // it has no memory for two
	alone atomic.Bool // which was seen
}

func (d *pairDevice) Forward(context.Context, [][]uint32, modernbert.Want, modernbert.Watch) (*modernbert.Output, error) {
	first := false
	d.first.Do(func() { first = true })
	if first {
		return &modernbert.Output{}, nil
	}
	if d.alone.Load() {
		return &modernbert.Output{}, nil
	}
	select {
	case d.meet <- struct{}{}:
	case <-d.meet:
		if d.alone.Store(d.full); d.full {
			return nil, vk.ErrOutOfMemory
		}
	case <-time.After(10 * time.Second):
		return nil, errors.New("it was alone")
	}
	return &modernbert.Output{}, nil
}

// Two batches are under way at a time.
func TestBatchesOverlap(t *testing.T) {
	sequences := make([]sequence, 9)
	for i := range sequences {
		sequences[i].ids = make([]uint32, 5)
	}
	want := func([]int) modernbert.Want { return modernbert.Want{} }
	for _, full := range []bool{false, true} { // if it is, batches are as large, one at a time
		taken := 0
		b := &batcher{sequences: sequences}
		err := b.run(t.Context(), 15, &pairDevice{meet: make(chan struct{}), full: full}, want, func([]int, *modernbert.Output) { taken++ })
		if err != nil || taken != 3 || len(b.under) > 0 {
			t.Errorf("%d batches of 3, %d under way, error %v", taken, len(b.under), err)
		}
	}
}

// A device that is full for a while: the model's batches are halved until they
// fit, nothing of what failed is left, and every result is right.
func TestBatchesOnFullDevice(t *testing.T) {
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
	directory := tinyModel(t, "ModernBertModel", nil)
	c, err := checkpoint.OpenModel(directory)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m, err := modernbert.Load(t.Context(), e, c, engine.F32)
	if err != nil {
		t.Fatal(err)
	}
	oracle := newOracle(t, directory)
	var sequences []sequence
	for i, length := range []int{5, 6, 5, 4, 4, 1} {
		ids := make([]uint32, length)
		for j := range ids {
			ids[j] = uint32(17*i + j)
		}
		sequences = append(sequences, sequence{text: i, ids: ids})
	}
	var lengths []string
	seen := 0
	full = 4 // two buffers, each tried again after all else was given back
	want := func([]int) modernbert.Want { return modernbert.Want{Hidden: true} }
	err = (&batcher{sequences: sequences}).run(t.Context(), 100, m, want, func(batch []int, out *modernbert.Output) {
		lengths = append(lengths, fmt.Sprint(out.Lengths))
		for _, s := range batch {
			count := 64 * len(sequences[s].ids)
			agreeAll(t, fmt.Sprintf("sequence %d", s), out.Hidden[:count], oracle.Forward([][]uint32{sequences[s].ids}).Last)
			out.Hidden = out.Hidden[count:]
			seen++
		}
	})
	if got := strings.Join(lengths, " "); err != nil || seen != 6 || full != 0 || got != "[6] [5] [5] [4] [4 1]" {
		t.Errorf("batches %s with %d sequences, %v", got, seen, err)
	}
	full = math.MaxInt
	longer := []sequence{{ids: make([]uint32, 7)}} // what the others left behind is too small for it
	err = (&batcher{sequences: longer}).run(t.Context(), 100, m, want, nil)
	if !errors.Is(err, vk.ErrOutOfMemory) || !strings.Contains(err.Error(), "a text of 7 tokens does not fit in the device's memory") {
		t.Errorf("the error is %v", err)
	}
	if err := errors.Join(m.Close(), e.Close()); err != nil { // the engine reports what is left
		t.Error(err)
	}
}

func TestReadLines(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"", nil}, {"a", []string{"a"}}, {"a\n", []string{"a"}}, {"a\r\nb", []string{"a", "b"}}, {"\n\na\n", []string{"", "", "a"}}, {"a\rb\n", []string{"a\rb"}},
	} {
		if got, err := readLines(strings.NewReader(c.in)); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %q, %v: expected %q", c.in, got, err, c.want)
		}
	}
}
