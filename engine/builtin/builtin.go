// Package builtin carries a small ModernBERT, so that there is a model to run
// and look at before any was downloaded. README.md is its model card; training/
// has the text it was trained on, by name, and the script that did it.
package builtin

import (
	"embed"
	"io/fs"
)

// Name is what stands for the model where a checkpoint is named.
const Name = "builtin"

//go:embed model
var files embed.FS

// Files returns the checkpoint, in Hugging Face form.
func Files() fs.FS {
	model, err := fs.Sub(files, "model")
	if err != nil {
		panic(err) // "model" is a valid path
	}
	return model
}
