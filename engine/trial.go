package engine

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/gazevk/gaze"
)

// tryUnits computes a small matrix product and a small attention on the device's
// matrix units and without, and does without what differs: there are drivers that
// offer products which they miscompile, and every call returns success. What units
// can do beside products is distrusted by itself.
func (e *Engine) tryUnits(ctx context.Context) {
	with, without := e.traits, e.traits
	with.Tier, without.Tier = Matrix, e.traits.plain()
	if err := e.tryProduct(ctx, with, without); err != nil {
		e.distrust("the matrix units", fmt.Errorf("a matrix product: %w", err))
		e.traits.Tier, e.traits.Units = without.Tier, MatrixUnits{}
		return
	}
	err := e.tryAttention(ctx, with, without)
	if err != nil && with.Units.Reductions {
		e.distrust("reductions on the matrix units", fmt.Errorf("attention: %w", err))
		with.Units.Reductions, e.traits.Units.Reductions = false, false
		err = e.tryAttention(ctx, with, without)
	}
	if err != nil {
		e.distrust("the matrix units", fmt.Errorf("attention: %w", err))
		e.traits.Tier, e.traits.Units = without.Tier, MatrixUnits{}
	}
}

// distrust notes that something of the device is not used, because of what it did.
func (e *Engine) distrust(what string, err error) {
	e.note = strings.TrimPrefix(fmt.Sprintf("%s; %s of %s are not used: %v", e.note, what, e.traits.Device, err), "; ")
}

// trialValue returns small whole numbers, whose products and sums are exact.
func trialValue(i int) float32 { return float32(i*i%7 - 3) }

func (e *Engine) tryProduct(ctx context.Context, with, without Traits) error {
	const rows, columns, depth = 70, 72, 40
	numbers := func(count int) []byte {
		x := make([]float32, count)
		for i := range x {
			x[i] = trialValue(i)
		}
		return Stored(x, F16)
	}
	compute := func(t Traits) ([]float32, error) {
		buffers := map[string][]byte{"a": numbers(rows * depth), "w": numbers(columns * depth), "out": make([]byte, 4*rows*columns)}
		ref := func(name string) Ref { return Ref{Buffer: name, Size: int64(len(buffers[name]))} }
		m := MatMul{Rows: rows, Columns: columns, Depth: depth, A: ref("a"), W: ref("w"), Out: ref("out"), Precision: F16, OutPrecision: F32}
		if err := e.RunPass(ctx, m.Pass(t), buffers); err != nil {
			return nil, err
		}
		out := make([]float32, rows*columns)
		copy(Bytes(out), buffers["out"])
		return out, nil
	}
	return agree(compute, with, without, 0)
}

func (e *Engine) tryAttention(ctx context.Context, with, without Traits) error {
	const heads, headDim = 2, 64
	lengths := gaze.Lengths{70, 30}
	in := Input{make([]float32, heads*headDim*100), make([]float32, heads*headDim*100), make([]float32, heads*headDim*100)}
	for i := range in.Query {
		in.Query[i], in.Key[i], in.Value[i] = trialValue(i)/2, trialValue(i/3)/2, trialValue(i/5)
	}
	compute := func(t Traits) ([]float32, error) {
		plan, err := NewPlan(t, Request{Attention: gaze.Attention{Heads: heads, HeadDim: headDim, Pattern: gaze.SlidingWindow{Left: 40, Right: 40}},
			Lengths: lengths, Precision: F16})
		if err != nil {
			return nil, err
		}
		result, err := e.Run(ctx, plan, in, Watch{})
		if err != nil {
			return nil, err
		}
		return result.Output, nil
	}
	// Weights are rounded to f16 on matrix units; values are at most 3.
	return agree(compute, with, without, 3*0x1p-9)
}

// agree reports the first number that differs by more than tolerance.
func agree(compute func(Traits) ([]float32, error), with, without Traits, tolerance float64) error {
	want, err := compute(without)
	if err != nil {
		return err
	}
	got, err := compute(with)
	if err != nil {
		return err
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= tolerance) {
			return fmt.Errorf("element %d is %v on matrix units and %v without", i, got[i], want[i])
		}
	}
	return nil
}
