package engine

import (
	"slices"
	"sort"
	"time"
)

// submitTime is how long one submit should keep a device busy at most: a desktop
// on the same GPU stays alive, and watchdogs (2 s and more) never fire.
const (
	submitTime    = 80 * time.Millisecond
	submitSeconds = float64(submitTime) / float64(time.Second)
)

// A pace learns how fast a device is. It does so for each kernel by itself: one
// unit of cost takes softmax ten times as long as a matrix product.
type pace struct {
	first float64            // cost a second of a kernel that has not run yet
	rates map[string]float64 // of the others
	sums  map[string]work    // of one submit, while it is learned from
}

// A work is a cost and the seconds that it took.
type work struct{ cost, seconds float64 }

func newPace(t Traits) pace {
	// Low on purpose: a first submit that is too small costs a fraction of a millisecond.
	if t.CPU {
		return pace{first: 2e8, rates: map[string]float64{}}
	}
	return pace{first: 2e10, rates: map[string]float64{}}
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

// A queue is the passes of a step that are yet to be submitted: the parts of one
// that was cut, the next last, and then the rest.
type queue struct{ parts, rest []Pass }

func (q *queue) empty() bool { return len(q.parts)+len(q.rest) == 0 }

func (q *queue) next() Pass {
	if last := len(q.parts) - 1; last >= 0 {
		return q.parts[last]
	}
	return q.rest[0]
}

func (q *queue) drop() {
	if last := len(q.parts) - 1; last >= 0 {
		q.parts = q.parts[:last]
	} else {
		q.rest = q.rest[1:]
	}
}

func (q *queue) clone() queue { return queue{slices.Clone(q.parts), q.rest} }

// next takes the passes of one submit from q: so many that it takes about
// submitTime, cutting one that takes longer by itself.
func (p *pace) next(q *queue) []Pass {
	var batch []Pass
	for left := submitSeconds; left > 0 && !q.empty(); {
		pass := q.next()
		need := p.seconds(pass)
		fits := need < left*1.25 // cutting off crumbs gains nothing
		if !fits && left < submitSeconds/2 {
			break
		}
		q.drop()
		if !fits {
			if now, later, ok := pass.cut(left / need); ok {
				q.parts = append(q.parts, later, now)
				continue
			}
		}
		batch = append(batch, pass)
		left -= need
	}
	return batch
}

// keeps reports whether passes that were once the next of a submit still are, near
// enough: a pace that changes a little with every submit is no reason to record
// anew. The last of a step may take as little time as they like.
func (p *pace) keeps(passes []Pass, last bool) bool {
	before, seconds := 0.0, 0.0
	for _, pass := range passes {
		before, seconds = seconds, seconds+p.seconds(pass)
	}
	if seconds > 1.5*submitSeconds { // of need, if it is for the last and that cannot be cut
		_, _, ok := passes[len(passes)-1].cut(0.5)
		return !ok && before < submitSeconds
	}
	return last || seconds > submitSeconds/4
}

// learn corrects the pace by a submit that took elapsed in all. times has the
// time of each pass, or nothing on a device without timestamps.
func (p *pace) learn(passes []Pass, times []time.Duration, elapsed time.Duration) {
	foretold := 0.0
	if p.sums == nil {
		p.sums = map[string]work{}
	}
	clear(p.sums)
	for i, pass := range passes {
		t := p.seconds(pass)
		foretold += t
		if len(times) > 0 {
			t = times[i].Seconds()
		}
		sum := p.sums[pass.Kernel]
		p.sums[pass.Kernel] = work{sum.cost + cost(pass), sum.seconds + t}
	}
	for kernel, sum := range p.sums {
		if len(times) == 0 { // all kernels were equally far from what was foretold
			sum.seconds *= elapsed.Seconds() / foretold
		}
		p.took(kernel, sum.cost, sum.seconds)
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
	if seconds < submitSeconds/8 && now < old {
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
