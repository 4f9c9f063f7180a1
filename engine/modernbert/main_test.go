package modernbert

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert/testdata/golden"
	"github.com/gazevk/gaze/reference"
	"github.com/gazevk/gaze/vk"
)

// validate is for drivers_test.go of package tests, which runs these tests on
// every driver.
var validate = flag.Bool("validate", false, "turn on Vulkan's validation layers, and fail if they find fault")

// messages counts what the validation layers say.
var messages atomic.Int64

// engines has one engine for each tier, which all tests share: a driver on a CPU
// takes up to a second to compile a kernel.
var engines struct {
	sync.Mutex
	of map[engine.Tier]*engine.Engine
}

// tiers lists those that the device can run.
func tiers(t testing.TB) []engine.Tier { return open(t, engine.Tiled).Traits().Tiers() }

func open(t testing.TB, tier engine.Tier) *engine.Engine {
	t.Helper()
	engines.Lock()
	defer engines.Unlock()
	if e := engines.of[tier]; e != nil {
		return e
	}
	options := engine.Options{Tier: tier}
	if *validate {
		options.Vulkan = []vk.Option{vk.WithValidation(&messages), vk.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, nil)))}
	}
	e, err := engine.Open("auto", options)
	if err != nil {
		t.Fatal(err)
	}
	if engines.of == nil {
		engines.of = map[engine.Tier]*engine.Engine{}
	}
	engines.of[tier] = e
	return e
}

// TestMain closes the engines, which report what was left open on them.
func TestMain(m *testing.M) {
	code := m.Run()
	for tier, e := range engines.of {
		if err := e.Close(); err != nil {
			fmt.Fprintf(os.Stderr, "tier %s: %v\n", tier, err)
			code = 1
		}
	}
	if n := messages.Load(); n > 0 {
		fmt.Fprintf(os.Stderr, "the validation layers reported %d messages\n", n)
		code = 1
	}
	os.Exit(code)
}

// caseNamed returns the golden case of that name.
func caseNamed(t testing.TB, name string) golden.Case {
	t.Helper()
	for _, c := range golden.Cases() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no golden case %q", name)
	return golden.Case{}
}

// mustLoad brings a checkpoint to the device for the time of a test.
func mustLoad(t testing.TB, e *engine.Engine, c *checkpoint.Model, precision engine.Precision) *Model {
	t.Helper()
	m, err := Load(context.Background(), e, c, precision)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func mustForward(t testing.TB, m *Model, batch [][]uint32, want Want) *Output {
	t.Helper()
	out, err := m.Forward(context.Background(), batch, want, Watch{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// loaded writes the case's checkpoint, brings it to the device that suits it
// best and returns its reference too.
func loaded(t testing.TB, name string) (*Model, *reference.Encoder) {
	t.Helper()
	c := caseNamed(t, name).Open(t)
	encoder, err := reference.NewEncoder(c)
	if err != nil {
		t.Fatal(err)
	}
	return mustLoad(t, open(t, ""), c, engine.F32), encoder
}

// near reports outputs that differ by more than tolerance, or are empty.
func near[A, B float32 | float64](t testing.TB, what string, got []A, want []B, tolerance float64) {
	t.Helper()
	difference, err := golden.Difference(got, want)
	if !(difference <= tolerance) {
		t.Errorf("%s: %.2g away, at most %.2g expected, error %v", what, difference, tolerance, err)
	}
}

func tokens(lengths ...int) [][]uint32 { return golden.Batch(gaze.Lengths(lengths), 101) }

// lastWork returns what the last forward pass ran.
func lastWork(m *Model) *work { return m.works[len(m.works)-1] }
