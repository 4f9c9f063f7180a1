package engine

import "time"

// submitTime is how long one submit should keep a device busy at most: a desktop
// on the same GPU stays alive, and watchdogs (2 s and more) never fire.
const submitTime = 80 * time.Millisecond

// A pace learns how much work a device does in submitTime.
type pace struct{ perSecond float64 }

func newPace(t Traits) pace {
	// Low on purpose: a first submit that is too small costs a fraction of a millisecond.
	if t.CPU {
		return pace{2e8}
	}
	return pace{2e10}
}

// cost is the work of a pass, in multiply-adds; moving four bytes counts as one.
func cost(p Pass) float64 { return float64(p.MultiplyAdds) + float64(p.Bytes)/4 + 1 }

// budget is the cost of one submit.
func (p *pace) budget() float64 { return p.perSecond * submitTime.Seconds() }

// took corrects the pace by what a submit took. One slow submit (another program
// on the GPU) or quick one moves it by a factor of four at most.
func (p *pace) took(cost float64, t time.Duration) {
	if t <= 0 {
		return
	}
	rate := cost / t.Seconds()
	if t < submitTime/8 && rate < p.perSecond {
		return // too short to tell: mostly the submit itself
	}
	p.perSecond = min(max(rate, p.perSecond/4), p.perSecond*4)
}

// split cuts a pass that costs more than left along its first dimension.
func (p Pass) split(left float64) (now, later Pass, more bool) {
	total := cost(p)
	if total <= left || p.Kernel == "" || p.Groups[0] < 2 {
		return p, Pass{}, false
	}
	groups := p.Groups[0]
	first := min(max(uint32(left/total*float64(groups)), 1), groups)
	if first == groups {
		return p, Pass{}, false
	}
	now, later = p, p
	now.Groups[0], later.Groups[0], later.Base[0] = first, groups-first, p.Base[0]+first
	share := func(x int64) int64 { return int64(float64(x) * float64(first) / float64(groups)) }
	now.MultiplyAdds, now.Bytes = share(p.MultiplyAdds), share(p.Bytes)
	later.MultiplyAdds, later.Bytes = p.MultiplyAdds-now.MultiplyAdds, p.Bytes-now.Bytes
	return now, later, true
}
