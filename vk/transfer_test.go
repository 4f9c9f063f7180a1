package vk

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Data of every size arrives and comes back, through a mapping and through
// staging, and touches no byte outside its slice.
func TestUploadDownload(t *testing.T) {
	// What the CPU sees through a cache of its own, too, is mapped and flushed.
	cachesApart := func(o *options) {
		o.memoryTypes = func(types []memoryType) []memoryType {
			truth := types[slices.IndexFunc(types, func(t memoryType) bool { return t.has(visible | coherent) })]
			truth.flags = local | visible | cached
			return []memoryType{truth}
		}
	}
	for name, opts := range map[string][]Option{"as it is": nil, "discrete": {discreteGPU}, "caches apart": {cachesApart}} {
		t.Run(name, func(t *testing.T) {
			d := openDevice(t, opts...)
			ctx := context.Background()
			random := rand.NewChaCha8([32]byte{7})
			for _, c := range []struct{ offset, size int64 }{
				{0, 1}, {3, 2}, {1, 7}, {16, 64}, {5, 4097}, {4096, 1 << 20},
				{0, stagingSize - 1}, {0, stagingSize}, {1, stagingSize + 1}, {64, 3*stagingSize + 5},
			} {
				const margin = 11
				b := newBuffer(t, d, "x", c.offset+c.size+margin)
				if (b.Whole().bytes() == nil) != (name == "discrete") {
					t.Fatalf("mapped: %v", b.Whole().bytes() != nil)
				}
				before := make([]byte, b.Size())
				random.Read(before)
				if err := d.Upload(ctx, b.Whole(), before); err != nil {
					t.Fatal(err)
				}
				sent := make([]byte, c.size)
				random.Read(sent)
				part := Slice{b, c.offset, c.size + margin/2}
				if err := d.Upload(ctx, part, sent); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, c.size)
				if err := d.Download(ctx, got, part); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, sent) {
					t.Errorf("%d bytes at %d came back changed", c.size, c.offset)
				}
				copy(before[c.offset:], sent)
				whole := make([]byte, b.Size())
				if err := d.Download(ctx, whole, b.Whole()); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(whole, before) {
					t.Errorf("%d bytes at %d changed others", c.size, c.offset)
				}
				b.Close()
			}
		})
	}
}

func TestTransferErrors(t *testing.T) {
	d, other := openDevice(t), openDevice(t)
	b, closed := newBuffer(t, d, "x", 10), newBuffer(t, d, "old", 10)
	closed.Close()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		ctx    context.Context
		device *Device
		slice  Slice
		size   int
		reason error
		text   string
	}{
		{context.Background(), d, b.Whole(), 11, nil, "vk: buffer x: 11 bytes are to be moved, the slice has 10"},
		{context.Background(), d, Slice{b, 4, 7}, 2, nil, "vk: buffer x has 10 bytes: no slice of 7 from 4 on"},
		{context.Background(), d, Slice{b, -1, 4}, 2, nil, "no slice of 4 from -1 on"},
		{context.Background(), d, Slice{b, 1, 1<<63 - 1}, 2, nil, "no slice of"},
		{context.Background(), d, Slice{}, 2, nil, "a slice of no buffer"},
		{context.Background(), d, closed.Whole(), 2, ErrClosed, "vk: buffer old: already closed"},
		{context.Background(), other, b.Whole(), 2, nil, "vk: buffer x is another device's"},
		{ended, d, b.Whole(), 2, context.Canceled, ""},
		{ended, d, b.Whole(), 0, context.Canceled, ""},
	} {
		wantError(t, c.device.Upload(c.ctx, c.slice, make([]byte, c.size)), c.reason, c.text)
		wantError(t, c.device.Download(c.ctx, make([]byte, c.size), c.slice), c.reason, c.text)
	}
}

// A transfer that has to wait for the queue gives up with its context; the next
// one works, and the buffers of the first may be freed.
func TestCancelledTransfer(t *testing.T) {
	d := openDevice(t, discreteGPU)
	b := newBuffer(t, d, "x", 1<<20)
	upload(t, d, b.Whole(), 1, 2, 3)
	long, _, _ := longWork(t, d)
	if err := long.Submit(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := d.Download(ctx, make([]byte, 1<<20), b.Whole()); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if !long.flying {
		t.Error("the work ended too early to tell")
	}
	b.Close()
	c := newBuffer(t, d, "y", 12)
	upload(t, d, c.Whole(), 4, 5, 6)
	if got := download(t, d, c.Whole()); got[0] != 4 || got[2] != 6 {
		t.Errorf("got %v", got)
	}
}
