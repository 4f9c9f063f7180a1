package explore

import (
	"math"
	"slices"
)

// levels looks up the indices of colours that a coloring gives to values: to drag
// the range over two million cells takes no logarithm of each.
type levels struct {
	of    coloring
	least [257]uint32    // the ordinal of the least value of each index from 1 on; of the last, beyond all
	first [1 << 16]uint8 // the index of the least value whose ordinal begins with these 16 bits
}

// ordinal numbers the values of float32 as they follow each other.
func ordinal(value float32) uint32 {
	bits := math.Float32bits(value)
	return bits ^ (uint32(int32(bits)>>31) | 1<<31) // of negative ones all bits turn, of others that of the sign
}

// valueAt returns the value of an ordinal.
func valueAt(ordinal uint32) float32 {
	return math.Float32frombits(ordinal ^ (uint32(int32(^ordinal)>>31) | 1<<31))
}

func newLevels(c coloring) *levels {
	l := &levels{of: c}
	axis := axisOf(c.scale)
	low := axis(c.r.Low)
	factor := 256 / (axis(c.r.High) - low)
	index := func(value float32) int {
		return int(min(max((axis(float64(value))-low)*factor, 1), 255)) // NaN is impossible; below everything, -Inf takes 1
	}
	least, above := ordinal(float32(math.Inf(-1))), ordinal(float32(math.Inf(1)))+1
	for i := 2; i < 256; i++ {
		for end := above; least < end; { // the least is at least the last one, and below end unless no value has this index
			if middle := least + (end-least)/2; index(valueAt(middle)) < i {
				least = middle + 1
			} else {
				end = middle
			}
		}
		l.least[i] = least
	}
	l.least[256] = math.MaxUint32
	at := 1
	for i := range l.first {
		for uint32(i)<<16 >= l.least[at+1] {
			at++
		}
		l.first[i] = uint8(at)
	}
	return l
}

// look sets the index of each value, hiddenColor where there is none.
func (l *levels) look(indices []uint8, values []float32) {
	for i, value := range values {
		if value != value {
			indices[i] = hiddenColor
			continue
		}
		at := ordinal(value)
		index := int(l.first[at>>16])
		for at >= l.least[index+1] {
			index++
		}
		indices[i] = uint8(index)
	}
}

// levels returns those of a coloring, which few frames change.
func (c *canvas) levels(of coloring) *levels {
	const kept = 4 // maps and thumbnails, and what was switched from
	for _, l := range c.known {
		if l.of == of {
			return l
		}
	}
	l := newLevels(of)
	c.known = slices.Insert(c.known, 0, l)
	c.known = c.known[:min(len(c.known), kept)]
	return l
}
