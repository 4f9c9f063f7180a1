package explore

import (
	"math"
	"testing"
	"time"

	"github.com/gazevk/gaze"
)

func TestPace(t *testing.T) {
	var p pace
	if p.expects(1) < time.Hour {
		t.Error("what is not known is expected to be quick")
	}
	p.add(time.Second, 1000)
	if got := p.expects(500); got != 500*time.Millisecond {
		t.Errorf("500 pairs are expected to take %v", got)
	}
	for range 20 { // it is another device now
		p.add(time.Second, 1<<26)
	}
	if got := p.expects(1 << 26); got < 999*time.Millisecond || got > 1001*time.Millisecond {
		t.Errorf("it forgets slowly: %v", got)
	}
}

// Pairs are counted as they are masked.
func TestPairs(t *testing.T) {
	run, _ := fakeRun(1000, 2, 3)
	all := gaze.Span{End: 1000}
	near := func(got, want float64) bool { return math.Abs(got-want) < 0.02*want }
	for h, want := range map[head]float64{
		{0, 1}: 1e6, {0, mean}: 3e6, {1, 0}: 6000, {1, mean}: 18000, {mean, mean}: 3e6 + 18000,
	} {
		if got := run.pairs(h, gaze.Rectangle{Queries: all, Keys: all}); !near(got, want) {
			t.Errorf("%v: %v pairs, want %v", h, got, want)
		}
	}
	if got := run.pairs(head{0, 0}, gaze.Rectangle{Queries: gaze.Span{First: 990, End: 1000}, Keys: gaze.Span{First: 100, End: 300}}); got != 2000 {
		t.Errorf("10 x 200 pairs: %v", got)
	}
	run.Lengths = gaze.Lengths{600, 400}
	if got := run.pairs(head{0, 0}, gaze.Rectangle{Queries: all, Keys: all}); !near(got, 600*600+400*400) {
		t.Errorf("of two sequences %v pairs", got)
	}
	tile := tilePart{of: run, head: head{0, 0}, cell: 4}
	of := map[part]float64{tile: 520000, tile.coarse(): 65000, thumbnailPart{run, 0}: 3 * 520000,
		exportPart{tile, gaze.Rectangle{Queries: gaze.Span{End: 10}, Keys: gaze.Span{End: 50}}}: 500}
	tile.minus = other{run, head{1, 0}}
	of[tile] = 526000
	for p, want := range of {
		if got := p.(interface{ pairs() float64 }).pairs(); !near(got, want) {
			t.Errorf("%T of %v: %v pairs, want %v", p, tile.minus.run != nil, got, want)
		}
	}
}
