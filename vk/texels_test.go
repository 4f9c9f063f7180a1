package vk

import (
	_ "embed"
	"math"
	"slices"
	"testing"
)

//go:generate glslang -V --quiet --target-env vulkan1.1 -o testdata/texels.spv testdata/texels.comp
//go:embed testdata/texels.spv
var texelsCode []byte

func texelsSpec() PipelineSpec {
	return PipelineSpec{Label: "texels", SPIRV: texelsCode, Bindings: []Access{Read | Float4, Read | UInt2, Write}, Push: 4}
}

// texelWords returns so many texels of four f32 and of two uint32, and what
// testdata/texels.comp makes of them.
func texelWords(texels int) (floats, integers, sums []uint32) {
	for i := range uint32(texels) {
		f, u := [4]uint32{i, i + 1, 2 * i, 3}, [2]uint32{7 * i, i}
		for _, x := range f {
			floats = append(floats, math.Float32bits(float32(x)))
		}
		integers = append(integers, u[:]...)
		sums = append(sums, f[0]+2*f[1]+4*f[2]+8*f[3]+u[0]+16*u[1])
	}
	return floats, integers, sums
}

// Texel buffers begin anywhere that the device allows, and what comes after them
// does not matter.
func TestTexelBuffers(t *testing.T) {
	d := openDevice(t)
	const texels = 100
	at := d.Adapter().Limits.TexelAlignment
	floats, integers, sums := texelWords(texels)
	f, u, to := newBuffer(t, d, "floats", at+16*texels), newBuffer(t, d, "integers", at+8*texels), newBuffer(t, d, "to", 4*texels)
	upload(t, d, Slice{f, at, 16 * texels}, floats...)
	upload(t, d, Slice{u, at, 8 * texels}, integers...)
	p := must(d.NewPipeline(texelsSpec()))
	t.Cleanup(func() { p.Close() })
	r := newRecorder(t, d)
	r.Dispatch(p, []Slice{{f, at, 16 * texels}, {u, at, 8 * texels}, to.Whole()}, words(texels), [3]uint32{}, [3]uint32{4, 1, 1})
	c := finish(t, r)
	run(t, c)
	if got := download(t, d, to.Whole()); !slices.Equal(got, sums) {
		t.Errorf("the sums are %v, must be %v", got, sums)
	}
	// Kept commands see what the buffers hold when they run.
	for i := range floats {
		floats[i] = math.Float32bits(1)
	}
	upload(t, d, Slice{f, at, 16 * texels}, floats...)
	run(t, c)
	for i, got := range download(t, d, to.Whole()) {
		if want := 15 + 7*uint32(i) + 16*uint32(i); got != want {
			t.Fatalf("sum %d is %d in the second run, must be %d", i, got, want)
		}
	}
}

func TestTexelBufferErrors(t *testing.T) {
	d := openDevice(t)
	for _, wrong := range []Access{Write | Float4, Read | Write | UInt2, Read | Float4 | UInt2, Float4} {
		spec := texelsSpec()
		spec.Bindings[0] = wrong
		_, err := d.NewPipeline(spec)
		wantError(t, err, nil, "kernel texels: vk: a texel buffer has texels of one kind and is only read")
	}
	p := must(d.NewPipeline(texelsSpec()))
	t.Cleanup(func() { p.Close() })
	f, u, to := newBuffer(t, d, "floats", 4096), newBuffer(t, d, "integers", 4096), newBuffer(t, d, "to", 4096)
	limits := &d.adapter.Limits
	limits.TexelAlignment, limits.Texels = 64, 100
	for _, c := range []struct {
		floats, integers Slice
		reason           error
		text             string
	}{
		{Slice{f, 0, 16 * 101}, Slice{u, 0, 80}, ErrNotSupported, "buffer floats: a texel buffer of 1616 bytes; this device allows 100 texels of 16"},
		{Slice{f, 0, 160}, Slice{u, 0, 8 * 101}, ErrNotSupported, "buffer integers: a texel buffer of 808 bytes; this device allows 100 texels of 8"},
		{Slice{f, 0, 156}, Slice{u, 0, 80}, ErrNotSupported, "buffer floats: a texel buffer of 156 bytes"},
		{Slice{f, 0, 160}, Slice{u, 32, 80}, nil, "buffer integers: a binding at offset 32; this device needs multiples of 64"},
	} {
		r := newRecorder(t, d)
		r.Dispatch(p, []Slice{c.floats, c.integers, to.Whole()}, words(1), [3]uint32{}, [3]uint32{1, 1, 1})
		_, err := r.Finish()
		wantError(t, err, c.reason, c.text)
	}
}
