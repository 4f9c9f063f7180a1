package engine

import (
	"fmt"
	"slices"

	"github.com/gazevk/gaze/vk"
)

// keptSubmits is how many submits of a recording are kept for its next run. What
// is cut into more takes a device seconds, beside which recording is nothing.
const keptSubmits = 16

// A recording is steps that are bound to buffers, and the submits that were
// recorded of them.
type recording struct {
	steps   []Step
	buffers map[string]*vk.Buffer
	kernels []string // the account's names of the passes, in the order of the first of each
	cost    float64  // of all passes

	resolved bool
	once     bool        // nothing is kept
	submits  [][]*submit // those kept of each step, from its first on
	kept     int         // of all steps
}

// A call is what a pass stands for on the device.
type call struct {
	*pipeline // nil for a fill or a copy
	slices    []vk.Slice
	push      []byte
	account   int // its place in the account
}

// A submit is passes that were recorded together, and what of their step comes behind.
type submit struct {
	passes   []Pass
	after    queue
	commands *vk.Commands
	kept     bool // by the recording, which closes it
}

func newRecording(steps []Step, buffers map[string]*vk.Buffer) (*recording, error) {
	r := &recording{buffers: buffers, submits: make([][]*submit, len(steps))}
	for _, s := range steps {
		s.Passes = slices.Clone(s.Passes)
		for i := range s.Passes {
			pass := &s.Passes[i]
			c := &call{slices: make([]vk.Slice, len(pass.Bind)), account: slices.Index(r.kernels, pass.name())}
			if c.account < 0 {
				c.account = len(r.kernels)
				r.kernels = append(r.kernels, pass.name())
			}
			for j, ref := range pass.Bind {
				if c.slices[j] = (vk.Slice{Buffer: buffers[ref.Buffer], Offset: ref.Offset, Size: ref.Size}); c.slices[j].Buffer == nil {
					return nil, fmt.Errorf("engine: kernel %s binds %s, which is not there", pass.Kernel, ref.Buffer)
				}
			}
			pass.call = c
			r.cost += cost(*pass)
		}
		r.steps = append(r.steps, s)
	}
	return r, nil
}

// record records passes that are resolved, with a timestamp before and behind each.
func (e *Engine) record(passes []Pass) (*vk.Commands, error) {
	recorder, err := e.device.NewRecorder()
	if err != nil {
		return nil, err
	}
	recorder.Timestamp()
	for _, pass := range passes {
		c := pass.call
		switch {
		case c.pipeline != nil:
			recorder.Dispatch(c.Pipeline, c.slices, c.push, pass.Base, pass.Groups)
		case len(c.slices) == 2:
			recorder.Copy(c.slices[1], c.slices[0])
		default:
			recorder.Fill(c.slices[0], pass.Fill)
		}
		recorder.Timestamp()
	}
	return recorder.Finish()
}

// keeps and next are the pace's, which runs learn of while others ask.
func (e *Engine) keeps(s *submit) bool {
	e.pacing.Lock()
	defer e.pacing.Unlock()
	return e.pace.keeps(s.passes, s.after.empty())
}

func (e *Engine) next(q *queue) []Pass {
	e.pacing.Lock()
	defer e.pacing.Unlock()
	return e.pace.next(q)
}

// take returns submit number n of a step, whose passes from there on are q, and
// takes its passes from q: the one that was recorded, where the device's pace does
// not ask for another.
func (r *recording) take(e *Engine, step, n int, q *queue) (*submit, error) {
	if kept := r.submits[step]; n < len(kept) {
		if s := kept[n]; e.keeps(s) {
			*q = s.after.clone()
			return s, nil
		}
		for _, s := range kept[n:] {
			s.commands.Close()
		}
		r.submits[step] = kept[:n]
		r.kept -= len(kept) - n
	}
	s := &submit{passes: e.next(q)}
	var err error
	if s.commands, err = e.record(s.passes); err != nil {
		return nil, err
	}
	if s.kept = !r.once && r.kept < keptSubmits && n == len(r.submits[step]); s.kept {
		s.after = q.clone()
		r.submits[step] = append(r.submits[step], s)
		r.kept++
	}
	return s, nil
}

// close frees what was recorded, once it has run.
func (r *recording) close() {
	for step, kept := range r.submits {
		for _, s := range kept {
			s.commands.Close()
		}
		r.submits[step] = nil
	}
	r.kept = 0
}
