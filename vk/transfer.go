package vk

import (
	"context"
	"fmt"
)

// stagingSize is what one staged copy moves at a time.
const stagingSize = 16 << 20

// staging holds the buffers through which data reaches memory that the CPU
// cannot map, made at first use.
type staging struct {
	turn     turn // guards the rest
	up, down *Buffer
	last     *Commands // the copy that may still use them
}

func (s *staging) close() {
	s.last.Close()
	s.up.Close()
	s.down.Close()
}

// Upload copies data to the start of to, which must be at least as long. No
// work in flight may use to. When ctx ends first Upload returns its error soon,
// and to holds part of data.
func (d *Device) Upload(ctx context.Context, to Slice, data []byte) error {
	if len(data) == 0 {
		return ctx.Err()
	}
	if err := d.checkTransfer(ctx, &to, len(data)); err != nil {
		return err
	}
	mapped := to.bytes()
	if mapped == nil {
		return d.staged(ctx, &d.staging.up, "staging up", UploadMemory, to, func(stage, part Slice) error {
			copy(stage.bytes(), data[part.Offset-to.Offset:])
			if err := d.heap.flush(stage); err != nil {
				return err
			}
			return d.staging.copy(ctx, d, part, stage)
		})
	}
	return to.parts(func(part Slice) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		// Flushing moves whole atoms: what the device wrote next to part must be in them.
		if err := d.heap.invalidate(part); err != nil {
			return err
		}
		copy(part.bytes(), data[part.Offset-to.Offset:])
		return d.heap.flush(part)
	})
}

// Download copies the start of from into data, filling it. When ctx ends first
// Download returns its error soon, and data is filled in part.
func (d *Device) Download(ctx context.Context, data []byte, from Slice) error {
	if len(data) == 0 {
		return ctx.Err()
	}
	if err := d.checkTransfer(ctx, &from, len(data)); err != nil {
		return err
	}
	// Memory that is mapped but not cached reads at a few hundred MB/s: stage that too.
	if from.bytes() == nil || !from.Buffer.memory.block.kind.has(cached) {
		return d.staged(ctx, &d.staging.down, "staging down", ReadbackMemory, from, func(stage, part Slice) error {
			if err := d.staging.copy(ctx, d, stage, part); err != nil {
				return err
			}
			if err := d.heap.invalidate(stage); err != nil {
				return err
			}
			copy(data[part.Offset-from.Offset:], stage.bytes())
			return nil
		})
	}
	return from.parts(func(part Slice) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.heap.invalidate(part); err != nil {
			return err
		}
		copy(data[part.Offset-from.Offset:], part.bytes())
		return nil
	})
}

// checkTransfer cuts s to size bytes and returns what keeps d from moving them.
func (d *Device) checkTransfer(ctx context.Context, s *Slice, size int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := d.check(*s); err != nil {
		return err
	}
	if s.Size < int64(size) {
		return fmt.Errorf("vk: buffer %s: %d bytes are to be moved, the slice has %d", s.Buffer.label, size, s.Size)
	}
	s.Size = int64(size)
	return d.alive("moving buffer " + s.Buffer.label)
}

// parts calls do with s cut into pieces of stagingSize.
func (s Slice) parts(do func(part Slice) error) error {
	for end := s.Offset + s.Size; s.Offset < end; s.Offset += stagingSize {
		s.Size = min(end-s.Offset, stagingSize)
		if err := do(s); err != nil {
			return err
		}
	}
	return nil
}

// staged calls do with each part of s and the piece of *buffer to stage it in,
// making *buffer if need be.
func (d *Device) staged(ctx context.Context, buffer **Buffer, label string, memory Memory, s Slice, do func(stage, part Slice) error) error {
	if err := d.staging.turn.take(ctx); err != nil {
		return err
	}
	defer d.staging.turn.give()
	if err := d.staging.settle(ctx); err != nil {
		return err
	}
	if *buffer == nil {
		b, err := d.NewBuffer(label, stagingSize, memory)
		if err != nil {
			return err
		}
		*buffer = b
	}
	return s.parts(func(part Slice) error { return do(Slice{*buffer, 0, part.Size}, part) })
}

// settle waits for the end of a copy that was left when its context ended.
func (s *staging) settle(ctx context.Context) error {
	if s.last != nil {
		if err := s.last.Wait(ctx); err != nil {
			return err
		}
		s.last.Close()
		s.last = nil
	}
	return nil
}

func (s *staging) copy(ctx context.Context, d *Device, to, from Slice) error {
	r, err := d.NewRecorder()
	if err != nil {
		return err
	}
	r.Copy(to, from)
	if s.last, err = r.Finish(); err != nil {
		return err
	}
	if err := s.last.Run(ctx); err != nil {
		return err
	}
	return s.settle(ctx)
}
