package viewer

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"
	"unsafe"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/tests/display"
	"github.com/gazevk/gaze/visualize/explore"
	"github.com/gazevk/gaze/vk"
)

// A formula is a source whose maps cost nothing. If it has memory, their cells lie there.
type formula struct {
	n      int
	memory *memory
}

// A memory is one that a device shares with that which shows frames; rooms of it are
// never taken twice.
type memory struct {
	device *vk.Device
	shared *vk.Shared
	taken  int // cells
}

type place struct {
	*memory
	first int
}

func (p place) Memory() (*vk.Shared, int) { return p.shared, p.first }
func (p place) Release()                  {}

func (p place) slice(first, cells int) vk.Slice {
	return vk.Slice{Buffer: p.shared.Buffer(), Offset: 4 * int64(p.first+first), Size: 4 * int64(cells)}
}

func (p place) Read(ctx context.Context, first, rowStride, columnStride, rows, columns int) ([]float32, error) {
	all := make([]float32, (rows-1)*rowStride+(columns-1)*columnStride+1)
	if err := p.device.Download(ctx, bytesOf(all), p.slice(first, len(all))); err != nil {
		return nil, err
	}
	cells := make([]float32, 0, rows*columns)
	for row := range rows {
		for column := range columns {
			cells = append(cells, all[row*rowStride+column*columnStride])
		}
	}
	return cells, nil
}

func bytesOf(cells []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(cells))), 4*len(cells))
}

func (f formula) Cells(_ context.Context, r explore.Request) ([]float32, error) {
	rows, columns := r.Rectangle.Cells(gaze.Square(r.Cell))
	cells := make([]float32, rows*columns)
	for i := range cells {
		cells[i] = float32(math.Exp2(-float64((i%columns*37 ^ i/columns*11) % 16)))
	}
	return cells, nil
}

func (f formula) Room(cells int) explore.Room {
	if f.memory == nil || int64(f.memory.taken+cells) > f.memory.shared.Buffer().Size()/4 {
		return nil
	}
	p := place{f.memory, f.memory.taken}
	f.memory.taken += cells
	return p
}

func (f formula) Place(ctx context.Context, r explore.Request, to explore.Room, mix explore.Mix) error {
	cells, err := f.Cells(ctx, r)
	if err != nil {
		return err
	}
	p := to.(place)
	return p.device.Upload(ctx, p.slice(mix.First, len(cells)), bytesOf(cells))
}

func (f formula) strip() [][]float64 {
	strip := make([]float64, f.n)
	for i := range strip {
		strip[i] = float64(i % 50)
	}
	return [][]float64{strip}
}

func (f formula) Summary(context.Context, int) ([]explore.Summary, error) {
	ones := make([]float32, f.n)
	for i := range ones {
		ones[i] = 1
	}
	return []explore.Summary{{Sums: ones, Spread: ones}}, nil
}

func (f formula) Received(context.Context, int, gaze.Span, gaze.Span) ([][]float64, error) {
	return f.strip(), nil
}

func (f formula) Given(context.Context, int, gaze.Span, gaze.Span) ([][]float64, error) {
	return f.strip(), nil
}

func (f formula) Rollout(context.Context, int, int) ([]float64, error) { return f.strip()[0], nil }
func (f formula) Close() error                                         { return nil }

// A host asks for nothing.
type host struct{}

func (host) Run(string)                   {}
func (host) Variant(int)                  {}
func (host) Pause(bool)                   {}
func (host) Read(string) (string, error)  { return "", nil }
func (host) Wake()                        {}
func (host) Copy(string)                  {}
func (host) Print(string)                 {}
func (host) Quit()                        {}
func (host) Label(key explore.Key) string { return string(key) }

// A job is an app that does one thing, on the window's thread, and then closes it.
type job struct {
	*explore.Explorer
	do func()
}

func (j *job) Presents(vk.Adapter)   {}
func (j *job) Unreadable(error) bool { return false }

func (j *job) Frame(now time.Time) (*explore.Frame, bool) {
	if do := j.do; do != nil {
		j.do = nil
		do()
	}
	return j.Explorer.Frame(now)
}

// BenchmarkFrames draws and presents the frames of a map of 8192 tokens, all of
// which is there: after a change of scale (cold: each cell has another colour), after a
// move of the mouse (warm), of another part (pan) and in other colours. The CPU colours
// the map, or the device that shows it has the cells and does.
func BenchmarkFrames(b *testing.B) {
	for _, size := range [][2]int{{1920, 1080}, {3840, 2160}} {
		b.Run(fmt.Sprintf("%dx%d/cpu", size[0], size[1]), func(b *testing.B) { benchmarkFrames(b, size, nil) })
		b.Run(fmt.Sprintf("%dx%d/device", size[0], size[1]), func(b *testing.B) {
			device, err := vk.Open("auto")
			if err != nil {
				b.Fatal(err)
			}
			defer device.Close()
			if !device.Adapter().Features.SharedMemory {
				b.Skipf("%s shares no memory", device.Adapter().Name)
			}
			shared, err := device.NewShared("cells", min(1<<30, device.Adapter().Limits.StorageRange))
			if err != nil {
				b.Fatal(err)
			}
			defer shared.Close()
			benchmarkFrames(b, size, &memory{device: device, shared: shared})
		})
	}
}

func benchmarkFrames(b *testing.B, size [2]int, cells *memory) {
	const n = 8192
	display.Start(b, size[0], size[1])
	var w *Window
	var drawing time.Duration
	frames := &job{Explorer: explore.New(host{}, explore.DefaultSettings())}
	run := &explore.Run{Name: "formula", Heads: 1, Layers: []gaze.Pattern{gaze.Full{}}, Tokens: make([]explore.Token, n), Source: formula{n, cells}}
	e := frames.Explorer
	e.Open(run)
	e.Complete(run, 1)
	e.Progress(1)
	present := func() {
		begun := time.Now()
		frame, _ := e.Frame(begun)
		drawing += time.Since(begun)
		if err := w.presenter.Present(context.Background(), w.convert(frame)); err != nil {
			b.Fatal(err)
		}
	}
	rest := func() {
		for e.Frame(time.Now()); e.Busy(); e.Frame(time.Now()) {
			time.Sleep(time.Millisecond)
		}
	}
	press := func(key explore.Key) func(int) { return func(int) { e.Handle(explore.Press{Key: key}) } }
	middleX, middleY := float64(size[0])*0.4, float64(size[1])*0.4
	move := func(i int) { e.Handle(explore.Move{X: middleX + float64(i%40), Y: middleY + float64(i%40)}) }
	frames.do = func() {
		e.Do("open")
		rest()
		move(0)
		for range 4 {
			e.Handle(explore.Wheel{Y: 1})
		}
		rest()
		for _, c := range []struct {
			name string
			do   func(i int)
		}{{"cold", press("l")}, {"warm", move}, {"colors", press("m")}, {"pan", func(i int) {
			e.Handle(explore.Click{Button: explore.Left, Down: i%40 == 0})
			move(i)
		}}} {
			for i := range 40 { // what that needs
				c.do(i)
				rest()
			}
			present()
			b.Run(c.name, func(b *testing.B) {
				i := 0
				drawing = 0
				for b.Loop() {
					c.do(i)
					present()
					i++
				}
				b.ReportMetric(float64(drawing.Microseconds())/1000/float64(i), "ms/draw")
			})
			e.Handle(explore.Click{Button: explore.Left})
		}
		w.Close()
	}
	err := Run(context.Background(), Options{Title: "benchmark", Width: size[0], Height: size[1], Device: "auto"}, func(opened *Window) App { w = opened; return frames })
	if err != nil {
		b.Fatal(err)
	}
	e.Close()
}
