package tune

import (
	"math"
	"strings"
	"testing"

	"github.com/gazevk/gaze/engine"
)

// Roundings are no difference; a wrong element is, wherever it is.
func TestDiffers(t *testing.T) {
	want := make([]float32, 100)
	for i := range want {
		want[i] = float32(math.Sin(float64(i)))
	}
	changed := func(at int, to float32) []float32 {
		x := append([]float32(nil), want...)
		x[at] = to
		return x
	}
	nan := float32(math.NaN())
	for name, c := range map[string]struct {
		got       []float32
		precision engine.Precision
		fault     string
	}{
		"equal":            {want, engine.F32, ""},
		"a rounding":       {changed(50, want[50]*(1+1e-6)), engine.F32, ""},
		"beside a zero":    {changed(0, 3e-5), engine.F32, ""},
		"wrong":            {changed(50, want[50]*1.001), engine.F32, "element 50 is"},
		"the first":        {changed(0, 1e-3), engine.F32, "element 0 is 0.001, and the default's is 0"},
		"the last":         {changed(99, 0), engine.F32, "element 99 is 0"},
		"a half's":         {changed(50, want[50]*1.001), engine.F16, ""},
		"wrong for a half": {changed(50, want[50]*1.05), engine.F16, "element 50 is"},
		"NaN":              {changed(7, nan), engine.F32, "element 7 is NaN"},
		"NaN in f16":       {changed(7, nan), engine.F16, "element 7 is NaN"},
		"short":            {want[:99], engine.F32, "99 elements"},
	} {
		fault := differs(c.got, want, c.precision)
		if c.fault == "" && fault != "" || !strings.Contains(fault, c.fault) {
			t.Errorf("%s: %q, expected %q", name, fault, c.fault)
		}
	}
	if fault := differs(changed(7, 0), changed(7, nan), engine.F32); fault == "" {
		t.Error("a default that is NaN agrees with a number")
	}
	if fault := differs(nil, nil, engine.F32); fault != "" {
		t.Errorf("nothing differs from nothing: %s", fault)
	}
}
