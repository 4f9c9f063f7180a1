package verify

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
)

// poison fills everything that a kernel must not write: as f32 and as f16 it is
// a NaN. unread fills what it must not read: as f32 it is 3.4e38, as f16 a NaN.
// They differ, because a NaN that is read and written stays the same NaN.
const (
	poison = 0xff
	unread = 0x7f
)

func filled(size int64, with byte) []byte { return bytes.Repeat([]byte{with}, int(size)) }

// A finding is the outcome of one check.
type finding struct {
	abs, ulp, ratio float64
	fault           string // "" where the check passed
}

// An expectation is what one output buffer must hold.
type expectation struct {
	buffer string
	shape  []int    // of the buffer, for messages
	half   bool     // elements are f16
	want   []target // element by element
}

// A target is an element's exact value and how far the kernel may be from it.
// The zero value is an element that must still be poison.
type target struct {
	value, bound float64
	rule         rule
}

type rule uint8

const (
	untouched  rule = iota
	within          // the bound of the value
	hiddenCell      // the word that says in a room that no pair is visible
	anything
)

// A check is one pass with its inputs and what it must make of them.
type check struct {
	pass    engine.Pass // as it must be run
	buffers map[string][]byte
	expect  []*expectation
}

func (e *expectation) set(at int, value, bound float64) { e.want[at] = target{value, bound, within} }

// output poisons a buffer that the kernel writes and adds an expectation of it;
// inner are the buffer's last dimensions.
func (c *check) output(buffer string, half bool, inner ...int) *expectation {
	e := &expectation{buffer: buffer, half: half}
	c.buffers[buffer] = filled(int64(len(c.buffers[buffer])), poison)
	count := len(c.buffers[buffer]) / e.size()
	outer := count
	for _, d := range inner {
		outer /= d
	}
	e.shape, e.want = append([]int{outer}, inner...), make([]target, count)
	c.expect = append(c.expect, e)
	return e
}

// size is the bytes of an element.
func (e *expectation) size() int {
	if e.half {
		return 2
	}
	return 4
}

// where names an element by its indices.
func where(at int, shape []int) string {
	words := make([]string, len(shape))
	for i := len(shape) - 1; i >= 0; i-- {
		words[i] = fmt.Sprint(at % shape[i])
		at /= shape[i]
	}
	return "[" + strings.Join(words, ", ") + "]"
}

// compare holds the buffers against what they must be.
func (c *check) compare() finding {
	var f finding
	for _, e := range c.expect {
		data, size := c.buffers[e.buffer], e.size()
		for at, t := range e.want {
			raw := data[at*size : at*size+size]
			var got float64
			if e.half {
				got = float64(checkpoint.Float16ToFloat32(binary.LittleEndian.Uint16(raw)))
			} else {
				got = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw)))
			}
			switch {
			case t.rule == within:
				f.add(e.buffer, e.shape, at, got, t.value, t.bound)
			case t.rule == hiddenCell && binary.LittleEndian.Uint32(raw) != engine.HiddenWord:
				f.ratio = math.Inf(1)
				f.fault = fmt.Sprintf("%s%s is %x, must be %x", e.buffer, where(at, e.shape), binary.LittleEndian.Uint32(raw), engine.HiddenWord)
			case t.rule == untouched && !isPoison(raw):
				f.ratio = math.Inf(1)
				f.fault = fmt.Sprintf("%s%s, which the kernel has no business with, became %v", e.buffer, where(at, e.shape), got)
			}
		}
	}
	return f
}

func isPoison(raw []byte) bool {
	for _, b := range raw {
		if b != poison {
			return false
		}
	}
	return true
}

// add takes one element, of a tensor with that shape, into account.
func (f *finding) add(tensor string, shape []int, at int, got, exact, bound float64) {
	if got == exact { // infinities too
		return
	}
	abs := math.Abs(got - exact)
	ratio := abs / bound
	if math.IsNaN(ratio) || math.IsInf(exact, 0) {
		abs, ratio = math.Inf(1), math.Inf(1)
	}
	f.abs = max(f.abs, abs)
	if math.Abs(exact) > 0x1p-100 {
		_, exponent := math.Frexp(exact)
		f.ulp = max(f.ulp, abs/math.Ldexp(1, exponent-24))
	}
	if ratio > f.ratio {
		f.ratio = ratio
		if ratio > 1 {
			f.fault = fmt.Sprintf("%s%s is %v, must be %v within %.2g", tensor, where(at, shape), got, exact, bound)
		}
	}
}

// put stores a tensor of rows x width elements a head into a buffer whose heads
// start every perHead bytes; what lies between stays poison.
func put(buffer []byte, x []float32, heads int, precision engine.Precision) {
	perHead, n := len(buffer)/heads, len(x)/heads
	for h := range heads {
		for i, v := range x[h*n : (h+1)*n] {
			if precision == engine.F16 {
				binary.LittleEndian.PutUint16(buffer[h*perHead+2*i:], checkpoint.Float32ToFloat16(v))
			} else {
				binary.LittleEndian.PutUint32(buffer[h*perHead+4*i:], math.Float32bits(v))
			}
		}
	}
}
