package load

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/visualize"
)

// Text returns all of a file of at most so many MiB, or of standard input for "-".
func Text(stdin io.Reader, name string, mebibytes int) (string, error) {
	from := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return "", fmt.Errorf("cannot read the text: %w", err)
		}
		defer file.Close()
		from = file
	}
	most := mebibytes << 20
	data, err := io.ReadAll(io.LimitReader(from, int64(most)+1))
	if err == nil && len(data) > most {
		err = fmt.Errorf("it has over %d MiB", mebibytes)
	}
	if err != nil {
		return "", fmt.Errorf("cannot read the text from %s: %w", name, err)
	}
	return string(data), nil
}

// Rectangle reads "q0:q1,k0:k1", of n tokens; a bound that is left out is the
// first or the last there is. Whether it lies within is for gaze.Rectangle.Validate.
func Rectangle(text string, n int) (gaze.Rectangle, error) {
	all := gaze.Span{End: n}
	r := gaze.Rectangle{Queries: all, Keys: all}
	wrong := errors.New("expected Q0:Q1,K0:K1, such as 0:64,0:128")
	parts := strings.Split(text, ",")
	if len(parts) != 2 {
		return r, wrong
	}
	for i, span := range []*gaze.Span{&r.Queries, &r.Keys} {
		first, end, ok := strings.Cut(parts[i], ":")
		if !ok {
			return r, wrong
		}
		for bound, word := range map[*int]string{&span.First: first, &span.End: end} {
			if word == "" {
				continue
			}
			var err error
			if *bound, err = strconv.Atoi(strings.TrimSpace(word)); err != nil {
				return r, wrong
			}
		}
	}
	return r, nil
}

// Measures are what of a weight can be recomputed.
var Measures = map[visualize.Measure]engine.Measure{
	visualize.Weight: engine.Weight, visualize.RowMaximum: engine.OfRowMaximum, visualize.Lift: engine.OverUniform,
}
