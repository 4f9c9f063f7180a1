package configs

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed *.toml
var presetFiles embed.FS

// A PresetInfo names a preset and says in a line what it shows.
type PresetInfo struct{ Name, Description string }

// Presets lists the run files that are built in, in alphabetical order.
func Presets() []PresetInfo {
	entries, err := presetFiles.ReadDir(".")
	if err != nil {
		panic(err) // embedded files are always there
	}
	presets := make([]PresetInfo, len(entries))
	for i, entry := range entries {
		data, err := presetFiles.ReadFile(entry.Name())
		if err != nil {
			panic(err)
		}
		line, _, _ := strings.Cut(string(data), "\n")
		presets[i] = PresetInfo{
			Name:        strings.TrimSuffix(entry.Name(), ".toml"),
			Description: strings.TrimSpace(strings.TrimPrefix(line, "#")),
		}
	}
	return presets
}

// Preset returns the text of a preset. Its outputs are relative, so the path
// that it is given to [Parse] under decides where they go.
func Preset(name string) ([]byte, error) {
	data, err := presetFiles.ReadFile(name + ".toml")
	if err == nil {
		return data, nil
	}
	var names []string
	for _, p := range Presets() {
		names = append(names, p.Name)
	}
	near := nearest(name, names)
	if near == "" {
		return nil, fmt.Errorf("there is no preset %s; there are %s", quote(name), list(names, "and"))
	}
	return nil, fmt.Errorf("there is no preset %s; did you mean %s?", quote(name), near)
}
