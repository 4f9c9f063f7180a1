package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/vk"
)

// A smallDevice has memory for a number of tokens.
type smallDevice struct {
	tokens int
	tried  []string // the lengths of each batch
}

func (d *smallDevice) Forward(_ context.Context, batch [][]uint32, _ modernbert.Want, watch modernbert.Watch) (*modernbert.Output, error) {
	total := 0
	var lengths []int
	for _, ids := range batch {
		total += len(ids)
		lengths = append(lengths, len(ids))
	}
	d.tried = append(d.tried, fmt.Sprint(lengths))
	if total > d.tokens {
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
		// Halved until it fits, and no larger afterwards.
		{"little memory", 20, 100, 0, "[20 9 9 3 2 1] [20] [9 9 3] [9] [9] [3 2 1]"},
	} {
		device := &smallDevice{tokens: c.memory}
		seen := map[int]int{}
		b := &batcher{sequences: sequences, rowLimit: c.rowLimit}
		err := b.run(t.Context(), c.limit, device, func([]int) modernbert.Want { return modernbert.Want{} }, func(batch []int, _ *modernbert.Output) {
			for _, s := range batch {
				seen[s]++
			}
		})
		if got := strings.Join(device.tried, " "); err != nil || got != c.want {
			t.Errorf("%s: %s, %v: expected %s", c.name, got, err, c.want)
		}
		if !reflect.DeepEqual(seen, map[int]int{0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1}) {
			t.Errorf("%s: sequences are seen %v times", c.name, seen)
		}
	}
	b := &batcher{sequences: sequences}
	err := b.run(t.Context(), 100, &smallDevice{tokens: 19}, func([]int) modernbert.Want { return modernbert.Want{} }, nil)
	if !errors.Is(err, vk.ErrOutOfMemory) || !strings.Contains(err.Error(), "a text of 20 tokens does not fit") {
		t.Errorf("the error is %v", err)
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
	full = 2
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
	err = (&batcher{sequences: sequences[1:2]}).run(t.Context(), 100, m, want, nil)
	if !errors.Is(err, vk.ErrOutOfMemory) || !strings.Contains(err.Error(), "a text of 6 tokens does not fit in the device's memory") {
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
