package main

import (
	"fmt"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/cmd/internal/load"
)

// apply lets the flags that were given have the last word over the last view.
func (p *program) apply() {
	o, s := p.options, &p.state.Settings
	set := map[string]func(){
		"layer": func() { s.Layer = number(o.layer) }, "head": func() { s.Head = number(o.head) },
		"scale": func() { s.Scale = o.scale }, "measure": func() { s.Measure = o.measure }, "pool": func() { s.Pooling = o.pooling },
		"colors": func() { s.Colors = o.colors }, "sort": func() { s.Order = o.order }, "overlay": func() { s.Overlay = o.overlay },
		"size": func() { p.state.Width, p.state.Height = o.width, o.height },
	}
	for name, do := range set {
		if o.given[name] {
			do()
		}
	}
}

// atFirst returns what the flags ask for: to look at as soon as there is anything to
// see, and to do when all of it is there.
func (p *program) atFirst() (look, do []func() error) {
	o, e := p.options, p.explorer
	if o.given["layer"] || o.given["head"] || o.rectangle != "" || p.state.Map && !o.given["sort"] {
		look = append(look, p.open)
	}
	if o.rectangle != "" {
		look = append(look, func() error { return p.within("--rect", o.rectangle, e.Look) })
	}
	if o.find != "" {
		look = append(look, func() error { return named("--find", e.Find(o.find)) })
	}
	if o.pin != "" {
		look = append(look, func() error { return named("--pin", e.GoTo(o.pin)) })
	}
	if o.pick != "" {
		look = append(look, func() error { return p.within("--select", o.pick, e.Select) })
	}
	for _, name := range o.do {
		do = append(do, func() error { return e.Do(name) })
	}
	if o.export != "" {
		do = append(do, func() error { return named("--export", e.Export(o.export, false)) })
	}
	return look, do
}

// within does something with the rectangle that a flag gives.
func (p *program) within(flag, text string, do func(gaze.Rectangle) error) error {
	r, err := load.Rectangle(text, p.explorer.Tokens())
	if err == nil {
		err = do(r)
	}
	return named(flag, err)
}

func named(flag string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	return nil
}

// open opens the head that the flags name.
func (p *program) open() error {
	first, what := &p.variants.list[0], "model"
	if first.run != nil {
		what = "run"
	}
	if p.options.given["layer"] && number(p.options.layer) >= first.layers() {
		return fmt.Errorf("--layer is %s: the %s has layers 0 to %d", p.options.layer, what, first.layers()-1)
	}
	if p.options.given["head"] && number(p.options.head) >= first.heads() {
		return fmt.Errorf("--head is %s: the %s has heads 0 to %d", p.options.head, what, first.heads()-1)
	}
	return p.explorer.Do("open")
}
