package modernbert

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/modernbert/testdata/golden"
	"github.com/gazevk/gaze/reference"
)

// What keys receive and queries give are sums of the weights themselves, of any
// spans and factors, at the edges of sequences and tiles too.
func TestReceivedAndGiven(t *testing.T) {
	c := caseNamed(t, "v4 flat").Open(t)
	lengths := gaze.Lengths{100, 1, 130}
	n := lengths.Tokens()
	factors := make([]float64, n)
	for i := range factors {
		factors[i] = []float64{0, 1, 1e-9, 0.3, 17}[i*i%5]
	}
	for _, precision := range []engine.Precision{engine.F32, engine.F16} {
		m := mustLoad(t, open(t, ""), c, precision)
		out := mustForward(t, m, golden.Batch(lengths, 101), Want{Capture: []int{0, 1}})
		defer out.Capture.Close()
		for layer := range 2 {
			all := weights(t, out.Capture, layer)
			for _, span := range []gaze.Span{{First: 0, End: n}, {First: 5, End: 6}, {First: 63, End: 129}, {First: 64, End: 128}, {First: 100, End: 101}, {First: n - 1, End: n}} {
				for _, heads := range []gaze.Span{{First: 0, End: 2}, {First: 1, End: 2}} {
					for _, some := range [][]float64{nil, factors[span.First:span.End]} {
						received, err := out.Capture.Received(context.Background(), layer, heads, span, some)
						if err != nil || len(received) != heads.End-heads.First {
							t.Fatal(len(received), err)
						}
						given, err := out.Capture.Given(context.Background(), layer, heads, span)
						if err != nil || len(given) != heads.End-heads.First {
							t.Fatal(len(given), err)
						}
						if len(received) == 2 { // a head at a time, where a device binds little
							small := *out.Capture
							small.traits.StorageRange = 1
							parts, err := small.Received(context.Background(), layer, heads, span, some)
							if err != nil || len(parts) != 2 {
								t.Fatal(len(parts), err)
							}
							near(t, "received, in parts", slices.Concat(parts...), slices.Concat(received...), 0)
						}
						for i := range received {
							columns, rows := make([]float64, n), make([]float64, n)
							for other := span.First; other < span.End; other++ {
								factor := 1.0
								if some != nil {
									factor = some[other-span.First]
								}
								for token := range n {
									columns[token] += factor * float64(all[((heads.First+i)*n+other)*n+token])
									rows[token] += float64(all[((heads.First+i)*n+token)*n+other])
								}
							}
							near(t, "received", received[i], columns, 2e-4)
							near(t, "given", given[i], rows, 1e-5)
						}
					}
				}
			}
		}
	}
}

func TestSumErrors(t *testing.T) {
	m, _ := loaded(t, "v4 flat")
	out := mustForward(t, m, tokens(70), Want{Capture: []int{1, 0}})
	defer out.Capture.Close()
	one, two := gaze.Span{End: 1}, gaze.Span{End: 2}
	received := func(layer int, heads, queries gaze.Span, factors ...float64) error {
		_, err := out.Capture.Received(context.Background(), layer, heads, queries, factors)
		return err
	}
	_, keys := out.Capture.Given(context.Background(), 1, one, gaze.Span{First: 70, End: 71})
	_, query := out.Capture.Rollout(context.Background(), 70, 1, nil)
	_, layer := out.Capture.Rollout(context.Background(), 0, 4, nil)
	_, missing := out.Capture.Rollout(context.Background(), 0, 3, nil)
	for want, err := range map[string]error{
		"layer 2 was not captured":                                received(2, one, one),
		"heads 0 to 3 of 2: expected":                             received(1, gaze.Span{End: 3}, one),
		"queries 0 to 71 of 70 tokens: expected two bounds":       received(1, one, gaze.Span{End: 71}),
		"1 factors for 2 queries":                                 received(1, one, two, 1),
		"query 1 has the factor -0.5":                             received(1, one, two, 0, -0.5),
		"query 0 has the factor NaN":                              received(1, one, one, math.NaN()),
		"keys 70 to 71 of 70 tokens: expected two bounds":         keys,
		"query 70: expected one of 0 to 69":                       query,
		"layer 4: the model has layers 0 to 3":                    layer,
		"rollout from layer 3: attention of layer 2 was not capt": missing,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}

// Rollout is the product of matrices that it stands for, and its shares add up.
func TestRollout(t *testing.T) {
	m, encoder := loaded(t, "v4 flat")
	batch := tokens(70, 131)
	layers := []int{0, 1, 2, 3}
	out := mustForward(t, m, batch, Want{Capture: layers})
	defer out.Capture.Close()
	states := encoder.Forward(batch)
	var all [][]float64
	for _, layer := range layers {
		all = append(all, encoder.Weights(states, layer))
	}
	for _, toLayer := range []int{3, 1} {
		for _, query := range []int{0, 69, 70, 133} {
			var done []float64
			got, err := out.Capture.Rollout(context.Background(), query, toLayer, func(d float64) { done = append(done, d) })
			want := reference.Rollout(all[:toLayer+1], query, m.Config.Heads, 201)
			if err != nil || len(got) != toLayer+1 || len(done) != toLayer+1 || done[toLayer] != 1 {
				t.Fatalf("%d layers, progress %v, error %v", len(got), done, err)
			}
			for layer := range want {
				near(t, "rollout", got[layer], want[layer], 1e-5)
				sum := 0.0
				for _, share := range got[layer] {
					sum += share
				}
				if math.Abs(sum-1) > 1e-5 {
					t.Errorf("shares of layer %d add up to %v", layer, sum)
				}
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := out.Capture.Rollout(ctx, 0, 3, func(float64) { cancel() }); err != context.Canceled {
		t.Errorf("the error is %v", err)
	}
}
