package gaze_test

import (
	"testing"

	"github.com/gazevk/gaze"
)

func TestRectangle(t *testing.T) {
	r := gaze.Rectangle{Queries: gaze.Span{First: 4, End: 9}, Keys: gaze.Span{First: 0, End: 8}}
	if rows, columns := r.Cells(4); rows != 2 || columns != 2 {
		t.Errorf("%v has %d x %d cells of 4", r, rows, columns)
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
}
