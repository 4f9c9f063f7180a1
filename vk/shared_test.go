package vk

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// sharing skips the test where d's device cannot share memory.
func sharing(t testing.TB, d *Device) {
	t.Helper()
	if !d.adapter.Features.SharedMemory {
		t.Skipf("%s shares no memory", d.adapter.Name)
	}
}

func newShared(t testing.TB, d *Device, label string, size int64) *Shared {
	t.Helper()
	s, err := d.NewShared(label, size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// descriptors returns how many files the process has open, where the system tells,
// beside those that the runtime opens for itself sooner or later.
func descriptors() (count int) {
	const directory = "/proc/self/fd/"
	list, _ := os.ReadDir(directory)
	for _, file := range list {
		if name, err := os.Readlink(directory + file.Name()); err == nil && !strings.HasPrefix(name, "anon_inode:[event") {
			count++
		}
	}
	return count
}

// Another device sees what kernels and transfers have written, and still does once
// the first has closed the memory and itself; in the end nothing is left of it.
func TestSharedMemory(t *testing.T) {
	one, other := openDevice(t), openDevice(t)
	sharing(t, one)
	if !one.Adapter().SharesMemory(other.Adapter()) {
		t.Fatal("a device does not share memory with itself")
	}
	files, used := descriptors(), other.heap.used
	for _, size := range []int64{4, 400, 4096, 3 << 20} {
		s, err := one.NewShared("cells", size)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Buffer().Size(); got != size {
			t.Errorf("a buffer of %d bytes has %d", size, got)
		}
		words := count(int(size / 4))
		upload(t, one, s.Buffer().Whole(), words...)
		here, err := other.importShared(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := download(t, other, here.Whole()); !slices.Equal(got, words) {
			t.Errorf("%d bytes: what was uploaded does not arrive", size)
		}
		from := newBuffer(t, one, "from", size)
		upload(t, one, from.Whole(), words...)
		r := newRecorder(t, one)
		step(r, newStep(t, one, 3), from.Whole(), s.Buffer().Whole(), 1, 1)
		run(t, finish(t, r))
		for i, x := range words {
			words[i] = apply(x, 3, 1, 1)
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		again, err := other.importShared(s)
		wantError(t, err, ErrClosed, "buffer cells (")
		again.Close()
		if got := download(t, other, here.Whole()); !slices.Equal(got, words) {
			t.Errorf("%d bytes: what a kernel wrote does not arrive", size)
		}
		here.Close()
	}
	other.staging.close() // not before: it, too, is memory of the device
	other.staging.up, other.staging.down = nil, nil
	if now := other.heap.used; now > used+blockSize {
		t.Errorf("%d bytes of memory became %d", used, now)
	}
	if now := descriptors(); now != files {
		t.Errorf("%d open files became %d", files, now)
	}
}

func TestSharedErrors(t *testing.T) {
	d := openDevice(t)
	sharing(t, d)
	for _, size := range []int64{0, -1} {
		_, err := d.NewShared("cells", size)
		wantError(t, err, nil, "vk: buffer cells: ")
	}
	_, err := d.NewShared("cells", d.adapter.Limits.StorageRange+4)
	wantError(t, err, ErrNotSupported, "vk: buffer cells: ")
	s := newShared(t, d, "cells", 400)
	s.Close()
	r := newRecorder(t, d)
	r.Fill(s.Buffer().Whole(), 0)
	_, err = r.Finish()
	wantError(t, err, ErrClosed, "vk: buffer cells: already closed")

	stranger := openDevice(t)
	stranger.adapter.raw.device_uuid[3] ^= 1
	_, err = stranger.importShared(newShared(t, d, "cells", 400))
	wantError(t, err, ErrNotSupported, "vk: buffer cells is in memory of ")
	if len(stranger.open) > 0 {
		t.Errorf("left %v", stranger.open)
	}
	failing := ""
	faulty := openDevice(t, WithFaults(func(call string) error {
		if call == failing {
			return ErrOutOfMemory
		}
		return nil
	}))
	s = newShared(t, d, "cells", 400)
	files := descriptors()
	for _, failing = range []string{"vkCreateBuffer", "vkAllocateMemory", "vkBindBufferMemory"} {
		_, err = faulty.importShared(s)
		wantError(t, err, ErrOutOfMemory, "buffer cells (400 bytes): vk: "+failing)
	}
	if now := descriptors(); now != files || len(faulty.open) > 0 || faulty.heap.used > 0 {
		t.Errorf("%d open files became %d; left %v, %d bytes", files, now, faulty.open, faulty.heap.used)
	}
	unable := openDevice(t)
	unable.adapter.Features.SharedMemory = false
	_, err = unable.NewShared("cells", 400)
	wantError(t, err, ErrNotSupported, "cannot share memory with another device: not supported")
}

func TestSharesMemory(t *testing.T) {
	able := Adapter{}
	able.Features.SharedMemory = true
	otherDevice, otherDriver, unable := able, able, able
	otherDevice.raw.device_uuid[15] = 1
	otherDriver.raw.driver_uuid[0] = 1
	unable.Features.SharedMemory = false
	for _, c := range []struct {
		a, with Adapter
		want    bool
	}{{able, able, true}, {able, otherDevice, false}, {able, otherDriver, false}, {able, unable, false}, {unable, able, false}} {
		if got := c.a.SharesMemory(c.with); got != c.want {
			t.Errorf("%+v with %+v: %v", c.a.raw, c.with.raw, got)
		}
	}
}

// Memory that another device does not find as it was written is found out.
func TestSharedCheck(t *testing.T) {
	d := openDevice(t)
	sharing(t, d)
	for _, size := range []int64{4, 400} {
		s := newShared(t, d, "cells", size)
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
		wrong := newShared(t, d, "cells", size)
		s.fd, wrong.fd = wrong.fd, s.fd
		wantError(t, s.Check(t.Context()), ErrNotSupported, "does not find there what this one wrote")
	}
	s := newShared(t, d, "cells", 4)
	s.Close()
	wantError(t, s.Check(t.Context()), ErrClosed, "buffer cells")
}
