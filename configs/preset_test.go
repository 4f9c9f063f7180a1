package configs

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
)

// load parses a preset, which must be right.
func load(t *testing.T, name string) []Run {
	t.Helper()
	data, err := Preset(name)
	if err != nil {
		t.Fatal(err)
	}
	file, err := Parse(name+".toml", data)
	if err != nil {
		t.Fatal(err)
	}
	return file.Runs
}

func TestPresets(t *testing.T) {
	var names []string
	for _, p := range Presets() {
		names = append(names, p.Name)
		if len(p.Description) < 20 || len(p.Description) > 90 || strings.Contains(p.Description, "#") {
			t.Errorf("%s: description %q", p.Name, p.Description)
		}
		if run := load(t, p.Name)[0]; run.Output.Heatmap == "" || run.Output.Report == "" || run.Input.Tensors != "" {
			t.Errorf("%s: draws nothing, reports nothing or needs an input: %+v", p.Name, run)
		}
	}
	want := []string{"compare", "dilated", "example", "longformer", "modernbert-global", "modernbert-local", "modernbert-windows"}
	if !slices.Equal(names, want) {
		t.Errorf("presets %v, want %v", names, want)
	}
}

// presetPatterns are what the presets are about.
var presetPatterns = map[string]gaze.Pattern{
	"modernbert-global": gaze.Full{},
	"modernbert-local":  gaze.SlidingWindow{Left: 64, Right: 64},
	"longformer":        gaze.Any{gaze.SlidingWindow{Left: 32, Right: 32}, gaze.GlobalTokens{Tokens: []int{0, 1, 2, 3}}},
	"dilated":           gaze.DilatedWindow{Reach: 16, Dilation: 4},
}

func TestPresetPatterns(t *testing.T) {
	theta := map[string]float64{"modernbert-global": 160000, "modernbert-local": 10000, "longformer": 0, "dilated": 10000}
	for name, want := range presetPatterns {
		runs := load(t, name)
		if len(runs) != 1 || !reflect.DeepEqual(runs[0].Attention.Pattern, want) {
			t.Errorf("%s: %d runs of pattern %v, want one of %v", name, len(runs), runs[0].Attention.Pattern, want)
		}
		if got := runs[0].Attention.RoPE.Theta; got != theta[name] {
			t.Errorf("%s: rope_theta %v, want %v", name, got, theta[name])
		}
	}
}

// TestCompare: compare has the patterns of all others and nothing else varies.
func TestCompare(t *testing.T) {
	runs := load(t, "compare")
	if len(runs) != len(presetPatterns) {
		t.Fatalf("%d runs, want %d", len(runs), len(presetPatterns))
	}
	for _, run := range runs {
		name := strings.ReplaceAll(run.Name, " ", "-")
		if want := presetPatterns[name]; !reflect.DeepEqual(run.Attention.Pattern, want) {
			t.Errorf("%s: pattern %v, want %v", name, run.Attention.Pattern, want)
		}
		run.Attention.Pattern = runs[0].Attention.Pattern
		run.Name, run.Output = runs[0].Name, runs[0].Output
		if !reflect.DeepEqual(run, runs[0]) {
			t.Errorf("%s: more than the pattern varies: %+v", name, run)
		}
	}
}

func TestPresetUnknown(t *testing.T) {
	for name, want := range map[string]string{
		"modernbert_locl": `there is no preset "modernbert_locl"; did you mean modernbert-local?`,
		"local":           `there is no preset "local"; did you mean modernbert-local?`,
		"../configs":      `there is no preset "../configs"; there are compare, dilated, example, longformer, modernbert-global, modernbert-local and modernbert-windows`,
	} {
		if _, err := Preset(name); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

// TestExampleDocumentsEveryKey: each key of the schema, and each kind of
// pattern with its keys, is set in the example, if only in a comment.
func TestExampleDocumentsEveryKey(t *testing.T) {
	data, err := Preset("example")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	header := regexp.MustCompile(`^(?:# )?\[\[?([a-z.]+)\]?\]$`)
	section := ""
	for _, line := range strings.Split(string(data), "\n") {
		if m := header.FindStringSubmatch(line); m != nil {
			section = m[1]
		}
		sections[section] += line + "\n"
	}
	keys := knownKeys()
	if len(keys) < 25 {
		t.Fatalf("only %d known keys: %v", len(keys), keys)
	}
	for _, key := range keys {
		section, name := "", key
		if dot := strings.LastIndexByte(key, '.'); dot >= 0 {
			section, name = key[:dot], key[dot+1:]
		}
		_, isTable := sections[key]
		set := regexp.MustCompile(`(?m)^(# )?` + name + ` = `)
		if !isTable && !set.MatchString(sections[section]) {
			t.Errorf("%s is not in the example", key)
		}
	}
	if most := fmt.Sprintf("At most %d tokens", gaze.MaxTokens); !strings.Contains(string(data), most) {
		t.Errorf("%q is not in the example", most)
	}
	for _, kind := range patternKinds() {
		if !strings.Contains(string(data), `kind = "`+kind.name+`"`) || !strings.Contains(string(data), kind.name+": ") &&
			!strings.Contains(string(data), kind.name+", ") {
			t.Errorf("kind %s is not in the example", kind.name)
		}
	}
}

// TestExampleDefaults: the example states the defaults that an empty file has.
func TestExampleDefaults(t *testing.T) {
	data, err := Preset("example")
	if err != nil {
		t.Fatal(err)
	}
	stated := map[string]string{}
	key := regexp.MustCompile(`^(?:# )?([a-z_]+) = `)
	headerLine := regexp.MustCompile(`^\[([a-z]+)\]$`)
	section, value := "", ""
	before, _, _ := strings.Cut(string(data), "\n# A run of a model\n")
	for _, line := range strings.Split(before, "\n") {
		if m := headerLine.FindStringSubmatch(line); m != nil {
			section = m[1] + "."
		}
		if strings.HasPrefix(line, "[[") {
			value = "" // lists of tables have no default to parse
		}
		if _, after, ok := strings.Cut(line, "default: "); ok {
			value = after
		} else if m := key.FindStringSubmatch(line); m != nil && value != "" {
			stated[section+m[1]], value = value, ""
		}
	}
	delete(stated, "input.tensors") // none, for it excludes seed
	text := ""
	for name, value := range stated {
		text += name + " = " + value + "\n"
	}
	if len(stated) != 15 {
		t.Errorf("the example states %d defaults: %v", len(stated), stated)
	}
	checkRuns(t, mustParse(t, text), mustParse(t, "")...)

	model := "model = {path = \"builtin\", layer = [{layers = \"all\", pattern = [{kind = \"causal\"}, {kind = \"full\"}]COMBINE}]}\ninput.text = [\"a\"]\n"
	stated = map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)default: (\S+)\n# ([a-z_]+) = `).FindAllStringSubmatch(exampleOfModel(t), -1) {
		if m[1] != "none" {
			stated[m[2]] = m[1]
		}
	}
	combine := ", combine = " + stated["combine"]
	delete(stated, "combine")
	text = strings.Replace(model, "COMBINE", combine, 1)
	for name, value := range stated {
		text += "output." + name + " = " + value + "\n"
	}
	if len(stated) != 5 {
		t.Errorf("of a model the example states %d defaults: %v", len(stated), stated)
	}
	checkRuns(t, mustParse(t, text), mustParse(t, strings.Replace(model, "COMBINE", "", 1))...)
}
