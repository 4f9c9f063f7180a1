package tune

import (
	"time"

	"github.com/gazevk/gaze/engine/bench"
)

const (
	// noise is the share by which the better of two medians must be better.
	noise = 0.03
	// A candidate that takes so many times as long as the best in the first lap is
	// out, one that does by its median after fewest laps, too.
	hopeless, behind = 1.6, 1.15
	fewest, most     = 3, 9 // laps that count
)

// race times candidates 0, the default, to count-1 in turns, and returns the
// seconds of each, in their order; those that fall behind have fewer. run returns
// the seconds of one lap of candidate i; ok is false where it is out for another
// reason. The first lap decides who goes on, and does not count: caches are cold.
// After fewest laps more are run only until the deadline, unless another than the
// default leads: it takes all laps to believe that.
func race(count int, deadline time.Time, run func(i int, first bool) (seconds float64, ok bool, err error)) ([][]float64, error) {
	laps := make([][]float64, count)
	cold := make([]float64, count)
	var running []int
	best := 0.0
	for i := range count {
		seconds, ok, err := run(i, true)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		running, cold[i] = append(running, i), seconds
		if best == 0 || seconds < best {
			best = seconds
		}
	}
	running = keep(running, func(i int) bool { return cold[i] <= hopeless*best })
	for lap := 1; lap <= most && (lap <= fewest || time.Now().Before(deadline) || choose(spreads(laps)) != 0); lap++ {
		for _, i := range running {
			seconds, ok, err := run(i, false)
			if err != nil {
				return nil, err
			}
			if ok {
				laps[i] = append(laps[i], seconds)
			}
		}
		if lap == fewest {
			so := spreads(laps)
			best = 0
			for _, i := range running {
				if so[i].Median > 0 && (best == 0 || so[i].Median < best) {
					best = so[i].Median
				}
			}
			running = keep(running, func(i int) bool { return so[i].Median <= behind*best })
		}
	}
	for i := range count { // those that fell out at once have their one time
		if len(laps[i]) == 0 && cold[i] > 0 {
			laps[i] = []float64{cold[i]}
		}
	}
	return laps, nil
}

// spreads sums up the samples of the candidates that have as many as the default:
// those that fell out were timed at another time, and have none here.
func spreads(samples [][]float64) []bench.Spread {
	all := make([]bench.Spread, len(samples))
	for i, x := range samples {
		if len(x) == len(samples[0]) {
			all[i] = bench.SpreadOf(x)
		}
	}
	return all
}

// keep returns the candidates that good says, and always the default.
func keep(running []int, good func(i int) bool) []int {
	var kept []int
	for _, i := range running {
		if i == 0 || good(i) {
			kept = append(kept, i)
		}
	}
	return kept
}

// choose returns the winner: the default, candidate 0, unless the best is clearly
// quicker; then the first that is, and that the best is not clearly quicker than. So
// a tie leaves things as they are. Candidates without times have lost.
func choose(spreads []bench.Spread) int {
	best := 0
	for i, s := range spreads {
		if s.Median > 0 && s.Median < spreads[best].Median {
			best = i
		}
	}
	if !quicker(spreads[best], spreads[0]) {
		return 0
	}
	for i, s := range spreads {
		if s.Median > 0 && quicker(s, spreads[0]) && !quicker(spreads[best], s) {
			return i
		}
	}
	return best
}

// quicker reports whether a is quicker than b by more than noise: by its median, so
// that their middle halves have nothing in common, and by the least that each took,
// which what else the machine does touches last.
func quicker(a, b bench.Spread) bool {
	return a.Median < (1-noise)*b.Median && a.Quarter3 < b.Quarter && a.Least < (1-noise)*b.Least
}
