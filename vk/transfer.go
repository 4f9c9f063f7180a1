package vk

import (
	"context"
	"fmt"
	"sync"
)

// stagingSize is what one staged copy moves at a time.
const stagingSize = 16 << 20

// staging holds the buffers through which data reaches memory that the CPU
// cannot map, made at first use.
type staging struct {
	lock     sync.Mutex
	up, down *Buffer
}

func (s *staging) close() {
	s.up.Close()
	s.down.Close()
}

func (s *staging) owns(c closer) bool { return c == closer(s.up) || c == closer(s.down) }

func (s *staging) without(labels []string) []string {
	var kept []string
	for _, l := range labels {
		if l != "buffer staging up" && l != "buffer staging down" {
			kept = append(kept, l)
		}
	}
	return kept
}

// Upload copies data to the start of to, which must be at least as long. No
// work in flight may use to.
func (d *Device) Upload(ctx context.Context, to Slice, data []byte) error {
	if len(data) == 0 {
		return nil
	}
	to.Size = min(to.Size, int64(len(data)))
	if err := to.check(); err != nil {
		return err
	}
	if to.Size < int64(len(data)) {
		return fmt.Errorf("vk: buffer %s: %d bytes do not fit in %d", to.Buffer.label, len(data), to.Size)
	}
	if mapped := to.bytes(); mapped != nil {
		copy(mapped, data)
		return d.heap.flush(to.Buffer.memory, false)
	}
	d.staging.lock.Lock()
	defer d.staging.lock.Unlock()
	if err := d.stage(&d.staging.up, "staging up", UploadMemory); err != nil {
		return err
	}
	for done := int64(0); done < to.Size; {
		part := min(to.Size-done, stagingSize)
		copy(Slice{d.staging.up, 0, part}.bytes(), data[done:done+part])
		if err := d.heap.flush(d.staging.up.memory, false); err != nil {
			return err
		}
		if err := d.copyNow(ctx, Slice{to.Buffer, to.Offset + done, part}, Slice{d.staging.up, 0, part}); err != nil {
			return err
		}
		done += part
	}
	return nil
}

// Download copies the start of from into data, filling it.
func (d *Device) Download(ctx context.Context, data []byte, from Slice) error {
	if len(data) == 0 {
		return nil
	}
	if from.Size < int64(len(data)) {
		return fmt.Errorf("vk: %d bytes are wanted of a slice of %d", len(data), from.Size)
	}
	from.Size = int64(len(data))
	if err := from.check(); err != nil {
		return err
	}
	if d.lost.Load() {
		return d.call("vkMapMemory", nil)
	}
	// Memory that is mapped but not cached reads at a few hundred MB/s: stage that too.
	if mapped := from.bytes(); mapped != nil && d.heap.types[from.Buffer.memory.block.kind].flags&cached != 0 {
		if err := d.heap.flush(from.Buffer.memory, true); err != nil {
			return err
		}
		copy(data, mapped)
		return nil
	}
	d.staging.lock.Lock()
	defer d.staging.lock.Unlock()
	if err := d.stage(&d.staging.down, "staging down", ReadbackMemory); err != nil {
		return err
	}
	for done := int64(0); done < from.Size; {
		part := min(from.Size-done, stagingSize)
		if err := d.copyNow(ctx, Slice{d.staging.down, 0, part}, Slice{from.Buffer, from.Offset + done, part}); err != nil {
			return err
		}
		if err := d.heap.flush(d.staging.down.memory, true); err != nil {
			return err
		}
		copy(data[done:done+part], Slice{d.staging.down, 0, part}.bytes())
		done += part
	}
	return nil
}

func (d *Device) stage(b **Buffer, label string, memory Memory) (err error) {
	if *b == nil {
		*b, err = d.NewBuffer(label, stagingSize, memory)
	}
	return err
}

func (d *Device) copyNow(ctx context.Context, to, from Slice) error {
	r, err := d.NewRecorder()
	if err != nil {
		return err
	}
	defer r.Close()
	r.Copy(to, from)
	commands, err := r.Finish()
	if err != nil {
		return err
	}
	defer commands.Close()
	return commands.Run(ctx)
}
