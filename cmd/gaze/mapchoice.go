package main

import (
	"fmt"
	"strconv"

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
