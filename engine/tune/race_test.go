package tune

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gazevk/gaze/engine/bench"
)

// far is a deadline that never comes.
var far = time.Now().Add(24 * time.Hour)

// timed returns a candidate's run that takes what seconds says, and counts laps.
func timed(laps []int, seconds ...float64) func(int, bool) (float64, bool, error) {
	return func(i int, first bool) (float64, bool, error) {
		laps[i]++
		return seconds[i], true, nil
	}
}

// Those far behind fall out after one lap, those behind after some; the default
// never does. The lap that compiles does not count.
func TestRace(t *testing.T) {
	laps := make([]int, 5)
	samples, err := race(5, far, timed(laps, 10, 1, 1.1, 1.3, 1.7))
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{1 + most, 1 + most, 1 + most, 1 + fewest, 1}; !slices.Equal(laps, want) {
		t.Errorf("laps %v, expected %v", laps, want)
	}
	for i, want := range []int{most, most, most, fewest, 1} {
		if len(samples[i]) != want {
			t.Errorf("candidate %d has %d samples, expected %d", i, len(samples[i]), want)
		}
	}
}

func TestRaceColdLap(t *testing.T) {
	samples, err := race(2, far, func(i int, first bool) (float64, bool, error) {
		if first {
			return 50, true, nil
		}
		return float64(1 + i), true, nil
	})
	if err != nil || slices.Max(samples[0]) != 1 || slices.Max(samples[1]) != 2 {
		t.Errorf("%v, %v", samples, err)
	}
}

// Candidates take turns, so that what disturbs the machine hits all.
func TestRaceTakesTurns(t *testing.T) {
	order := ""
	if _, err := race(2, far, func(i int, first bool) (float64, bool, error) {
		order += fmt.Sprint(i)
		return 1, true, nil
	}); err != nil {
		t.Fatal(err)
	}
	for i, c := range order {
		if int(c-'0') != i%2 {
			t.Fatalf("the order is %s", order)
		}
	}
}

// Past the deadline there are as many laps as a median needs.
func TestRaceDeadline(t *testing.T) {
	laps := make([]int, 2)
	if _, err := race(2, time.Now().Add(-time.Second), timed(laps, 1, 1)); err != nil || laps[0] != 1+fewest || laps[1] != 1+fewest {
		t.Errorf("laps %v, %v", laps, err)
	}
}

// Past the deadline too, one that beats the default must do so in every lap, and one
// that is slower gets no more.
func TestRaceChallenger(t *testing.T) {
	laps := make([]int, 3)
	if _, err := race(3, time.Now().Add(-time.Second), timed(laps, 1, 0.8, 1.1)); err != nil || !slices.Equal(laps, []int{1 + most, 1 + most, 1 + fewest}) {
		t.Errorf("laps %v, %v", laps, err)
	}
	// It led by chance: once it no longer does, the race is over.
	laps = make([]int, 2)
	if _, err := race(2, time.Now().Add(-time.Second), func(i int, first bool) (float64, bool, error) {
		if laps[i]++; laps[i] > 1+fewest {
			return 1, true, nil
		}
		return 1 - 0.2*float64(i), true, nil
	}); err != nil || laps[0] <= 1+fewest || laps[0] >= 1+most {
		t.Errorf("laps %v, %v", laps, err)
	}
}

// One that is out gets no lap more and no time; an error ends all.
func TestRaceOut(t *testing.T) {
	laps := make([]int, 3)
	samples, err := race(3, far, func(i int, first bool) (float64, bool, error) {
		laps[i]++
		return 1, i != 1, nil
	})
	if err != nil || laps[1] != 1 || len(samples[1]) != 0 || len(samples[2]) != most {
		t.Errorf("laps %v, samples %v, %v", laps, samples, err)
	}
	lost := errors.New("lost")
	for _, at := range []bool{true, false} {
		if _, err := race(2, far, func(i int, first bool) (float64, bool, error) {
			if first == at && i == 1 {
				return 0, false, lost
			}
			return 1, true, nil
		}); err != lost {
			t.Errorf("the error is %v", err)
		}
	}
}

// Who fell out cannot win, quick as its moment was.
func TestSpreads(t *testing.T) {
	got := spreads([][]float64{{2, 3, 4}, {1}, nil, {5, 6, 7}})
	if got[0].Median != 3 || got[1] != (bench.Spread{}) || got[2] != (bench.Spread{}) || got[3].Median != 6 {
		t.Errorf("%+v", got)
	}
}

func TestChoose(t *testing.T) {
	// spread has quartiles so far from the median as half says.
	spread := func(median, half float64) bench.Spread {
		return bench.Spread{Least: median - 2*half, Quarter: median - half, Median: median, Quarter3: median + half, Most: median + 2*half}
	}
	none := bench.Spread{}
	for name, c := range map[string]struct {
		spreads []bench.Spread
		want    int
	}{
		"alone":                          {[]bench.Spread{spread(10, 1)}, 0},
		"slower":                         {[]bench.Spread{spread(10, 0.1), spread(12, 0.1)}, 0},
		"clearly quicker":                {[]bench.Spread{spread(10, 0.1), spread(8, 0.1)}, 1},
		"quicker by less than noise":     {[]bench.Spread{spread(10, 0.01), spread(9.8, 0.01)}, 0},
		"quicker, and spread":            {[]bench.Spread{spread(10, 1.5), spread(8, 1.5)}, 0},
		"the default spread":             {[]bench.Spread{spread(10, 2.5), spread(8, 0.1)}, 0},
		"the quickest of several":        {[]bench.Spread{spread(10, 0.1), spread(8, 0.1), spread(6, 0.1), spread(7, 0.1)}, 2},
		"the first of equals":            {[]bench.Spread{spread(10, 0.1), spread(6.1, 0.1), spread(6, 0.1)}, 1},
		"others that were never timed":   {[]bench.Spread{spread(10, 0.1), none, spread(6, 0.1), none}, 2},
		"all others out":                 {[]bench.Spread{spread(10, 0.1), none, none}, 0},
		"a default that ties with best":  {[]bench.Spread{spread(6.1, 0.1), spread(8, 0.1), spread(6, 0.1)}, 0},
		"a tie that spreads wide":        {[]bench.Spread{spread(10, 0.1), spread(9, 4), spread(6, 0.1)}, 2},
		"never as quick as the default":  {[]bench.Spread{{Least: 7, Quarter: 9, Median: 10, Quarter3: 11, Most: 12}, {Least: 7, Quarter: 7.5, Median: 8, Quarter3: 8.5, Most: 9}}, 0},
		"one that is only in the middle": {[]bench.Spread{spread(10, 0.1), spread(8, 0.1), spread(12, 0.1)}, 1},
	} {
		if got := choose(c.spreads); got != c.want {
			t.Errorf("%s: %d is chosen, expected %d", name, got, c.want)
		}
	}
}
