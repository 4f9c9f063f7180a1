// Command embed embeds texts, given as token ids, by a checkpoint on a device:
//
//	embed [-device NAME] [-tier TIER] [-precision TYPE] [-pool mean|cls] MODEL
//
// The model is loaded once. Then it reads requests, one a line, and answers each
// by one line of JSON: the milliseconds of one forward pass, from ids in memory
// to vectors in memory, by the host's clock ("ms") and by the device's
// ("gpu_ms"), the device memory of weights and buffers ("device_mib") and what
// computed attention ("kernel").
//
//	TEXTS TOKENS IDS OUT    IDS holds texts * tokens u32, OUT gets [texts, elements] f32
//
// It is gaze's side of ../../embed.py, and serves by itself too:
//
//	echo 8 128 ids.u32 out.f32 | embed MODEL
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert"
)

func main() {
	device := flag.String("device", "auto", "compute on the device of this `NAME` (or index)")
	tier := flag.String("tier", "", "the family of kernels, `lanes`, texels, tiled or matrix")
	precision := flag.String("precision", "f32", "store tensors as `TYPE`, f32 or f16")
	pool := flag.String("pool", "mean", "make one vector of a text as their `mean` or by its first token, cls")
	flag.Parse()
	if err := run(*device, *tier, *precision, *pool, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}

func run(device, tier, precision, pool string, arguments []string) error {
	if len(arguments) != 1 {
		return fmt.Errorf("%d arguments: expected one, the checkpoint's directory", len(arguments))
	}
	p, err := engine.ParsePrecision(precision)
	if err != nil {
		return err
	}
	mode, ok := map[string]engine.PoolMode{"mean": engine.PoolMean, "cls": engine.PoolCLS}[pool]
	if !ok {
		return fmt.Errorf("-pool is %q: expected mean or cls", pool)
	}
	ctx, start := context.Background(), time.Now()
	c, err := checkpoint.OpenModel(arguments[0])
	if err != nil {
		return err
	}
	defer c.Close()
	e, err := engine.Open(device, engine.Options{Tier: engine.Tier(tier)})
	if err != nil {
		return err
	}
	defer e.Close()
	m, err := modernbert.Load(ctx, e, c, p)
	if err != nil {
		return err
	}
	defer m.Close()

	out := json.NewEncoder(os.Stdout)
	err = out.Encode(map[string]any{"device": e.Adapter().Name, "driver": e.Adapter().Driver, "tier": e.Traits().Tier,
		"load": fmt.Sprintf("%.3g s to load", time.Since(start).Seconds())})
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		answer, err := embed(ctx, m, mode, lines.Text())
		if err != nil {
			return fmt.Errorf("%q: %w", lines.Text(), err)
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

// embed does what one request asks for.
func embed(ctx context.Context, m *modernbert.Model, mode engine.PoolMode, request string) (map[string]any, error) {
	var texts, tokens int
	var in, out string
	if _, err := fmt.Sscan(request, &texts, &tokens, &in, &out); err != nil {
		return nil, fmt.Errorf("expected TEXTS TOKENS IDS OUT: %w", err)
	}
	batch, err := readBatch(in, texts, tokens)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	result, err := m.Forward(ctx, batch, modernbert.Want{Pool: []engine.PoolMode{mode}}, modernbert.Watch{})
	if err != nil {
		return nil, err
	}
	host := time.Since(start)
	if err := os.WriteFile(out, engine.Bytes(result.Pooled), 0o666); err != nil {
		return nil, err
	}
	kernel := ""
	for _, pass := range result.Timing.Passes {
		if strings.HasPrefix(pass.Kernel, "attention") {
			kernel = pass.Kernel
		}
	}
	return map[string]any{"kernel": kernel, "ms": milliseconds(host), "gpu_ms": milliseconds(result.Timing.GPU()), "submits": result.Timing.Submits,
		"device_mib": float64(m.WeightBytes()+result.Bytes) / (1 << 20)}, nil
}

func readBatch(path string, texts, tokens int) ([][]uint32, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	batch := make([][]uint32, texts)
	for i := range batch {
		batch[i] = make([]uint32, tokens)
		if err := binary.Read(f, binary.LittleEndian, batch[i]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return batch, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
