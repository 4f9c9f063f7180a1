package modernbert

import (
	"sync"

	"github.com/gazevk/gaze"
)

// A tableKey is what a rotary table follows from.
type tableKey struct {
	gaze.RoPE
	headDim int
}

// rotary has the rotary tables that programs were planned with so far: sines are
// the better part of planning, and few models differ in them.
var rotary struct {
	sync.Mutex
	tables map[tableKey][2][]float32 // cosines and sines, of as many positions as were asked for or more
}

// rotaryTable is r.Table, which it computes once. Nobody may change what it returns.
func rotaryTable(r gaze.RoPE, headDim, positions int) (cosines, sines []float32) {
	rotary.Lock()
	defer rotary.Unlock()
	key, elements := tableKey{r, headDim}, positions*(headDim/2)
	known := rotary.tables[key]
	if len(known[0]) < elements {
		// Twice as many as there were: texts that grow by a token cost no more in all.
		known[0], known[1] = r.Table(headDim, max(positions, 2*len(known[0])/(headDim/2)))
		if rotary.tables == nil {
			rotary.tables = map[tableKey][2][]float32{}
		}
		rotary.tables[key] = known
	}
	return known[0][:elements:elements], known[1][:elements:elements]
}
