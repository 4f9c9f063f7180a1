package main

import (
	"context"
	"errors"

	"github.com/gazevk/gaze/visualize/viewer"
)

// show opens the window and shows the program in it until it is closed.
func (p *program) show(ctx context.Context) error {
	options := viewer.Options{Title: "gaze", Width: p.state.Width, Height: p.state.Height, Device: p.options.present, Vulkan: p.vulkanOptions()}
	err := viewer.Run(ctx, options, func(w *viewer.Window) viewer.App {
		p.window.Store(w)
		return p
	})
	if ctx.Err() != nil {
		return errors.Join(p.failed, ctx.Err())
	}
	return err
}
