package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/vk"
)

// A smallDevice has memory for a number of tokens.
type smallDevice struct {
	tokens int
	tried  []string // the lengths of each batch
}

func (d *smallDevice) Forward(_ context.Context, batch [][]uint32, _ modernbert.Want, progress func(float64)) (*modernbert.Output, error) {
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
	progress(1)
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
