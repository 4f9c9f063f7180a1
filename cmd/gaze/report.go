package main

import (
	"strings"
	"time"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
)

// A report is what a run took, as JSON. Sizes are in bytes.
type report struct {
	Run          string           `json:"run"`
	Device       deviceSummary    `json:"device"`
	Request      request          `json:"request"`
	Tier         engine.Tier      `json:"kernel_tier"`
	Precision    engine.Precision `json:"precision"`
	Path         engine.Path      `json:"path"`
	Kernels      []kernelReport   `json:"kernels"`
	Milliseconds clocks           `json:"milliseconds"`
	Submits      int              `json:"submits"`
	DeviceBytes  int64            `json:"device_bytes"`
	VisiblePairs int64            `json:"visible_pairs"` // of one head
	Tiles        tiles            `json:"tiles"`
	Rate         rates            `json:"gflops"`
	Distance     *distance        `json:"distance_from_first"` // null for the first, and for other shapes
	Files        []string         `json:"files"`
}

type deviceSummary struct {
	Index         int    `json:"index"`
	Name          string `json:"name"`
	Kind          string `json:"kind"`
	Driver        string `json:"driver"`
	DriverVersion string `json:"driver_version"`
	Vulkan        string `json:"vulkan"`
}

type kernelReport struct {
	Kernel       string  `json:"kernel"`
	Dispatches   int     `json:"dispatches"`
	Milliseconds float64 `json:"milliseconds"` // 0 where the device has no clock
	MultiplyAdds int64   `json:"multiply_adds"`
	GFLOPS       float64 `json:"gflops"` // in tiles that are walked
	Bytes        int64   `json:"bytes"`  // that must be moved, each element once
}

type clocks struct {
	Compile float64 `json:"compile"`
	Host    float64 `json:"host"`    // from the first submit to the last result
	GPU     float64 `json:"gpu"`     // of all kernels, by the device's clock
	Output  float64 `json:"output"`  // of the kernels that the output needs
	Weights float64 `json:"weights"` // of those that only stored or drawn weights need
}

// rates are in GFLOP/s over the time that the output needs: of all pairs in the
// tiles that are walked, and of the visible pairs alone.
type rates struct {
	Walked  float64 `json:"walked"`
	Visible float64 `json:"visible"`
}

// tiles counts the parts of the block map of one head.
type tiles struct {
	Queries int   `json:"queries"` // of a tile
	Keys    int   `json:"keys"`
	All     int64 `json:"all"`
	Whole   int64 `json:"whole"`   // hide nothing
	Partial int64 `json:"partial"` // hide something
	Skipped int64 `json:"skipped"` // hide everything
}

func tilesOf(m *gaze.BlockMap) tiles {
	whole, _ := m.Whole()
	all := int64(m.QueryTiles()) * int64((m.Rows+gaze.KeyTile-1)/gaze.KeyTile)
	return tiles{m.QueryTile, gaze.KeyTile, all, int64(whole), int64(len(m.Tiles) - whole), all - int64(len(m.Tiles))}
}

// onlyWeights reports whether a kernel has nothing to do with the output.
func onlyWeights(kernel string) bool {
	return kernel == "zero" || strings.HasPrefix(kernel, "weights")
}

// times returns what the output took, and what weights took beyond that. On a
// device without a clock all of it counts as the output's.
func (o *outcome) times() (output, weights time.Duration) {
	for _, p := range o.result.Passes {
		if onlyWeights(p.Kernel) {
			weights += p.GPU
		} else {
			output += p.GPU
		}
	}
	if output == 0 {
		return o.host, 0
	}
	return output, weights
}

// rates returns GFLOP/s over the time that the output took.
func (o *outcome) rates() rates {
	output, _ := o.times()
	walked := int64(0)
	for _, p := range o.result.Passes {
		if !onlyWeights(p.Kernel) {
			walked += p.MultiplyAdds
		}
	}
	a := o.run.Attention
	// Scores and context: two multiply-adds a pair and element.
	visible := 2 * int64(a.Heads) * int64(a.HeadDim) * o.plan.Map.Pairs
	return rates{gflops(walked, output), gflops(visible, output)}
}

func gflops(multiplyAdds int64, t time.Duration) float64 {
	if t <= 0 {
		return 0
	}
	return 2 * float64(multiplyAdds) / t.Seconds() / 1e9
}

// deviceOf describes the device of an engine.
func deviceOf(e *engine.Engine) deviceSummary {
	adapter := e.Adapter()
	return deviceSummary{adapter.Index, adapter.Name, adapter.Kind.String(), adapter.Driver, driverVersion(adapter), adapter.API}
}

func kernelReports(passes []engine.PassTime) []kernelReport {
	var reports []kernelReport
	for _, p := range passes {
		reports = append(reports, kernelReport{p.Kernel, p.Dispatches, inMilliseconds(p.GPU),
			p.MultiplyAdds, gflops(p.MultiplyAdds, p.GPU), p.Bytes})
	}
	return reports
}

func (o *outcome) report() report {
	output, weights := o.times()
	return report{
		Run: o.run.Name, Device: deviceOf(o.engine), Kernels: kernelReports(o.result.Passes),
		Request: resolve(o.run, o.plan.Request), Tier: o.plan.Traits.Tier, Precision: o.plan.Precision, Path: o.plan.Path,
		Milliseconds: clocks{inMilliseconds(o.result.Compile), inMilliseconds(o.host),
			inMilliseconds(o.result.GPU()), inMilliseconds(output), inMilliseconds(weights)},
		Submits: o.result.Submits, DeviceBytes: o.result.Bytes, VisiblePairs: o.plan.Map.Pairs,
		Tiles: tilesOf(o.plan.Map), Rate: o.rates(), Distance: o.distance, Files: o.files,
	}
}

// writeReport writes the report, if one is wanted.
func (o *outcome) writeReport() error {
	path := o.run.Output.Report
	if path == "" {
		return nil
	}
	o.files = append(o.files, path)
	return writeJSON(path, o.report())
}

// reports is what "gaze run --json" prints.
func reports(outcomes []*outcome) any {
	list := make([]report, len(outcomes))
	for i, o := range outcomes {
		list[i] = o.report()
	}
	return struct {
		Runs []report `json:"runs"`
	}{list}
}
