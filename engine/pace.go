package engine

import (
	"slices"
	"sort"
	"time"
)

// submitTime is how long one submit should keep a device busy at most: a desktop
// on the same GPU stays alive, and watchdogs (2 s and more) never fire.
const submitTime = 80 * time.Millisecond

// A pace learns how fast a device is. It does so for each kernel by itself: one
// unit of cost takes softmax ten times as long as a matrix product.
type pace struct {
	first float64            // cost a second of a kernel that has not run yet
	rates map[string]float64 // of the others
}

func newPace(t Traits) pace {
	// Low on purpose: a first submit that is too small costs a fraction of a millisecond.
	if t.CPU {
		return pace{2e8, map[string]float64{}}
	}
	return pace{2e10, map[string]float64{}}
}

// cost is the work of a pass, in multiply-adds; moving four bytes counts as one.
func cost(p Pass) float64 { return float64(p.MultiplyAdds) + float64(p.Bytes)/4 }

func (p *pace) rate(kernel string) float64 {
	if rate := p.rates[kernel]; rate > 0 {
		return rate
	}
	return p.first
}

// seconds foretells how long a pass will take.
func (p *pace) seconds(pass Pass) float64 { return cost(pass) / p.rate(pass.Kernel) }

// schedule hands passes, in order, to submit in batches that take about
// submitTime each, cutting those that take longer by themselves.
func (p *pace) schedule(passes []Pass, submit func([]Pass) error) error {
	const budget = float64(submitTime) / float64(time.Second)
	var batch []Pass
	left := budget
	flush := func() (err error) {
		if len(batch) > 0 {
			err = submit(batch)
		}
		batch, left = nil, budget
		return err
	}
	queue := slices.Clone(passes)
	slices.Reverse(queue) // what comes next is last
	for len(queue) > 0 {
		pass := queue[len(queue)-1]
		need := p.seconds(pass)
		fits := need < left*1.25 // cutting off crumbs gains nothing
		if !fits && left < budget/2 {
			if err := flush(); err != nil {
				return err
			}
			continue
		}
		queue = queue[:len(queue)-1]
		if !fits {
			if now, later, ok := pass.cut(left / need); ok {
				queue = append(queue, later, now)
				continue
			}
		}
		batch = append(batch, pass)
		if left -= need; left <= 0 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// learn corrects the pace by a submit that took elapsed in all. times has the
// time of each pass, or nothing on a device without timestamps.
func (p *pace) learn(passes []Pass, times []time.Duration, elapsed time.Duration) {
	foretold := 0.0
	costs, seconds := map[string]float64{}, map[string]float64{}
	for i, pass := range passes {
		t := p.seconds(pass)
		foretold += t
		if len(times) > 0 {
			t = times[i].Seconds()
		}
		costs[pass.Kernel] += cost(pass)
		seconds[pass.Kernel] += t
	}
	for kernel, cost := range costs {
		t := seconds[kernel]
		if len(times) == 0 { // all kernels were equally far from what was foretold
			t *= elapsed.Seconds() / foretold
		}
		p.took(kernel, cost, t)
	}
}

// took corrects the pace by how many seconds a kernel took for some cost in one
// submit. One slow submit (another program on the GPU) or quick one moves it by a
// factor of four at most.
func (p *pace) took(kernel string, cost, seconds float64) {
	if cost <= 0 || !(seconds > 0) {
		return
	}
	old, now := p.rate(kernel), cost/seconds
	if seconds < submitTime.Seconds()/8 && now < old {
		return // too short to tell: mostly the start of the dispatch
	}
	p.rates[kernel] = min(max(now, old/4), old*4)
}

// cut divides a pass in two, the first with about share (0 to 1) of its work, if
// it has more than one workgroup: by query tiles while there are several, then by
// heads, then by what dimension 2 counts. Tiles tells the work of a query tile.
func (p Pass) cut(share float64) (now, later Pass, ok bool) {
	dimension := 0
	for dimension < 2 && p.Groups[dimension] < 2 {
		dimension++
	}
	groups := int(p.Groups[dimension])
	if p.Kernel == "" || groups < 2 {
		return p, Pass{}, false
	}
	// upTo is the share of the work in the first count workgroups.
	upTo := func(count int) float64 { return float64(count) / float64(groups) }
	if p.Tiles != nil && dimension == 0 {
		tiles := p.Tiles[p.Base[0]:][:groups+1]
		if all := tiles[groups] - tiles[0]; all > 0 {
			upTo = func(count int) float64 { return float64(tiles[count]-tiles[0]) / float64(all) }
		}
	}
	count := sort.Search(groups-1, func(i int) bool { return upTo(i+1) > share })
	count = max(count, 1)
	now, later = p, p
	now.Groups[dimension] = uint32(count)
	later.Groups[dimension] -= uint32(count)
	later.Base[dimension] += uint32(count)
	part := func(x int64) int64 { return min(int64(float64(x)*upTo(count)), x) }
	now.MultiplyAdds, now.Bytes = part(p.MultiplyAdds), part(p.Bytes)
	later.MultiplyAdds, later.Bytes = p.MultiplyAdds-now.MultiplyAdds, p.Bytes-now.Bytes
	return now, later, true
}
