package vk

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
)

// residentBytes returns the memory of this process that is in use, the C heap
// included, where the system tells it.
func residentBytes() (int64, bool) {
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, false
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	return pages * int64(os.Getpagesize()), err == nil
}

// A thousand runs, each with buffers, a recording and transfers of its own, leave
// no object, no device memory, no goroutine and no C memory behind. Kernels are
// compiled once, for a driver's pipeline cache may keep each.
func TestThousandRuns(t *testing.T) {
	d, err := Open("auto", discreteGPU) // without the layer, which keeps books of its own
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	three, five := newStep(t, d, 3), newStep(t, d, 5)
	// The least of several looks: allocators and garbage collection move this by megabytes.
	do := func() (resident int64, measured bool) {
		resident = math.MaxInt64
		for i := range 500 {
			if err := work(d, three, five, 5, uint32(i)); err != nil {
				t.Fatal(err)
			}
			if i%50 == 49 {
				now, ok := residentBytes()
				resident, measured = min(resident, now), ok
			}
		}
		return resident, measured
	}
	do() // the driver's and the runtime's own stores fill
	before, measured := do()
	objects, used, goroutines := len(d.open), d.heap.used, runtime.NumGoroutine()
	after, _ := do()
	for range 100 { // finalizers' goroutines end soon
		if runtime.NumGoroutine() <= goroutines {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if len(d.open) != objects || d.heap.used != used || runtime.NumGoroutine() > goroutines {
		t.Errorf("%d objects became %d, %d bytes of device memory %d, %d goroutines %d",
			objects, len(d.open), used, d.heap.used, goroutines, runtime.NumGoroutine())
	}
	t.Logf("resident: %d KiB, then %d KiB more", before>>10, (after-before)>>10)
	// A kilobyte a run; TestBindingStructsAreFreed looks for what is smaller.
	if measured && after-before > 448<<10 {
		t.Errorf("the process grew by %d KiB", (after-before)>>10)
	}
}

// Devices come and go. Some drivers keep up to a megabyte of each, so much is let pass.
func TestManyDevices(t *testing.T) {
	do := func() (resident int64, measured bool) {
		resident = math.MaxInt64
		for range 25 {
			d, err := Open("auto")
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			now, ok := residentBytes()
			resident, measured = min(resident, now), ok
		}
		return resident, measured
	}
	do()
	before, measured := do()
	after, _ := do()
	t.Logf("resident: %d KiB, then %d KiB more", before>>10, (after-before)>>10)
	if measured && after-before > 25<<20 {
		t.Errorf("the process grew by %d KiB in 25 devices", (after-before)>>10)
	}
	if len(logs.open) != 0 {
		t.Errorf("%d log sinks are left", len(logs.open))
	}
}

// Each struct that is passed to vulkan-go by reference has a copy in C memory
// until its Free is called, in the function that made it.
func TestBindingStructsAreFreed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			function, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			passed, freed := map[string]bool{}, map[string]bool{}
			ast.Inspect(function, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				of, ok := call.Fun.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				owner, _ := of.X.(*ast.Ident)
				if owner != nil && of.Sel.Name == "Free" {
					freed[owner.Name] = true
				}
				for _, argument := range call.Args {
					address, ok := argument.(*ast.UnaryExpr)
					if ok && owner != nil && owner.Name == "vulkan" && address.Op == token.AND {
						if name, ok := address.X.(*ast.Ident); ok && name.Name != "count" && name.Name != "size" {
							passed[name.Name] = true
						}
					}
				}
				return true
			})
			found += len(passed)
			for name := range passed {
				if !freed[name] {
					t.Errorf("%s: %s passes %s and does not free it", file, function.Name.Name, name)
				}
			}
		}
	}
	if found < 8 {
		t.Errorf("only %d structs were found: the test has gone blind", found)
	}
}
