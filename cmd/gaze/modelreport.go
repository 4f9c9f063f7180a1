package main

import (
	"fmt"
	"strings"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/modernbert"
)

// A modelReport is what a run of a model took, as JSON. Sizes are in bytes.
type modelReport struct {
	Run             string            `json:"run"`
	Device          deviceSummary     `json:"device"`
	Request         modelRequest      `json:"request"`
	Tier            engine.Tier       `json:"kernel_tier"`
	Precision       engine.Precision  `json:"precision"`
	Attention       []attentionReport `json:"attention"`
	Kernels         []kernelReport    `json:"kernels"`
	Milliseconds    clocks            `json:"milliseconds"`
	Submits         int               `json:"submits"`
	Tokens          int               `json:"tokens"`
	TokensPerSecond float64           `json:"tokens_per_second"`
	DeviceBytes     int64             `json:"device_bytes"`
	Distance        *modelDistance    `json:"distance_from_first"` // null for the first, and for other shapes
	Files           []string          `json:"files"`
}

// A modelRequest is a run with every default resolved, in the words of run files.
type modelRequest struct {
	Model        string       `json:"model"`
	Architecture string       `json:"architecture"`
	Layers       int          `json:"layers"`
	HiddenSize   int          `json:"hidden_size"`
	Heads        int          `json:"heads"`
	HeadDim      int          `json:"head_dim"`
	Sequences    gaze.Lengths `json:"sequences"`
	File         string       `json:"input_file,omitempty"`
	HiddenStates bool         `json:"hidden_states"`
	Attentions   []int        `json:"attentions"` // whose weights were computed
}

// An attentionReport is what some layers compute.
type attentionReport struct {
	Layers       []int          `json:"layers"`
	RopeTheta    float64        `json:"rope_theta"`
	Pattern      map[string]any `json:"pattern"`
	VisiblePairs int64          `json:"visible_pairs"` // of one head
	Tiles        tiles          `json:"tiles"`
}

func attentionReports(p *modernbert.Program) []attentionReport {
	var reports []attentionReport
	for _, g := range layerGroups(p) {
		reports = append(reports, attentionReport{g.layers, g.attention.RoPE.Theta, patternKeys(g.attention.Visible()), g.blockMap.Pairs, tilesOf(g.blockMap)})
	}
	return reports
}

func (j *modelJob) request() modelRequest {
	c := j.checkpoint.Config
	return modelRequest{
		Model: j.run.Model.Path, Architecture: j.checkpoint.Head.String(), Layers: c.Layers, HiddenSize: c.HiddenSize, Heads: c.Heads, HeadDim: c.HeadDim(),
		Sequences: j.lengths, File: j.run.Model.Input.File,
		HiddenStates: j.run.Output.HiddenStates, Attentions: append([]int{}, j.run.Output.Attentions...),
	}
}

func (o *modelOutcome) report() modelReport {
	all := o.all()
	forward, weights := o.times()
	return modelReport{
		Run: o.run.Name, Device: deviceOf(o.engine), Request: o.request(), Tier: o.engine.Traits().Tier, Precision: o.precision,
		Attention: attentionReports(o.plan), Kernels: kernelReports(all.Passes),
		Milliseconds: clocks{inMilliseconds(all.Compile), inMilliseconds(all.Host), inMilliseconds(all.GPU()), inMilliseconds(forward), inMilliseconds(weights)},
		Submits:      all.Submits, Tokens: o.lengths.Tokens(), TokensPerSecond: o.rate(), DeviceBytes: o.deviceBytes, Distance: o.distance, Files: o.files,
	}
}

// writeReport writes the report, if one is wanted.
func (o *modelOutcome) writeReport() error {
	path := o.run.Output.Report
	if path == "" {
		return nil
	}
	o.files = append(o.files, path)
	return writeJSON(path, o.report())
}

// modelReports is what "gaze run --json" prints.
func modelReports(outcomes []*modelOutcome) any {
	list := make([]modelReport, len(outcomes))
	for i, o := range outcomes {
		list[i] = o.report()
	}
	return struct {
		Runs []modelReport `json:"runs"`
	}{list}
}

// isOfModel reports whether the runs of a file are of a model; all are, or none.
func isOfModel(runs []configs.Run) bool { return runs[0].Model != nil }

// modelLine describes a job's model in a line.
func (j *modelJob) modelLine() string {
	c := j.checkpoint.Config
	return fmt.Sprintf("%s: %v, %d layers, hidden size %d, heads %d, head_dim %d", j.run.Model.Path, j.checkpoint.Head, c.Layers, c.HiddenSize, c.Heads, c.HeadDim())
}

// layersText writes "layer 3" or "layers 0, 3, 6".
func layersText(layers []int) string {
	text := strings.Trim(strings.ReplaceAll(fmt.Sprint(layers), " ", ", "), "[]")
	if len(layers) == 1 {
		return "layer " + text
	}
	return "layers " + text
}
