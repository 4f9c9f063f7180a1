package modernbert

import (
	"sync"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
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
	tables map[tableKey][]float32 // cosines and sines in turns, of as many positions as were asked for or more
}

// rotaryTurns returns r.Table, interleaved, which it computes once. Nobody may change
// what it returns.
func rotaryTurns(r gaze.RoPE, headDim, positions int) []float32 {
	rotary.Lock()
	defer rotary.Unlock()
	key, elements := tableKey{r, headDim}, positions*headDim
	known := rotary.tables[key]
	if len(known) < elements {
		// Twice as many as there were: texts that grow by a token cost no more in all.
		known = engine.Turns(r.Table(headDim, max(positions, 2*len(known)/headDim)))
		if rotary.tables == nil {
			rotary.tables = map[tableKey][]float32{}
		}
		rotary.tables[key] = known
	}
	return known[:elements:elements]
}
