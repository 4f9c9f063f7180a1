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

func passDetailsOf(passes []engine.Pass) []passDetails {
	var details []passDetails
	for _, pass := range passes {
		details = append(details, passDetails{kernelName(pass), pass.Constants, pass.Base, pass.Groups, pass.MultiplyAdds, pass.Bytes})
	}
	return details
}

func bufferDetailsOf(buffers []engine.BufferSpec) []bufferDetails {
	var details []bufferDetails
	for _, b := range buffers {
		details = append(details, bufferDetails{b.Name, b.Bytes})
	}
	return details
}

func planDetailsOf(runs []configs.Run, plans []*engine.Plan) any {
	list := make([]planDetails, len(plans))
	for i, p := range plans {
		d := planDetails{
			Run: runs[i].Name, Device: p.Traits.Device, Tier: p.Traits.Tier,
			Request: resolve(runs[i], p.Request), Precision: p.Precision, Path: p.Path,
			MultiplyAdds: p.MultiplyAdds, DeviceBytes: p.DeviceBytes(), Tiles: tilesOf(p.Map), VisiblePairs: p.Map.Pairs,
		}
		_, total := sumPasses(passesOf(p))
		d.Passes, d.Buffers, d.Bytes = passDetailsOf(passesOf(p)), bufferDetailsOf(p.Buffers), total.bytes
		list[i] = d
	}
	return struct {
		Plans []planDetails `json:"plans"`
	}{list}
}
