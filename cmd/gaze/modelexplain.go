package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/modernbert"
)

// A modelPlan is how a run of a model would be computed.
type modelPlan struct {
	*modelJob
	traits  engine.Traits
	program *modernbert.Program
	passes  []engine.Pass       // of the forward pass, then of weights
	buffers []engine.BufferSpec // the model's weights among them
}

// planModels plans runs of a model for a device with traits t.
func planModels(ctx context.Context, s streams, runs []configs.Run, t engine.Traits) ([]*modelPlan, error) {
	models := newModels(s)
	defer models.close()
	jobs, err := models.jobs(ctx, runs)
	if err != nil {
		return nil, err
	}
	var plans []*modelPlan
	for _, j := range jobs {
		p, err := j.planFor(t)
		if err != nil {
			return nil, of(j.run, runs, err)
		}
		plans = append(plans, p)
	}
	return plans, nil
}

func (j *modelJob) planFor(t engine.Traits) (*modelPlan, error) {
	program, err := j.program(t)
	if err != nil {
		return nil, err
	}
	bytes, err := modernbert.WeightBytes(t, j.checkpoint, j.precision)
	if err != nil {
		return nil, err
	}
	p := &modelPlan{j, t, program, slices.Clone(program.Passes), []engine.BufferSpec{{Name: "the model", Bytes: bytes}}}
	p.buffers = slices.Concat(p.buffers, program.Buffers, program.Captured)
	for _, layer := range j.run.Output.Attentions {
		steps, buffers, err := program.WeightSteps(t, layer)
		if err != nil {
			return nil, err
		}
		for _, s := range steps {
			p.passes = append(p.passes, s.Passes...)
		}
		p.need(buffers)
	}
	return p, nil
}

// need makes buffers as large as one layer's weights after the other need them.
func (p *modelPlan) need(buffers []engine.BufferSpec) {
	for _, b := range buffers {
		i := slices.IndexFunc(p.buffers, func(known engine.BufferSpec) bool { return known.Name == b.Name })
		if i < 0 {
			p.buffers = append(p.buffers, b)
		} else {
			p.buffers[i].Bytes = max(p.buffers[i].Bytes, b.Bytes)
		}
	}
}

func (p *modelPlan) deviceBytes() int64 {
	sum := int64(0)
	for _, b := range p.buffers {
		sum += b.Bytes
	}
	return sum
}

func modelPlanText(p *modelPlan) string {
	head := newTable("ll")
	head.add("run", p.run.Name)
	head.add("plan for", fmt.Sprintf("%s, kernel tier %s, %s", p.traits.Device, p.traits.Tier, shapesText(p.traits)))
	head.add("model", fmt.Sprintf("%s, in %s", p.modelLine(), p.precision))
	head.add("input", tokens(p.lengths))

	n := int64(p.lengths.Tokens())
	layers := newTable("lrrrrrrl")
	layers.add("", "", "tiles of", "", "", "", "pairs of a head", "")
	layers.add("attention of", "rope_theta", fmt.Sprintf("%d x %d", p.program.Maps[0].QueryTile, tilesOf(p.program.Maps[0]).Keys), "whole", "masked", "skipped", "visible", "pattern")
	for _, g := range layerGroups(p.program) {
		m := tilesOf(g.blockMap)
		layers.add(layersText(g.layers), fmt.Sprint(g.attention.RoPE.Theta), count(m.All), share(m.Whole, m.All), share(m.Partial, m.All), share(m.Skipped, m.All),
			fmt.Sprintf("%s (%s)", count(g.blockMap.Pairs), share(g.blockMap.Pairs, n*n)), g.attention.Visible().String())
	}
	return strings.Join([]string{head.String(), layers.String(), passTable(p.passes), bufferTable(p.buffers)}, "\n")
}

// modelPlanDetails is a modelPlan as "gaze explain --json" prints it.
type modelPlanDetails struct {
	Run          string            `json:"run"`
	Device       string            `json:"device"`
	Tier         engine.Tier       `json:"kernel_tier"`
	Request      modelRequest      `json:"request"`
	Precision    engine.Precision  `json:"precision"`
	Attention    []attentionReport `json:"attention"`
	Passes       []passDetails     `json:"passes"`
	Buffers      []bufferDetails   `json:"buffers"`
	MultiplyAdds int64             `json:"multiply_adds"`
	Bytes        int64             `json:"bytes"`
	DeviceBytes  int64             `json:"device_bytes"`
}

func modelPlanDetailsOf(plans []*modelPlan) any {
	list := make([]modelPlanDetails, len(plans))
	for i, p := range plans {
		_, total := sumPasses(p.passes)
		list[i] = modelPlanDetails{
			Run: p.run.Name, Device: p.traits.Device, Tier: p.traits.Tier, Request: p.request(), Precision: p.precision,
			Attention: attentionReports(p.program), Passes: passDetailsOf(p.passes), Buffers: bufferDetailsOf(p.buffers),
			MultiplyAdds: total.multiplyAdds, Bytes: total.bytes, DeviceBytes: p.deviceBytes(),
		}
	}
	return struct {
		Plans []modelPlanDetails `json:"plans"`
	}{list}
}
