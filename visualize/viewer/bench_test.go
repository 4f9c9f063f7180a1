package viewer

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/tests/display"
	"github.com/gazevk/gaze/visualize/explore"
	"github.com/gazevk/gaze/vk"
)

// A formula is a source whose maps cost nothing.
type formula struct{ n int }

func (f formula) Cells(_ context.Context, r explore.Request) ([]float32, error) {
	rows, columns := r.Rectangle.Cells(gaze.Square(r.Cell))
	cells := make([]float32, rows*columns)
	for i := range cells {
		cells[i] = float32(math.Exp2(-float64((i%columns*37 ^ i/columns*11) % 16)))
	}
	return cells, nil
}

func (f formula) Room(int) explore.Room { return nil }
func (f formula) Place(context.Context, explore.Request, explore.Room, explore.Mix) error {
	return explore.ErrElsewhere
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

func (j *job) Presents(vk.Adapter) {}

func (j *job) Frame(now time.Time) (*explore.Frame, bool) {
	if do := j.do; do != nil {
		j.do = nil
		do()
	}
	return j.Explorer.Frame(now)
}

// BenchmarkFrames draws and presents the frames of a map of 8192 tokens, all of
// which is there: after a change of scale (cold: each cell has another colour), after a
// move of the mouse (warm), of another part (pan) and in other colours.
func BenchmarkFrames(b *testing.B) {
	const n = 8192
	for _, size := range [][2]int{{1920, 1080}, {3840, 2160}} {
		display.Start(b, size[0], size[1])
		var w *Window
		var drawing time.Duration
		frames := &job{Explorer: explore.New(host{}, explore.DefaultSettings())}
		run := &explore.Run{Name: "formula", Heads: 1, Layers: []gaze.Pattern{gaze.Full{}}, Tokens: make([]explore.Token, n), Source: formula{n}}
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
				b.Run(fmt.Sprintf("%dx%d/%s", size[0], size[1], c.name), func(b *testing.B) {
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
}
