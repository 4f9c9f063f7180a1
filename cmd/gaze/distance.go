package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// A distance says how far a run's results lie from those of the first.
type distance struct {
	Output  outputDistance  `json:"output"`
	Weights *weightDistance `json:"weights"` // nil unless both runs computed them
}

type outputDistance struct {
	Cosine  float64 `json:"cosine_similarity"` // over all heads, tokens and elements
	Largest float64 `json:"largest_absolute_difference"`
}

type weightDistance struct {
	Largest float64 `json:"largest_absolute_difference"`
	Mean    float64 `json:"mean_absolute_difference"` // over all heads, queries and keys
	// TotalVariation is the share of its attention that a query spends on other
	// keys, half the sum of the absolute differences of its row; the mean over all rows.
	TotalVariation float64 `json:"mean_total_variation"`
}

// outputDistanceOf compares outputs of one shape.
func outputDistanceOf(a, b []float32) outputDistance {
	var d outputDistance
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
		d.Largest = max(d.Largest, math.Abs(x-y))
	}
	switch {
	case aa > 0 && bb > 0:
		d.Cosine = ab / math.Sqrt(aa) / math.Sqrt(bb)
	case aa == bb: // both see nothing, and agree in that
		d.Cosine = 1
	}
	return d
}

// A weightComparison compares a run's weights with kept ones, row by row.
type weightComparison struct {
	kept    *weightStore
	from    io.Reader
	row     []byte
	largest float64
	sum     float64 // of absolute differences
	rows    int
	n       int
}

func newWeightComparison(kept *weightStore) *weightComparison { return &weightComparison{kept: kept} }

// add compares the next row.
func (c *weightComparison) add(_, _ int, weights []float32) (err error) {
	if c.from == nil {
		if c.from, err = c.kept.reader(); err != nil {
			return err
		}
		c.n = len(weights)
		c.row = make([]byte, 4*c.n)
	}
	if _, err := io.ReadFull(c.from, c.row); err != nil {
		return fmt.Errorf("cannot read back the first run's weights: %w", err)
	}
	for i, w := range weights {
		kept := math.Float32frombits(binary.LittleEndian.Uint32(c.row[4*i:]))
		difference := math.Abs(float64(w) - float64(kept))
		c.largest = max(c.largest, difference)
		c.sum += difference
	}
	c.rows++
	return nil
}

// include adds what another compared, of rows of the same length.
func (c *weightComparison) include(other *weightComparison) {
	c.largest = max(c.largest, other.largest)
	c.sum, c.rows, c.n = c.sum+other.sum, c.rows+other.rows, other.n
}

func (c *weightComparison) distance() *weightDistance {
	perRow := c.sum / float64(c.rows)
	return &weightDistance{Largest: c.largest, Mean: perRow / float64(c.n), TotalVariation: perRow / 2}
}
