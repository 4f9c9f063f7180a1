package main

import (
	"bytes"
	"fmt"
	"image/png"
	"io"
	"strings"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// A painter draws the weights of one head after the other. Pictures are files
// only once the whole run has succeeded.
type painter struct {
	pattern  gaze.Pattern
	lengths  gaze.Lengths
	labels   []string // of the tokens; may be nil
	title    func(head int) string
	subtitle string
	file     func(head int) string
	also     func(head int, p visualize.Picture) // may be nil
	current  *visualize.Map
	keys     visibleKeys
	encoded  [][]byte // PNG by head
}

// painter returns what draws the weights of o. also, if not nil, receives the
// pictures too.
func (o *outcome) painter(also func(*outcome, int, visualize.Picture)) *painter {
	p := &painter{
		pattern: o.run.Attention.Visible(), lengths: o.run.Lengths, file: o.run.Output.HeatmapFile,
		title:    func(head int) string { return fmt.Sprintf("%s, head %d", o.run.Name, head) },
		subtitle: fmt.Sprintf("%v, %s, %s", o.run.Attention.Visible(), tokens(o.run.Lengths), o.engine.Traits().Device),
	}
	if also != nil {
		p.also = func(head int, picture visualize.Picture) { also(o, head, picture) }
	}
	return p
}

// add adds the next row, and draws the picture after a head's last.
func (p *painter) add(head, query int, weights []float32) (err error) {
	n := len(weights)
	if query == 0 {
		p.keys = visibleKeys{pattern: p.pattern, lengths: p.lengths}
		p.current, err = visualize.NewMap(n, n, visualize.DefaultCells, visualize.Weight, visualize.MaxPooling)
		if err != nil {
			return err
		}
	}
	if err := p.current.AddRow(query, weights, p.keys.next()); err != nil {
		return err
	}
	if query < n-1 {
		return nil
	}
	picture := visualize.Picture{Map: p.current, Title: p.title(head), Subtitle: p.subtitle, Sequences: p.lengths, Tokens: p.labels}
	if p.also != nil {
		p.also(head, picture)
	}
	img, err := picture.Draw()
	if err != nil {
		return err
	}
	var data bytes.Buffer
	if err := png.Encode(&data, img); err != nil {
		return err
	}
	p.encoded = append(p.encoded, data.Bytes())
	return nil
}

// write writes all pictures and returns their files.
func (p *painter) write() (files []string, err error) {
	for head, data := range p.encoded {
		path := p.file(head)
		err := gaze.WriteFile(path, func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
		if err != nil {
			return files, err
		}
		files = append(files, path)
	}
	return files, nil
}

// visibleKeys walks the queries of packed sequences, from the first, and gives
// the keys that each sees, counted over all sequences.
type visibleKeys struct {
	pattern gaze.Pattern
	lengths gaze.Lengths // of the sequences from the query's own on
	offset  int          // of that sequence
	query   int          // within it
	spans   []gaze.Span
}

func (v *visibleKeys) next() []gaze.Span {
	if v.query == v.lengths[0] {
		v.offset += v.lengths[0]
		v.lengths, v.query = v.lengths[1:], 0
	}
	v.spans = v.pattern.AppendKeys(v.spans[:0], v.query, v.lengths[0])
	for i := range v.spans {
		v.spans[i].First += v.offset
		v.spans[i].End += v.offset
	}
	v.query++
	return v.spans
}

// tokens writes lengths as "512 + 300 tokens".
func tokens(lengths gaze.Lengths) string {
	const most = 6
	if len(lengths) > most {
		return fmt.Sprintf("%s tokens in %s sequences", count(int64(lengths.Tokens())), count(int64(len(lengths))))
	}
	words := make([]string, len(lengths))
	for i, length := range lengths {
		words[i] = count(int64(length))
	}
	return strings.Join(words, " + ") + " tokens"
}
