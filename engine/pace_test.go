package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// cells lists the workgroups of a pass.
func cells(p Pass) [][3]uint32 {
	var list [][3]uint32
	for z := range p.Groups[2] {
		for y := range p.Groups[1] {
			for x := range p.Groups[0] {
				list = append(list, [3]uint32{p.Base[0] + x, p.Base[1] + y, p.Base[2] + z})
			}
		}
	}
	return list
}

// TestCutKeepsAll holds that cutting a pass until nothing is left to cut loses
// no workgroup, repeats none, and shares out all of the work.
func TestCutKeepsAll(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		whole := Pass{Kernel: "k", Push: map[string]any{},
			Base:         [3]uint32{random.Uint32N(5), random.Uint32N(3), random.Uint32N(3)},
			Groups:       [3]uint32{1 + random.Uint32N(12), 1 + random.Uint32N(4), 1 + random.Uint32N(4)},
			MultiplyAdds: random.Int64N(1 << 40), Bytes: random.Int64N(1 << 30)}
		first := []uint32{0}
		for len(first) < 30 {
			first = append(first, first[len(first)-1]+random.Uint32N(3)*random.Uint32N(50))
		}
		if random.IntN(2) == 0 {
			whole.Tiles = first
		}
		done := map[[3]uint32]int{}
		multiplyAdds, bytes := int64(0), int64(0)
		queue := []Pass{whole}
		for len(queue) > 0 {
			pass := queue[0]
			queue = queue[1:]
			share := random.Float64()
			now, later, ok := pass.cut(share)
			if !ok {
				if len(cells(pass)) != 1 {
					t.Fatalf("%v workgroups are not cut", pass.Groups)
				}
				done[cells(pass)[0]]++
				multiplyAdds += pass.MultiplyAdds
				bytes += pass.Bytes
				continue
			}
			if now.MultiplyAdds < 0 || later.MultiplyAdds < 0 || now.Bytes < 0 || later.Bytes < 0 {
				t.Fatalf("%+v is cut into %+v and %+v", pass, now, later)
			}
			if len(cells(now))+len(cells(later)) != len(cells(pass)) {
				t.Fatalf("%+v is cut into %+v and %+v", pass, now, later)
			}
			if cost(now) > share*cost(pass)*(1+1e-9) && now.Groups[0] > 1 {
				t.Fatalf("a share of %v of %v is %v", share, cost(pass), cost(now))
			}
			queue = append(queue, now, later)
		}
		for _, cell := range cells(whole) {
			if done[cell] != 1 {
				t.Fatalf("workgroup %v of %+v ran %d times", cell, whole, done[cell])
			}
		}
		if len(done) != len(cells(whole)) || multiplyAdds != whole.MultiplyAdds || bytes != whole.Bytes {
			t.Fatalf("%+v: %d workgroups, %d multiply-adds and %d bytes in parts", whole, len(done), multiplyAdds, bytes)
		}
	}
}

// TestCutKnowsHeavyTiles: the first tile of a global token walks all keys, so a
// share of the work is not that share of the tiles.
func TestCutKnowsHeavyTiles(t *testing.T) {
	pass := Pass{Kernel: "k", Tiles: []uint32{0, 97, 98, 99, 100}, Groups: [3]uint32{4, 2, 1}, MultiplyAdds: 1000}
	now, later, ok := pass.cut(0.98)
	if !ok || now.Groups[0] != 2 || now.MultiplyAdds != 980 || later.Base[0] != 2 || later.MultiplyAdds != 20 {
		t.Errorf("cut into %+v and %+v", now, later)
	}
	now, _, _ = pass.cut(0.5) // less than one tile: the heads come next
	now, later, ok = now.cut(0.5)
	if !ok || now.Groups != [3]uint32{1, 1, 1} || later.Base != [3]uint32{0, 1, 0} {
		t.Errorf("cut into %+v and %+v", now, later)
	}
	if _, _, ok := (Pass{Groups: [3]uint32{4, 2, 1}}).cut(0.5); ok {
		t.Error("a fill was cut")
	}
}

// A device that is not there: it does cost at a rate for each kernel, after a
// fixed time for each submit.
type imagined struct {
	rate       func(kernel string) float64
	timestamps bool
}

const submitOverhead = 200 * time.Microsecond

func (d imagined) run(passes []Pass) (times []time.Duration, elapsed time.Duration) {
	elapsed = submitOverhead
	for _, pass := range passes {
		t := time.Duration(cost(pass) / d.rate(pass.Kernel) * float64(time.Second))
		elapsed += t
		if d.timestamps {
			times = append(times, t)
		}
	}
	return times, elapsed
}

// endless is a pass that can be cut as finely as time demands.
func endless(kernel string, work float64) Pass {
	return Pass{Kernel: kernel, Groups: [3]uint32{1 << 30, 1, 1}, MultiplyAdds: int64(work)}
}

// schedule hands passes, in order, to submit in batches of about submitTime.
func (p *pace) schedule(passes []Pass, submit func([]Pass) error) error {
	for q := (queue{rest: passes}); !q.empty(); {
		if err := submit(p.next(&q)); err != nil {
			return err
		}
	}
	return nil
}

// submits runs passes on d and returns how long each submit took.
func (p *pace) submits(t *testing.T, d imagined, passes []Pass) []time.Duration {
	t.Helper()
	var all []time.Duration
	err := p.schedule(passes, func(batch []Pass) error {
		times, elapsed := d.run(batch)
		p.learn(batch, times, elapsed)
		all = append(all, elapsed)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

const longest = 105 * time.Millisecond // submitTime, a quarter more for crumbs, and the overhead

func TestPaceFindsTheRate(t *testing.T) {
	for _, timestamps := range []bool{true, false} {
		for _, cpu := range []bool{true, false} {
			for exponent := 7; exponent <= 14; exponent++ {
				rate := math.Pow10(exponent)
				p := newPace(Traits{CPU: cpu})
				d := imagined{func(string) float64 { return rate }, timestamps}
				times := p.submits(t, d, []Pass{endless("k", 5*rate)}) // five seconds of work
				// A factor of four a submit lies between guess and truth.
				wrong := int(math.Ceil(math.Abs(math.Log(p.first/rate))/math.Log(4))) + 1
				for i, took := range times {
					if i >= wrong && took > longest {
						t.Errorf("1e%d a second, CPU %v: submit %d of %d took %v", exponent, cpu, i, len(times), took)
					}
				}
				if rate >= p.first {
					if slow := len(times) - wrong; slow > 5*14 { // 5 s in parts of 80 ms
						t.Errorf("1e%d a second, CPU %v: %d submits", exponent, cpu, len(times))
					}
					for i, took := range times {
						if took > longest {
							t.Errorf("1e%d a second, CPU %v: submit %d took %v though the first guess was low", exponent, cpu, i, took)
						}
					}
				}
			}
		}
	}
}

// TestPaceKnowsKernels: one kernel's rate says nothing of another's.
func TestPaceKnowsKernels(t *testing.T) {
	d := imagined{func(kernel string) float64 { return map[string]float64{"quick": 1e12, "slow": 1e10}[kernel] }, true}
	p := newPace(Traits{})
	p.submits(t, d, []Pass{endless("slow", 1e10), endless("quick", 1e12)})
	for i, took := range p.submits(t, d, []Pass{endless("quick", 2e11), endless("slow", 3e10), endless("quick", 3e12)}) {
		if took > longest {
			t.Errorf("submit %d took %v", i, took)
		}
	}
}

// TestPaceFollowsChange: a device that becomes ten times slower (it got hot, or
// another program came) is given less within three submits, and more again after.
func TestPaceFollowsChange(t *testing.T) {
	rate := 1e11
	d := imagined{func(string) float64 { return rate }, true}
	p := newPace(Traits{})
	p.submits(t, d, []Pass{endless("k", 5*rate)})
	rate = 1e10
	for i, took := range p.submits(t, d, []Pass{endless("k", 5*rate)}) {
		if i >= 2 && took > longest {
			t.Errorf("submit %d after the change took %v", i, took)
		}
	}
	rate = 1e11
	times := p.submits(t, d, []Pass{endless("k", 5*rate)})
	if len(times) > 3+5*14 {
		t.Errorf("%d submits for 5 s of work", len(times))
	}
	// A single submit that was far too slow or too quick does not count for much.
	before := p.rate("k")
	p.took("k", 8e9, 300)
	slow := p.rate("k")
	p.took("k", 8e9, 1e-9)
	if quick := p.rate("k"); slow < before/4 || quick > slow*4 {
		t.Errorf("one submit turned a rate of %v into %v, another into %v", before, slow, quick)
	}
}

// TestPaceIgnoresNonsense: times of nothing teach nothing.
func TestPaceIgnoresNonsense(t *testing.T) {
	p := newPace(Traits{})
	for _, seconds := range []float64{0, -1, math.NaN()} {
		p.took("k", 1e9, seconds)
	}
	p.took("k", 0, 1)
	p.took("k", 1e3, 1e-4) // far below the rate, but too short to tell
	p.learn([]Pass{{Kernel: "k"}}, nil, time.Second)
	if len(p.rates) > 0 {
		t.Errorf("learned %v", p.rates)
	}
}

// TestScheduleKeepsPlans: whatever the pace, the passes of a plan are submitted
// whole, in order, and the plan is not changed.
func TestScheduleKeepsPlans(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 30 {
		traits, request := randomTraits(random), randomRequest(random)
		plan, err := NewPlan(traits, request)
		if err != nil {
			t.Fatal(err)
		}
		before, _ := NewPlan(traits, request)
		p := pace{first: math.Pow(10, 3+6*random.Float64()), rates: map[string]float64{}}
		for _, s := range plan.Steps {
			var want, got [][3]uint32
			var names, wantNames []string
			for i, pass := range s.Passes {
				want = append(want, cells(pass)...)
				wantNames = append(wantNames, fmt.Sprint(i, pass.Kernel))
			}
			at := 0
			err := p.schedule(s.Passes, func(batch []Pass) error {
				for _, pass := range batch {
					for at < len(s.Passes) && !sameWork(pass, s.Passes[at]) {
						at++
					}
					if name := fmt.Sprint(at, pass.Kernel); len(names) == 0 || names[len(names)-1] != name {
						names = append(names, name)
					}
					got = append(got, cells(pass)...)
				}
				return nil
			})
			if err != nil || len(got) != len(want) || !reflect.DeepEqual(names, wantNames) {
				t.Fatalf("%+v: %d workgroups of %v are submitted as %d of %v: %v", request, len(want), wantNames, len(got), names, err)
			}
		}
		if !reflect.DeepEqual(plan, before) {
			t.Fatalf("%+v: scheduling changed the plan", request)
		}
	}
}

// sameWork reports whether part was cut from whole.
func sameWork(part, whole Pass) bool {
	return part.Kernel == whole.Kernel && reflect.DeepEqual(part.Push, whole.Push) && reflect.DeepEqual(part.Bind, whole.Bind)
}

// TestPaceKeepsWhatItWouldCutSo: what was recorded is kept while it takes about as
// long as a submit should, or cannot take less.
func TestPaceKeepsWhatItWouldCutSo(t *testing.T) {
	p := pace{first: 1}
	one := func(kernel string, seconds float64) Pass {
		return Pass{Kernel: kernel, Groups: [3]uint32{1, 1, 1}, Bytes: int64(4 * 1e6 * seconds)}
	}
	p.rates = map[string]float64{"k": 1e6}
	whole := one("k", submitSeconds)
	for _, c := range []struct {
		passes []Pass
		last   bool
		want   bool
	}{
		{[]Pass{whole}, false, true},
		{[]Pass{one("k", 0.1*submitSeconds)}, false, false},
		{[]Pass{one("k", 0.1*submitSeconds)}, true, true},
		{[]Pass{one("k", 0.7*submitSeconds), one("k", 0.7*submitSeconds)}, false, true},
		{[]Pass{one("k", 10*submitSeconds)}, true, true},
		{[]Pass{one("k", 0.5*submitSeconds), one("k", 10*submitSeconds)}, true, true},
		{[]Pass{one("k", 10*submitSeconds), one("k", 0.5*submitSeconds)}, true, false},
		{[]Pass{one("k", submitSeconds), endless("k", 1e6*submitSeconds)}, true, false},
		{[]Pass{endless("k", 1.4e6*submitSeconds)}, false, true},
		{[]Pass{endless("k", 1.6e6*submitSeconds)}, false, false},
	} {
		if got := p.keeps(c.passes, c.last); got != c.want {
			t.Errorf("%+v, the last: %v: kept %v", c.passes, c.last, got)
		}
	}
}
