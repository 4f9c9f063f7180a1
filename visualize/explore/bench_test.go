package explore

import (
	"strings"
	"testing"
	"time"
)

// session is what a person does to a long text: open, zoom in at the mouse, pan,
// and read off.
const session = `
	press enter
	move 500 400
	wheel 1
	wheel 1
	wheel 1
	wheel 1
	wheel 1
	down left
	move 480 380
	move 440 350
	move 400 300
	up left
	move 420 310
	move 430 320
	wheel -1
	wheel -1
	wheel -1
	press l
	press m
	press shift+d`

// frames plays the session once and returns how long its frames took to draw,
// and the longest.
func frames(b *testing.B, e *Explorer, host *fakeHost, settle bool) (total, longest time.Duration, count int) {
	s, err := ParseScript("session", strings.NewReader(session))
	if err != nil {
		b.Fatal(err)
	}
	for {
		ended, err := s.Step(e)
		if err != nil {
			b.Fatal(err)
		}
		if ended {
			return total, longest, count
		}
		begin := time.Now()
		e.Frame(begin)
		took := time.Since(begin)
		total, longest, count = total+took, max(longest, took), count+1
		if settle {
			rest(b, e, host)
		}
	}
}

// BenchmarkFrames draws the frames of a session at 1920 x 1080 over 8192 tokens:
// cold, where tiles are missing and come later, and warm, where all are there.
// What computes the tiles is no part of it.
func BenchmarkFrames(b *testing.B) {
	for _, warm := range []bool{false, true} {
		name := map[bool]string{false: "cold", true: "warm"}[warm]
		b.Run(name, func(b *testing.B) {
			var total, longest time.Duration
			count := 0
			for b.Loop() {
				run, source := fakeRun(8192, 1, 1)
				source.weight = func(_, _, query, key int) float64 { return 1 / float64(1+(query^key)&1023) }
				e, host := opened(b, run, 1920, 1080)
				if warm {
					frames(b, e, host, true)
					press(e, "backspace", "home")
				}
				t, l, c := frames(b, e, host, warm)
				total, longest, count = total+t, max(longest, l), count+c
				e.Close()
				run.Source = nil
			}
			b.ReportMetric(float64(total.Microseconds())/1000/float64(count), "ms/frame")
			b.ReportMetric(float64(longest.Microseconds())/1000, "ms/longest")
		})
	}
}
