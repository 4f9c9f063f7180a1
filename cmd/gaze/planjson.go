package main

import (
	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine"
)

// planDetails is a plan as "gaze explain --json" prints it. Sizes are in bytes.
type planDetails struct {
	Run          string           `json:"run"`
	Device       string           `json:"device"`
	Tier         engine.Tier      `json:"kernel_tier"`
	Request      request          `json:"request"`
	Precision    engine.Precision `json:"precision"`
	Path         engine.Path      `json:"path"`
	Passes       []passDetails    `json:"passes"`
	Buffers      []bufferDetails  `json:"buffers"`
	MultiplyAdds int64            `json:"multiply_adds"`
	Bytes        int64            `json:"bytes"`
	DeviceBytes  int64            `json:"device_bytes"`
	Tiles        tiles            `json:"tiles"`
	VisiblePairs int64            `json:"visible_pairs"` // of one head
}

type passDetails struct {
	Kernel       string            `json:"kernel"`
	Constants    map[string]uint32 `json:"constants,omitempty"`
	Base         [3]uint32         `json:"base"`
	Grid         [3]uint32         `json:"grid"`
	MultiplyAdds int64             `json:"multiply_adds"`
	Bytes        int64             `json:"bytes"`
}

type bufferDetails struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

func planDetailsOf(runs []configs.Run, plans []*engine.Plan) any {
	list := make([]planDetails, len(plans))
	for i, p := range plans {
		d := planDetails{
			Run: runs[i].Name, Device: p.Traits.Device, Tier: p.Traits.Tier,
			Request: resolve(runs[i], p.Request), Precision: p.Precision, Path: p.Path,
			MultiplyAdds: p.MultiplyAdds, DeviceBytes: p.DeviceBytes(), Tiles: tilesOf(p.Map), VisiblePairs: p.Map.Pairs,
		}
		for _, step := range p.Steps {
			for _, pass := range step.Passes {
				d.Passes = append(d.Passes, passDetails{kernelName(pass), pass.Constants, pass.Base, pass.Groups, pass.MultiplyAdds, pass.Bytes})
				d.Bytes += pass.Bytes
			}
		}
		for _, b := range p.Buffers {
			d.Buffers = append(d.Buffers, bufferDetails(b))
		}
		list[i] = d
	}
	return struct {
		Plans []planDetails `json:"plans"`
	}{list}
}
