package verify

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/gazevk/gaze/engine"
)

func (t *part) rope(c *check) {
	a := t.p.Attention
	from, to := t.pass.Bind[0].Buffer, t.pass.Bind[4].Buffer
	x, exact := t.p.query, t.p.exactQuery
	if from == "k" {
		x, exact = t.p.key, t.p.exactKey
	}
	put(c.buffers[from], x, a.Heads, t.p.Precision)
	cos, sin := a.RoPE.Table(a.HeadDim, t.p.Lengths.Longest())
	positions := t.p.Lengths.Positions()
	for i := range cos {
		putFloat(c.buffers["cosines"], i, float64(cos[i]))
		putFloat(c.buffers["sines"], i, float64(sin[i]))
	}
	for i, position := range positions {
		binary.LittleEndian.PutUint32(c.buffers["positions"][4*i:], position)
	}
	half := t.headDim / 2
	e := c.output(to, t.p.Precision == engine.F16, t.headRows, t.headDim)
	for h := t.firstHead; h < t.firstHead+t.heads; h++ {
		for row := range t.n {
			for d := range t.headDim {
				j := d % half
				in := (h*t.n+row)*t.headDim + j
				angle := int(positions[row])*half + j
				own, other := float64(cos[angle]), float64(sin[angle])
				first, second := float64(x[in])*own, float64(x[in+half])*other
				if d >= half {
					first, second = float64(x[in+half])*own, float64(x[in])*other
				}
				want := exact[(h*t.n+row)*t.headDim+d]
				e.set((h*t.headRows+row)*t.headDim+d, want, ropeBound(t.p.Precision, first, second, want))
			}
		}
	}
}

func (t *part) scores(c *check) {
	e := c.output("weights", false, t.rows, t.stride)
	t.eachRow(func(h, row int) {
		t.eachKey(row, func(key int, _ bool) {
			if key >= t.n {
				e.want[t.at(h, row, key)].rule = anything
				return
			}
			i := (h*t.n+row)*t.n + key
			e.set(t.at(h, row, key), t.p.scores[i], scoreBound(t.headDim, t.p.magnitude[i]))
		})
	})
}

func (t *part) softmax(c *check) {
	e, lse := c.output("weights", false, t.rows, t.stride), c.output("lse", false, t.headRows)
	t.eachRow(func(h, row int) {
		count, _ := t.seen(h, row)
		// Scores as the device holds them: rounded, which moves the exact weights.
		maximum, sum := math.Inf(-1), 0.0
		t.eachKey(row, func(key int, visible bool) {
			if visible {
				putFloat(c.buffers["weights"], t.at(h, row, key), t.p.scores[(h*t.n+row)*t.n+key])
				maximum = max(maximum, getFloat(c.buffers["weights"], t.at(h, row, key)))
			}
		})
		t.eachKey(row, func(key int, visible bool) {
			if visible {
				sum += math.Exp(getFloat(c.buffers["weights"], t.at(h, row, key)) - maximum)
			}
		})
		t.eachKey(row, func(key int, visible bool) {
			value, bound := 0.0, 0.0
			if visible {
				x := getFloat(c.buffers["weights"], t.at(h, row, key)) - maximum
				value = math.Exp(x) / sum
				bound = value*softmaxBound(x, count) + tiny
			}
			e.set(t.at(h, row, key), value, bound)
		})
		t.expectLSE(lse, h, row, maximum+math.Log(sum), lseBound(maximum, count))
	})
}

// expectLSE expects the log-sum-exp of one query.
func (t *part) expectLSE(e *expectation, head, row int, value, bound float64) {
	if math.IsNaN(value) { // a query that sees nothing: -Inf + log 0
		value = math.Inf(-1)
	}
	e.set(head*t.headRows+row, value, bound)
}

func (t *part) context(c *check) {
	e := c.output("output", false, t.headRows, t.headDim)
	weights := c.buffers["weights"]
	t.eachRow(func(h, row int) {
		t.eachKey(row, func(key int, visible bool) {
			w := 0.0
			if visible {
				w = t.p.weights[(h*t.n+row)*t.n+key]
			}
			putFloat(weights, t.at(h, row, key), w)
		})
		count, _ := t.seen(h, row)
		sum, magnitude, flushed := make([]float64, t.headDim), make([]float64, t.headDim), make([]float64, t.headDim)
		t.eachKey(row, func(key int, visible bool) {
			if !visible {
				return
			}
			weight := getFloat(weights, t.at(h, row, key))
			for d, v := range t.p.value[(h*t.n+key)*t.headDim:][:t.headDim] {
				product := weight * float64(v)
				flushed[d] += flushBound(float64(v))
				sum[d] += product
				magnitude[d] += math.Abs(product)
			}
		})
		for d, value := range sum {
			e.set((h*t.headRows+row)*t.headDim+d, value, contextBound(count, magnitude[d])+flushed[d])
		}
	})
}

func (t *part) attention(c *check) {
	half := strings.HasSuffix(t.pass.Kernel, "_f16")
	if half { // as large a buffer, half of it used: all strides count elements
		c.buffers["output"] = c.buffers["output"][:len(c.buffers["output"])/2]
		t.pass.Bind[4].Size, t.pass.Bind[4].Offset = t.pass.Bind[4].Size/2, t.pass.Bind[4].Offset/2
	}
	e, lse := c.output("output", half, t.headRows, t.headDim), c.output("lse", false, t.headRows)
	bounds := t.outputBounds(0)
	t.eachRow(func(h, row int) {
		for d := range t.headDim {
			i := (h*t.n+row)*t.headDim + d
			e.set((h*t.headRows+row)*t.headDim+d, t.p.output[i], bounds[i]+storeBound(half, t.p.output[i]))
		}
		count, score := t.seen(h, row)
		value := t.p.lse[h*t.n+row]
		t.expectLSE(lse, h, row, value, score+lseBound(value, count))
	})
}

// shares expects of each share of the keys what attention makes of them alone.
func (t *part) shares(c *check) {
	e, lse := c.output("shares", false, t.n, t.headDim), c.output("lse of shares", false, t.n)
	t.eachRow(func(h, row int) {
		for s := range t.splits {
			own := t.ofShare(s)
			output, value := own.attend(h, row)
			bounds := make([]float64, t.headDim)
			own.rowBounds(h, row, value, 0, bounds)
			at := ((h-t.firstHead)*t.splits+s)*t.n + row
			for d, x := range output {
				e.set(at*t.headDim+d, x, bounds[d])
			}
			count, score := own.seen(h, row)
			lse.set(at, value, score+lseBound(value, count))
		}
	})
}

func (t *part) weights(c *check) {
	for h := range t.p.Attention.Heads {
		for row := range t.n {
			putFloat(c.buffers["lse"], h*t.headRows+row, t.p.lse[h*t.n+row])
		}
	}
	e := c.output("weights", false, t.rows, t.stride)
	t.eachRow(func(h, row int) {
		lse := getFloat(c.buffers["lse"], h*t.headRows+row)
		t.eachKey(row, func(key int, visible bool) {
			value, bound := 0.0, 0.0
			if visible {
				i := (h*t.n+row)*t.n + key
				value = math.Exp(t.p.scores[i] - lse)
				bound = value*(math.Expm1(scoreBound(t.headDim, t.p.magnitude[i]))+u*4*math.Abs(t.p.scores[i])+exponentBound(t.p.scores[i]-lse)) + tiny
			}
			e.set(t.at(h, row, key), value, bound)
		})
	})
}
