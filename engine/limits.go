package engine

import (
	"fmt"

	"github.com/gazevk/gaze"
)

const (
	largestTensor = 1 << 40 // bytes of one tensor: more than any device has
	largestScale  = 1e30    // of scores; beyond it products with them leave f32
)

// resolve returns r with its defaults filled in, or what no device can compute.
func (r Request) resolve(t Tier) (Request, error) {
	if err := r.Attention.Validate(); err != nil {
		return r, err
	}
	if s := r.Attention.ScoreScale(); s < 1/largestScale || s > largestScale {
		return r, fmt.Errorf("scale is %v: kernels compute in f32 and need one between %v and %v", s, 1/largestScale, largestScale)
	}
	if err := r.Lengths.Validate(); err != nil {
		return r, err
	}
	var err error
	if r.Precision, err = ParsePrecision(string(r.Precision)); err != nil {
		return r, err
	}
	if r.Path, err = ParsePath(string(r.Path)); err != nil {
		return r, err
	}
	return r, t.validate()
}

// limits reports what cannot fit before anything large is made.
func (p *planner) limits() error {
	t, heads := p.Traits, p.Attention.Heads
	if int64(heads) > largestTensor/p.outputBytes() {
		return fmt.Errorf("%d heads of %d tokens need more than %s a tensor: use fewer heads or split the batch", heads, p.rows, mebibytes(largestTensor))
	}
	// A pass has a workgroup for each query tile, or for each turnedRows rows.
	if groups := (p.rows + turnedRows - 1) / turnedRows; groups > t.GroupCount[0] {
		return fmt.Errorf("%d tokens need %d workgroups; %s dispatches %d at most: split the batch", p.rows, groups, t.Device, t.GroupCount[0])
	}
	if p.tile > t.GroupCount[2] || t.GroupCount[1] < 1 {
		return fmt.Errorf("%s dispatches %v workgroups at most; kernels of tier %s need %v", t.Device, t.GroupCount, t.Tier, [3]int{1, 1, p.tile})
	}
	return p.fits(bufMap, p.leastMapBytes())
}

// leastMapBytes returns a size that the block map has at least, at once: it counts
// the tiles that the first query of each tile sees, up to what the device binds.
// Building the map of full attention over a million tokens to learn that it is
// too large takes seconds and gigabytes.
func (p *planner) leastMapBytes() int64 {
	pattern := p.Attention.Visible()
	sequence, offset := 0, 0
	var spans []gaze.Span
	bytes := int64(4)
	for row := 0; row < p.rows && bytes <= p.Traits.StorageRange; row += p.tile {
		for row >= offset+p.Lengths[sequence] {
			offset += p.Lengths[sequence]
			sequence++
		}
		spans = pattern.AppendKeys(spans[:0], row-offset, p.Lengths[sequence])
		counted := -1
		for _, s := range spans {
			first, last := max((offset+s.First)/gaze.KeyTile, counted+1), (offset+s.End-1)/gaze.KeyTile
			bytes += 8 * int64(max(last-first+1, 0))
			counted = max(counted, last)
		}
		bytes += 4
	}
	return bytes
}

// fits reports a buffer of which every pass binds all, if it is too large for that.
func (p *planner) fits(buffer string, bytes int64) error {
	if bytes > p.Traits.StorageRange {
		return fmt.Errorf("the buffer of the %s needs at least %s; %s binds %s at most: use fewer tokens or a sparser pattern",
			buffer, mebibytes(bytes), p.Traits.Device, mebibytes(p.Traits.StorageRange))
	}
	return nil
}
