package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gazevk/gaze"
)

// A headChoice is a head, or the mean of all.
type headChoice struct {
	index int
	mean  bool
}

func (h *headChoice) UnmarshalText(text []byte) (err error) {
	if h.mean = string(text) == "mean"; h.mean {
		return nil
	}
	if h.index, err = strconv.Atoi(string(text)); err != nil {
		return fmt.Errorf("expected the number of a head, or mean")
	}
	return nil
}

func (h headChoice) MarshalText() ([]byte, error) {
	if h.mean {
		return []byte("mean"), nil
	}
	return strconv.AppendInt(nil, int64(h.index), 10), nil
}

// span returns the heads to recompute, of a layer of that many.
func (h headChoice) span(heads int) gaze.Span {
	if h.mean {
		return gaze.Span{End: heads}
	}
	return gaze.Span{First: h.index, End: h.index + 1}
}

// name returns "head 3", "mean of 12 heads", or, as means do not pass through
// pooling, "mean of the pooled cells of 12 heads".
func (h headChoice) name(heads int, pooled bool) string {
	switch {
	case h.mean && pooled:
		return fmt.Sprintf("mean of the pooled cells of %d heads", heads)
	case h.mean:
		return fmt.Sprintf("mean of %d heads", heads)
	}
	return fmt.Sprintf("head %d", h.index)
}

// A rolloutChoice is the token whose attention rollout is wanted, if any.
type rolloutChoice struct {
	query  int
	wanted bool
}

func (r *rolloutChoice) UnmarshalText(text []byte) (err error) {
	if r.query, err = strconv.Atoi(string(text)); err != nil || r.query < 0 {
		return fmt.Errorf("expected the number of a token, 0 or more")
	}
	r.wanted = true
	return nil
}

func (r rolloutChoice) MarshalText() ([]byte, error) {
	if !r.wanted {
		return nil, nil
	}
	return strconv.AppendInt(nil, int64(r.query), 10), nil
}

// checkTogether reports flags that were given and that the rest of the command line
// leaves without meaning, where a file of that kind is written.
func (f *mapFlags) checkTogether(kind string) error {
	numbers := kind == ".csv" || kind == ".npy"
	switch {
	case f.grid && kind != ".png" && kind != ".svg":
		return fmt.Errorf("--grid is drawn as .png or .svg: --out is %s", f.out)
	case f.rollout.wanted && kind == ".html":
		return fmt.Errorf("--rollout is written as .png, .svg, .csv or .npy: --out is %s", f.out)
	case !f.grid && given(f.flags, "sort"):
		return errors.New("--sort is of the heads of --grid, which is missing")
	case f.rectangle == "" && given(f.flags, "rect"):
		return errors.New("--rect is empty: expected Q0:Q1,K0:K1, such as 0:64,0:128")
	}
	for _, c := range []struct {
		applies  bool
		name     string
		excluded []string
		reason   string
	}{
		{f.grid, "--grid", []string{"head", "layer", "range", "rect", "rollout", "size"}, "it draws the whole maps of all heads of all layers, in one size and range"},
		{f.rollout.wanted, "--rollout", []string{"head", "measure", "pool", "rect"}, "it mixes all heads, and is of one token and all that it comes from"},
		{numbers, "--out " + f.out, []string{"colors", "density", "range", "scale", "size"}, "numbers are written as they are, and not drawn"},
	} {
		wrong := slices.DeleteFunc(c.excluded, func(name string) bool { return !given(f.flags, name) })
		if c.applies && len(wrong) > 0 {
			return fmt.Errorf("%s excludes --%s: %s", c.name, strings.Join(wrong, ", --"), c.reason)
		}
	}
	return nil
}
