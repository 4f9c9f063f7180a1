// Command kernels runs single kernels of gaze on a device:
//
//	kernels [-device NAME] [-tier TIER]
//
// It reads requests, one a line, and answers each by one line of JSON: the
// milliseconds of one run, by the host's clock ("ms") and by the device's
// ("gpu_ms"). Tensors lie in IN and OUT as f32, one after another:
//
//	matmul    TYPE ROWS COLUMNS DEPTH IN OUT    in: a [rows, depth], w [columns, depth]; out: a w^T
//	attention TYPE TOKENS HEADS DIM   IN OUT    in: q, k, v [heads, tokens, dim]; out: the same shape
//	window    TYPE TOKENS HEADS DIM   IN OUT    the same, of keys at most 64 tokens away
//
// TYPE, f32 or f16, is how all that is read is stored; outputs are f32. It is
// gaze's side of ../../kernels.py.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
)

func main() {
	device := flag.String("device", "auto", "compute on the device of this `NAME` (or index)")
	tier := flag.String("tier", "", "the family of kernels, `lanes`, texels, tiled or matrix")
	flag.Parse()
	if err := run(*device, *tier); err != nil {
		fmt.Fprintln(os.Stderr, "kernels:", err)
		os.Exit(1)
	}
}

func run(device, tier string) error {
	ctx := context.Background()
	e, err := engine.Open(device, engine.Options{Tier: engine.Tier(tier)})
	if err != nil {
		return err
	}
	defer e.Close()
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(map[string]any{"device": e.Adapter().Name, "driver": e.Adapter().Driver, "tier": e.Traits().Tier}); err != nil {
		return err
	}
	var p *problem
	last := ""
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if lines.Text() != last {
			last = lines.Text()
			p.close()
			if p, err = newProblem(ctx, e, last); err != nil {
				fmt.Fprintf(os.Stderr, "kernels: %q: %v\n", last, err)
			}
		}
		if p == nil {
			if err := out.Encode(map[string]any{"missing": "not supported"}); err != nil {
				return err
			}
			continue
		}
		answer, err := p.run(ctx)
		if err != nil {
			return fmt.Errorf("%q: %w", last, err)
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
	p.close()
	return lines.Err()
}

// A problem is one kernel with its tensors on the device.
type problem struct {
	engine  *engine.Engine
	passes  []engine.Pass
	buffers *engine.Buffers
	result  []float32
	out     string // the file that gets it
}

const output = "output"

// newProblem reads the tensors of a request and brings them to the device.
func newProblem(ctx context.Context, e *engine.Engine, request string) (*problem, error) {
	var kind, in string
	var precision engine.Precision
	var size [3]int
	p := &problem{engine: e}
	if _, err := fmt.Sscan(request, &kind, &precision, &size[0], &size[1], &size[2], &in, &p.out); err != nil {
		return nil, fmt.Errorf("expected KIND TYPE and three sizes, IN OUT: %w", err)
	}
	var inputs []engine.BufferSpec // their bytes as f32, in the file's order
	elementBytes := int64(4)
	if precision == engine.F16 {
		elementBytes = 2
	}
	tensor := func(name string, rows, width int) engine.Ref {
		inputs = append(inputs, engine.BufferSpec{Name: name, Bytes: 4 * int64(rows) * int64(width)})
		return engine.Ref{Buffer: name, Size: elementBytes * int64(rows) * int64(width)}
	}
	specs, constant := []engine.BufferSpec{}, map[string][]byte{}
	switch kind {
	case "matmul":
		rows, columns, depth := size[0], size[1], size[2]
		p.result = make([]float32, rows*columns)
		p.passes = []engine.Pass{engine.MatMul{Rows: rows, Columns: columns, Depth: depth, A: tensor("a", rows, depth), W: tensor("w", columns, depth),
			Out: engine.Ref{Buffer: output, Size: 4 * int64(rows*columns)}, Precision: precision, OutPrecision: engine.F32}.Pass(e.Traits())}
	case "attention", "window":
		tokens, heads, dim := size[0], size[1], size[2]
		p.result = make([]float32, heads*tokens*dim)
		a := gaze.Attention{Heads: heads, HeadDim: dim, Pattern: gaze.Full{}}
		if kind == "window" {
			a.Pattern = gaze.SlidingWindow{Left: 64, Right: 64}
		}
		if err := a.Validate(); err != nil {
			return nil, err
		}
		layout := engine.Layout{Row: dim, Head: tokens * dim}
		blockMap := gaze.NewBlockMap(a.Visible(), gaze.Lengths{tokens}, e.Traits().QueryTile(precision, dim, a.ScoreScale()))
		constant["block map"] = engine.Words(blockMap)
		lse := engine.Ref{Buffer: "lse", Size: 4 * int64(heads*tokens)}
		specs = append(specs, engine.BufferSpec{Name: lse.Buffer, Bytes: lse.Size})
		f := engine.FusedAttention{Heads: heads, HeadDim: dim, Scale: a.ScoreScale(), Map: blockMap, Precision: precision, OutPrecision: engine.F32,
			In: layout, Out: layout, LSEHead: tokens, Query: tensor("q", heads*tokens, dim), Key: tensor("k", heads*tokens, dim),
			Value: tensor("v", heads*tokens, dim), BlockMap: engine.Ref{Buffer: "block map", Size: engine.MapBytes(blockMap)},
			Output: engine.Ref{Buffer: output, Size: 4 * int64(len(p.result))}, LSE: lse}
		if shares, ofShares := f.ScratchBytes(e.Traits()); shares > 0 {
			f.Shares, f.ShareLSE = engine.Ref{Buffer: "shares", Size: shares}, engine.Ref{Buffer: "lse of shares", Size: ofShares}
			specs = append(specs, engine.BufferSpec{Name: f.Shares.Buffer, Bytes: shares}, engine.BufferSpec{Name: f.ShareLSE.Buffer, Bytes: ofShares})
		}
		p.passes = f.Passes(e.Traits())
	default:
		return nil, fmt.Errorf("kind is %q: expected matmul, attention or window", kind)
	}
	f, err := os.Open(in)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for _, i := range inputs {
		x := make([]float32, i.Bytes/4)
		if err := binary.Read(f, binary.LittleEndian, x); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", in, i.Name, err)
		}
		constant[i.Name] = engine.Stored(x, precision)
	}
	for name, data := range constant {
		specs = append(specs, engine.BufferSpec{Name: name, Bytes: int64(len(data))})
	}
	specs = append(specs, engine.BufferSpec{Name: output, Bytes: 4 * int64(len(p.result))})
	if p.buffers, err = e.NewBuffers(specs); err != nil {
		return nil, err
	}
	for name, data := range constant {
		if err := p.buffers.Upload(ctx, name, 0, data); err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

func (p *problem) close() {
	if p != nil {
		p.buffers.Close()
	}
}

// run runs the kernel once and writes what it gave.
func (p *problem) run(ctx context.Context) (map[string]any, error) {
	start := time.Now()
	timing, err := p.engine.Execute(ctx, p.passes, nil, p.buffers)
	if err != nil {
		return nil, err
	}
	host := time.Since(start)
	if err := p.buffers.Download(ctx, engine.Bytes(p.result), output, 0); err != nil {
		return nil, err
	}
	if err := os.WriteFile(p.out, engine.Bytes(p.result), 0o666); err != nil {
		return nil, err
	}
	return map[string]any{"ms": milliseconds(host), "gpu_ms": milliseconds(timing.GPU()), "submits": timing.Submits, "kernel": p.passes[0].Kernel}, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
