package vk

import (
	"bytes"
	"context"
	"slices"
	"testing"
)

// apply is what testdata/step.comp computes.
func apply(x, factor, add, repeat uint32) uint32 {
	for range repeat {
		x = factor*x + add
	}
	return x
}

func count(n int) []uint32 {
	list := make([]uint32, n)
	for i := range list {
		list[i] = uint32(i)
	}
	return list
}

// Push constants, specialization constants and a partly filled last workgroup.
func TestDispatch(t *testing.T) {
	d := openDevice(t)
	from, to := newBuffer(t, d, "from", 4*1000), newBuffer(t, d, "to", 4*1000)
	upload(t, d, from.Whole(), count(1000)...)
	for _, factor := range []uint32{1, 3, 0xffffffff} {
		p := newStep(t, d, factor)
		r := newRecorder(t, d)
		r.Fill(to.Whole(), 0)
		step(r, p, Slice{from, 0, 4 * 999}, Slice{to, 0, 4 * 999}, factor+7, 5)
		run(t, finish(t, r))
		got := download(t, d, to.Whole())
		for i := range 999 {
			if want := apply(uint32(i), factor, factor+7, 5); got[i] != want {
				t.Fatalf("factor %d: element %d is %d, want %d", factor, i, got[i], want)
			}
		}
		if got[999] != 0 {
			t.Errorf("factor %d: the element after the last is %d", factor, got[999])
		}
	}
}

// Workgroups are counted from base on.
func TestDispatchBase(t *testing.T) {
	d := openDevice(t)
	p := newStep(t, d, 1)
	from, to := newBuffer(t, d, "from", 4*8*stepGroup), newBuffer(t, d, "to", 4*8*stepGroup)
	upload(t, d, from.Whole(), count(8*stepGroup)...)
	r := newRecorder(t, d)
	r.Fill(to.Whole(), 0)
	r.Dispatch(p, []Slice{from.Whole(), to.Whole()}, stepPush(8*stepGroup, 1, 1), [3]uint32{2, 0, 0}, [3]uint32{3, 1, 1})
	run(t, finish(t, r))
	for i, got := range download(t, d, to.Whole()) {
		want := uint32(0)
		if i >= 2*stepGroup && i < 5*stepGroup {
			want = uint32(i) + 1
		}
		if got != want {
			t.Fatalf("element %d is %d, want %d", i, got, want)
		}
	}
}

// Slices are bound at their offsets, copied byte by byte, and a list runs again
// with what its buffers then hold.
func TestSlicesAndReplay(t *testing.T) {
	d := openDevice(t)
	p := newStep(t, d, 2)
	offset := 4 * d.Adapter().Limits.StorageAlignment
	from, to := newBuffer(t, d, "from", offset+40), newBuffer(t, d, "to", 2*offset+40)
	r := newRecorder(t, d)
	step(r, p, Slice{from, offset, 40}, Slice{to, 2 * offset, 40}, 1, 1)
	r.Copy(Slice{to, 1, 6}, Slice{to, 2*offset + 4, 6})
	c := finish(t, r)
	for round := range uint32(3) {
		upload(t, d, Slice{from, offset, 40}, round, round+1, round+2)
		run(t, c)
		got := make([]byte, 7)
		if err := d.Download(context.Background(), got, to.Whole()); err != nil {
			t.Fatal(err)
		}
		if want := words(2*round+3, 2*round+5)[:6]; !bytes.Equal(got[1:], want) {
			t.Errorf("round %d: %v, want %v", round, got[1:], want)
		}
	}
}

func TestRecordingErrors(t *testing.T) {
	d, other := openDevice(t), openDevice(t)
	p, foreign, gone := newStep(t, d, 1), newStep(t, other, 1), newStep(t, d, 1)
	gone.Close()
	a, b, closed := newBuffer(t, d, "a", 4096), newBuffer(t, d, "b", 4096), newBuffer(t, d, "old", 64)
	closed.Close()
	align := d.Adapter().Limits.StorageAlignment
	limit := uint32(d.Adapter().Limits.GroupCount[0])
	one := [3]uint32{1, 1, 1}
	pair := []Slice{a.Whole(), b.Whole()}
	push := stepPush(1, 1, 1)
	dispatch := func(p *Pipeline, slices []Slice, push []byte, base, groups [3]uint32) func(*Recorder) {
		return func(r *Recorder) { r.Dispatch(p, slices, push, base, groups) }
	}
	for _, c := range []struct {
		do     func(r *Recorder)
		reason error
		text   string
	}{
		{dispatch(nil, pair, push, [3]uint32{}, one), nil, "a dispatch of no kernel"},
		{dispatch(foreign, pair, push, [3]uint32{}, one), nil, "kernel step: vk: it is another device's"},
		{dispatch(gone, pair, push, [3]uint32{}, one), ErrClosed, "kernel step: vk: it is already closed"},
		{dispatch(p, pair[:1], push, [3]uint32{}, one), nil, "1 buffers are bound, the kernel has 2"},
		{dispatch(p, append(pair, pair...), push, [3]uint32{}, one), nil, "4 buffers are bound, the kernel has 2"},
		{dispatch(p, pair, push[:4], [3]uint32{}, one), nil, "4 bytes are pushed, the kernel takes 12"},
		{dispatch(p, pair, push, [3]uint32{}, [3]uint32{1, 0, 1}), ErrNotSupported, "0 workgroups from 0 on in dimension 1"},
		{dispatch(p, pair, push, [3]uint32{limit, 0, 0}, one), ErrNotSupported, "1 workgroups from"},
		{dispatch(p, []Slice{a.Whole(), closed.Whole()}, push, [3]uint32{}, one), ErrClosed, "buffer old: already closed"},
		{dispatch(p, []Slice{a.Whole(), {}}, push, [3]uint32{}, one), nil, "a slice of no buffer"},
		{dispatch(p, []Slice{a.Whole(), {b, align / 2, 64}}, push, [3]uint32{}, one), nil, "this device needs multiples of"},
		{dispatch(p, []Slice{a.Whole(), {a, align, 64}}, push, [3]uint32{}, one), nil, "bindings 0 and 1 share bytes of buffer a, and one is written"},
		{func(r *Recorder) { r.Copy(Slice{a, 0, 8}, Slice{b, 0, 9}) }, nil, "copying 9 bytes of b to 8 bytes of a"},
		{func(r *Recorder) { r.Copy(Slice{a, 0, 8}, Slice{a, 7, 8}) }, nil, "copying 8 bytes of a to 8 bytes of a"},
		{func(r *Recorder) { r.Copy(Slice{a, 4090, 8}, Slice{b, 0, 8}) }, nil, "buffer a has 4096 bytes"},
		{func(r *Recorder) { r.Fill(Slice{a, 2, 8}, 0) }, nil, "both must be multiples of 4"},
		{func(r *Recorder) { r.Fill(closed.Whole(), 0) }, ErrClosed, "buffer old"},
		{func(r *Recorder) { r.Close() }, ErrClosed, "commands: already closed"},
	} {
		r := newRecorder(t, d)
		c.do(r)
		step(r, p, a.Whole(), b.Whole(), 1, 1) // what follows does not hide the first error
		r.Timestamp()
		_, err := r.Finish()
		wantError(t, err, c.reason, c.text)
	}
	r := newRecorder(t, d)
	finish(t, r)
	r.Fill(a.Whole(), 0)
	_, err := r.Finish()
	wantError(t, err, nil, "recording after Finish")
}

func TestPipelineErrors(t *testing.T) {
	d := openDevice(t)
	limits := d.Adapter().Limits
	with := func(change func(*PipelineSpec)) PipelineSpec {
		s := stepSpec(1)
		change(&s)
		return s
	}
	for _, c := range []struct {
		spec   PipelineSpec
		reason error
		text   string
	}{
		{with(func(s *PipelineSpec) { s.SPIRV = nil }), nil, "kernel step: vk: this is not SPIR-V"},
		{with(func(s *PipelineSpec) { s.SPIRV = s.SPIRV[:len(s.SPIRV)-1] }), nil, "not SPIR-V"},
		{with(func(s *PipelineSpec) { s.SPIRV = make([]byte, 100) }), nil, "not SPIR-V"},
		{with(func(s *PipelineSpec) { s.Push = 13 }), nil, "multiple of 4"},
		{with(func(s *PipelineSpec) { s.Push = -4 }), nil, "multiple of 4"},
		{with(func(s *PipelineSpec) { s.Push = limits.PushConstants + 4 }), ErrNotSupported, "bytes of push constants; this device allows"},
		{with(func(s *PipelineSpec) { s.Bindings = make([]Access, limits.StorageBuffers+1) }), ErrNotSupported, "storage buffers; this device allows"},
		{with(func(s *PipelineSpec) { s.Constants = make([]Constant, 65) }), nil, "65 specialization constants"},
		{with(func(s *PipelineSpec) { s.SubgroupSize = 3 }), ErrNotSupported, "subgroups of 3 invocations"},
		{with(func(s *PipelineSpec) { s.SubgroupSize = 1 << 20 }), ErrNotSupported, "subgroups of 1048576 invocations"},
	} {
		_, err := d.NewPipeline(c.spec)
		wantError(t, err, c.reason, c.text)
	}
	if len(d.open) > 0 {
		t.Errorf("left open: %v", d.open)
	}
	d.adapter.Features.FullSubgroups = false
	_, err := d.NewPipeline(with(func(s *PipelineSpec) { s.FullSubgroups = true }))
	wantError(t, err, ErrNotSupported, "full subgroups")
}

// Every subgroup size that the device offers compiles and computes the same.
func TestSubgroupSizes(t *testing.T) {
	d := openDevice(t, WithStatistics())
	a := d.Adapter()
	from, to := newBuffer(t, d, "from", 4096), newBuffer(t, d, "to", 4096)
	upload(t, d, from.Whole(), count(1024)...)
	sizes := []int{0}
	for size := a.Limits.SubgroupSizeRange[0]; a.Features.SubgroupControl && size <= min(a.Limits.SubgroupSizeRange[1], stepGroup); size *= 2 {
		sizes = append(sizes, size)
	}
	for _, size := range sizes {
		spec := stepSpec(5)
		spec.SubgroupSize, spec.FullSubgroups = size, size > 0 && d.adapter.raw.full_subgroups != 0
		p := must(d.NewPipeline(spec))
		for name, value := range p.Statistics() {
			t.Logf("subgroups of %d: %s = %v", size, name, value)
		}
		r := newRecorder(t, d)
		step(r, p, from.Whole(), to.Whole(), 1, 2)
		run(t, finish(t, r))
		got := download(t, d, to.Whole())
		if i := slices.IndexFunc(count(1024), func(i uint32) bool { return got[i] != apply(i, 5, 1, 2) }); i >= 0 {
			t.Errorf("subgroups of %d: element %d is %d", size, i, got[i])
		}
		p.Close()
		if len(p.Statistics()) > 0 {
			t.Error("a closed pipeline has statistics")
		}
	}
}
