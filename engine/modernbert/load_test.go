package modernbert

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/vk"
)

// planted returns a checkpoint in which one element of a tensor has this value.
func planted(t *testing.T, tensor string, element int, value float32) *checkpoint.Model {
	t.Helper()
	c := caseNamed(t, "encoder alone")
	source, directory := c.Open(t), t.TempDir()
	var entries []checkpoint.Entry
	for _, name := range source.Names() {
		x, _ := source.Tensor(name)
		data, err := x.Float32()
		if err != nil {
			t.Fatal(err)
		}
		if name == tensor {
			data[element] = value
		}
		entries = append(entries, checkpoint.Float32Entry(name, x.Shape, data))
	}
	config, err := os.ReadFile(filepath.Join(source.Directory, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := checkpoint.WriteSafetensors(filepath.Join(directory, "model.safetensors"), nil, entries); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, "config.json"), config, 0o666); err != nil {
		t.Fatal(err)
	}
	m, err := checkpoint.OpenModel(directory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func TestLoadRefusesWhatF16CannotHold(t *testing.T) {
	e, c := open(t, ""), planted(t, "layers.1.mlp.Wo.weight", 7, -70000)
	_, err := Load(context.Background(), e, c, engine.F16)
	if err == nil || !strings.Contains(err.Error(), "layers.1.mlp.Wo.weight: element 7 is -70000") || !strings.Contains(err.Error(), "f32") {
		t.Errorf("the error is %v", err)
	}
	mustForward(t, mustLoad(t, e, c, engine.F32), tokens(3), Want{Hidden: true})
	// What stays in f32 may be as large as it likes.
	mustLoad(t, e, planted(t, "final_norm.weight", 1, 70000), engine.F16)
}

// A result that is no number is an error.
func TestForwardReportsOverflow(t *testing.T) {
	m := mustLoad(t, open(t, ""), planted(t, "final_norm.weight", 3, float32(math.Inf(1))), engine.F32)
	_, err := m.Forward(context.Background(), tokens(3), Want{Hidden: true}, Watch{})
	if err == nil || !strings.Contains(err.Error(), "element 3 of the hidden states is") {
		t.Errorf("the error is %v", err)
	}
}

func TestCloseTwice(t *testing.T) {
	m, err := Load(context.Background(), open(t, ""), caseNamed(t, "v4 flat").Open(t), engine.F32)
	if err != nil {
		t.Fatal(err)
	}
	mustForward(t, m, tokens(3), Want{Hidden: true})
	for range 2 {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := m.Forward(context.Background(), tokens(3), Want{Hidden: true}, Watch{}); err == nil {
		t.Error("a closed model runs")
	}
}

// The weights that the device holds are those of the checkpoint, half as large
// in f16 but for what stays in f32.
func TestWeightBytes(t *testing.T) {
	c := caseNamed(t, "v4 flat").Open(t)
	for precision, want := range map[engine.Precision]int64{
		// 104 rows of embeddings where there are 101, and as many of the bias.
		engine.F32: 4 * int64(c.Config.Parameters(c.Head)+3*64+3),
		engine.F16: 2*int64(c.Config.Parameters(c.Head)+3*64+3) + 2*int64(64*64+10*64+104),
	} {
		if got := mustLoad(t, open(t, ""), c, precision).WeightBytes(); got != want {
			t.Errorf("%s: %d bytes, expected %d", precision, got, want)
		}
	}
}

// Batches of the same lengths share buffers, those of other lengths give theirs
// back, and in the end nothing is left: Close of the engine reports what is.
func TestThousandForwards(t *testing.T) {
	var allocations, pipelines atomic.Int64
	e, err := engine.Open("auto", engine.Options{Vulkan: []vk.Option{vk.WithFaults(func(call string) error {
		switch {
		case strings.HasPrefix(call, "vkAllocateMemory"):
			allocations.Add(1)
		case strings.HasPrefix(call, "vkCreateComputePipelines"):
			pipelines.Add(1)
		}
		return nil
	})}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Load(context.Background(), e, caseNamed(t, "encoder alone").Open(t), engine.F32)
	if err != nil {
		t.Fatal(err)
	}
	want := Want{Hidden: true, Pool: []engine.PoolMode{engine.PoolMean}}
	bytes := map[int]int64{}
	run := func(length int) {
		out := mustForward(t, m, tokens(length), want)
		if bytes[length] == 0 {
			bytes[length] = out.Bytes
		}
		if out.Bytes != bytes[length] {
			t.Fatalf("%d tokens took %d bytes once and %d now", length, bytes[length], out.Bytes)
		}
	}
	run(5)
	run(3)
	work, allocated := lastWork(m), allocations.Load()
	before := heap()
	for range 900 {
		run(3)
	}
	if lastWork(m) != work {
		t.Error("the same lengths again made other buffers")
	}
	compiled := pipelines.Load()
	for i := range 100 {
		run(3 + 2*(i%2))
	}
	if now := pipelines.Load(); now != compiled {
		t.Errorf("other lengths compiled %d kernels", now-compiled)
	}
	if now := allocations.Load(); now != allocated {
		t.Errorf("a thousand batches made %d allocations of device memory", now-allocated)
	}
	// A leak of 4 KiB a batch would show: it has 768 bytes of hidden states.
	if now := heap(); now > before+4<<20 {
		t.Errorf("a thousand batches took %d KiB of memory", (now-before)>>10)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// heap returns the bytes of memory in use, after collection of the rest.
func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
