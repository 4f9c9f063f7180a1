package main

// A modelDistance says how far a run's results lie from those of the first.
type modelDistance struct {
	Output      outputDistance       `json:"output"`      // of the last hidden states
	Predictions *predictionDistance  `json:"predictions"` // nil where the head gives none
	Weights     *modelWeightDistance `json:"weights"`     // nil unless both runs computed some of the same layers
}

// A predictionDistance counts the predictions that are not those of the first
// run: rows of logits with another largest; of question answering, first and
// last tokens of answers.
type predictionDistance struct {
	Changed int `json:"changed"`
	Of      int `json:"of"`
}

// A modelWeightDistance is that of all layers that both runs computed, and of each.
type modelWeightDistance struct {
	weightDistance
	Layers []layerDistance `json:"layers"`
}

type layerDistance struct {
	Layer int `json:"layer"`
	weightDistance
}

// predictionDistanceOf compares what the heads of two models predict.
func predictionDistanceOf(a, b *modelOutcome) *predictionDistance {
	ca, cb := a.checkpoint, b.checkpoint
	alike := ca.Head == cb.Head && ca.Config.Outputs(ca.Head) == cb.Config.Outputs(cb.Head)
	if a.predictions == nil || b.predictions == nil || !alike {
		return nil
	}
	d := &predictionDistance{Of: len(a.predictions)}
	for i := range a.predictions {
		if a.predictions[i] != b.predictions[i] {
			d.Changed++
		}
	}
	return d
}
