package gaze_test

import (
	"testing"

	"github.com/gazevk/gaze"
)

func TestRectangle(t *testing.T) {
	r := gaze.Rectangle{Queries: gaze.Span{First: 4, End: 9}, Keys: gaze.Span{First: 0, End: 8}}
	for c, want := range map[gaze.Cell][2]int{gaze.Square(4): {2, 2}, gaze.Square(3): {2, 3}, {Queries: 8, Keys: 3}: {2, 3}, {Queries: 1, Keys: 8}: {5, 1}, {Queries: 8, Keys: 1}: {2, 8}} {
		if rows, columns := r.Cells(c); [2]int{rows, columns} != want {
			t.Errorf("%v has %d x %d cells of %v, expected %v", r, rows, columns, c, want)
		}
	}
	if r.String() != "queries 4 to 9, keys 0 to 8" || r.Validate(9) != nil {
		t.Errorf("%v: %v", r, r.Validate(9))
	}
	for _, bad := range []gaze.Rectangle{
		{Queries: gaze.Span{First: 4, End: 10}, Keys: r.Keys}, {Queries: gaze.Span{First: -1, End: 3}, Keys: r.Keys},
		{Queries: r.Queries, Keys: gaze.Span{First: 3, End: 3}}, {Queries: r.Queries},
	} {
		if bad.Validate(9) == nil {
			t.Errorf("%v of 9 rows is accepted", bad)
		}
	}
	// The first of two that are wrong is told.
	want := "queries 4 to 9 of 4 tokens: expected two bounds from 0 to 4, the first below the second"
	if err := r.Validate(4); err == nil || err.Error() != want {
		t.Errorf("%v, expected %q", err, want)
	}
}
