package main

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/cmd/internal/load"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/tokenizer"
	"github.com/gazevk/gaze/reference"
)

// The cells of a map are the reference's weights, in every layer and head, of the
// whole and of parts, pooled and not.
func TestMap(t *testing.T) {
	directory := tinyModel(t, "ModernBertForMaskedLM", map[string]any{"local_attention": 12, "max_position_embeddings": 2000})
	oracle := newOracle(t, directory)
	short, long := "the man and an ant, the [MASK]", strings.Repeat("a cat and the dog; ", 80)
	for _, c := range []struct {
		text        string
		layer, head int
		arguments   string // more of them
		cell        int
		queries     [2]int // from, to; to 0: all
		keys        [2]int
	}{
		{short, 0, 0, "", 1, [2]int{}, [2]int{}},
		{short, 1, 1, "", 1, [2]int{}, [2]int{}},
		{short, 1, 0, "--rect 3:9,5:", 1, [2]int{3, 9}, [2]int{5, 0}},
		{long, 0, 1, "", 2, [2]int{}, [2]int{}},
		{short, 1, 1, "--measure row_maximum", 1, [2]int{}, [2]int{}},
		{short, 1, 1, "--measure lift", 1, [2]int{}, [2]int{}},
		{long, 1, 1, "--pool mean --rect 1:1200,3:1119", 2, [2]int{0, 1200}, [2]int{2, 1119}},
	} {
		e := oracle.encode(t, c.text, tokenizer.Options{})
		for _, end := range []*int{&c.queries[1], &c.keys[1]} {
			if *end == 0 {
				*end = len(e.IDs)
			}
		}
		weights := oracle.Weights(oracle.Forward([][]uint32{e.IDs}), c.layer)[c.head*len(e.IDs)*len(e.IDs):]
		out := filepath.Join(t.TempDir(), "part", "map.csv")
		arguments := []string{"map", "--model", directory, "--text", c.text, "--precision", "f32", "--layer", strconv.Itoa(c.layer), "--head", strconv.Itoa(c.head), "--out", out}
		mustCall(t, append(arguments, strings.Fields(c.arguments)...)...)
		file, err := os.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(file).ReadAll()
		file.Close()
		rows, columns := (c.queries[1]-c.queries[0]+c.cell-1)/c.cell, (c.keys[1]-c.keys[0]+c.cell-1)/c.cell
		if err != nil || len(lines) != rows+2 || len(lines[0]) != columns+2 {
			t.Fatalf("%s: %d lines of %d, error %v", c.arguments, len(lines), len(lines[0]), err)
		}
		if lines[0][2] != strconv.Itoa(c.keys[0]) || lines[2][0] != strconv.Itoa(c.queries[0]) {
			t.Errorf("%s begins at query %s, key %s", c.arguments, lines[2][0], lines[0][2])
		}
		pattern := oracle.Config.Attention(c.layer).Visible()
		for row := range rows {
			for column := range columns {
				largest, sum, pairs, seen := 0.0, 0.0, 0, false
				for q := c.queries[0] + row*c.cell; q < min(c.queries[0]+(row+1)*c.cell, c.queries[1]); q++ {
					visible := pattern.AppendKeys(nil, q, len(e.IDs))
					for k := c.keys[0] + column*c.cell; k < min(c.keys[0]+(column+1)*c.cell, c.keys[1]); k++ {
						pairs++
						for _, s := range visible {
							if k >= s.First && k < s.End {
								w := weights[q*len(e.IDs)+k]
								largest, sum, seen = max(largest, w), sum+w, true
							}
						}
					}
				}
				text := lines[row+2][column+2]
				if !seen {
					if text != "" {
						t.Fatalf("%s: row %d, column %d is %s, and hidden", c.arguments, row, column, text)
					}
					continue
				}
				want := largest
				whole := weights[(c.queries[0]+row)*len(e.IDs):][:len(e.IDs)]
				switch {
				case strings.Contains(c.arguments, "mean"):
					want = sum / float64(pairs)
				case strings.Contains(c.arguments, "row_maximum"):
					want /= slices.Max(whole)
				case strings.Contains(c.arguments, "lift"):
					for _, s := range pattern.AppendKeys(nil, c.queries[0]+row, len(e.IDs)) {
						want += largest * float64(s.End-s.First)
					}
					want -= largest
				}
				if got, err := strconv.ParseFloat(text, 64); err != nil || math.Abs(got-want) > 1e-5 {
					t.Fatalf("%s: row %d, column %d is %s, expected %v", c.arguments, row, column, text, want)
				}
			}
		}
	}
}

func TestMapFiles(t *testing.T) {
	directory := tinyModel(t, "ModernBertModel", nil)
	folder := t.TempDir()
	text := write(t, folder, "text.txt", "the man\nand the\tcat")
	out := mustCall(t, "map", "--model", directory, "--file", text, "--layer", "1", "--out", filepath.Join(folder, "map.npy"))
	if !strings.Contains(out, "layer 1, head 0, queries 0 to 14, keys 0 to 14 of 14 tokens\n") {
		t.Errorf("it says %q", out)
	}
	data, err := os.ReadFile(filepath.Join(folder, "map.npy"))
	if err != nil || len(data) != 128+4*14*14 || !strings.Contains(string(data[:128]), "'shape': (14, 14)") {
		t.Errorf("%d bytes, %q, error %v", len(data), data[:min(len(data), 128)], err)
	}
	for _, arguments := range []string{"", "--grid", "--rect 2:9,0:5 --scale linear --colors magma --density 2 --size 100"} {
		path := filepath.Join(folder, "map.png")
		mustCall(t, append([]string{"map", "--model", directory, "--file", text, "--out", path}, strings.Fields(arguments)...)...)
		if picture, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(picture), "\x89PNG") {
			t.Errorf("%s: %d bytes, error %v", arguments, len(picture), err)
		}
	}
	mustCall(t, "map", "--model", directory, "--file", text, "--out", filepath.Join(folder, "map.html"))
	if page, err := os.ReadFile(filepath.Join(folder, "map.html")); err != nil || !strings.HasPrefix(string(page), "<!DOCTYPE html>") {
		t.Errorf("%d bytes, error %v", len(page), err)
	}
	for _, arguments := range []string{"", "--grid"} {
		path := filepath.Join(folder, "map.svg")
		mustCall(t, append([]string{"map", "--model", directory, "--file", text, "--out", path}, strings.Fields(arguments)...)...)
		if picture, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(picture), "<svg ") || strings.Count(string(picture), "<image ") != map[string]int{"": 1, "--grid": 4}[arguments] {
			t.Errorf("%s: %d bytes, error %v", arguments, len(picture), err)
		}
	}
}

// What a grid says of its heads is what the reference's weights amount to.
func TestMapGrid(t *testing.T) {
	directory := tinyModel(t, "ModernBertModel", map[string]any{"local_attention": 6})
	oracle := newOracle(t, directory)
	text := "the man and an ant"
	e := oracle.encode(t, text, tokenizer.Options{})
	forward := oracle.Forward([][]uint32{e.IDs})
	n := len(e.IDs)
	type summary struct {
		title, subtitle string
		roles           engine.Roles
		by              map[string]float64
	}
	var heads []summary
	for layer := range 2 {
		pattern := oracle.Config.Attention(layer).Visible()
		statistics := reference.RowStatistics(oracle.Weights(forward, layer), e.IDs, pattern, gaze.Lengths{n}, 2)
		for head := range 2 {
			entropy, distance := 0.0, 0.0
			var roles engine.Roles
			for row := range n {
				for role := range roles {
					roles[role] += float32(statistics[(head*n+row)*reference.RowStatisticColumns+4+role] / float64(n))
				}
				entropy += statistics[(head*n+row)*reference.RowStatisticColumns+1] / float64(n)
				distance += statistics[(head*n+row)*reference.RowStatisticColumns+2] / float64(n)
			}
			heads = append(heads, summary{fmt.Sprintf("L%d H%d", layer, head), fmt.Sprintf("%.1f bits, %.1f away", entropy, distance), roles,
				map[string]float64{"entropy": entropy, "distance": distance, "layer": float64(len(heads))}})
		}
	}
	for _, order := range []string{"layer", "entropy", "distance", "self", "previous", "next", "first", "last", "copy"} {
		out := filepath.Join(t.TempDir(), "grid.svg")
		mustCall(t, "map", "--model", directory, "--text", text, "--precision", "f32", "--grid", "--sort", order, "--out", out)
		page, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		role, err := engine.ParseRole(order)
		byRole := err == nil
		slices.SortFunc(heads, func(a, b summary) int {
			if byRole {
				return cmp.Compare(b.roles[role], a.roles[role])
			}
			return cmp.Compare(a.by[order], b.by[order])
		})
		rest := html.UnescapeString(string(page))
		for _, h := range heads {
			title := h.title
			if shown := h.roles.Strongest(); byRole {
				title += fmt.Sprintf(", %v %.0f%%", role, 100*h.roles[role])
			} else if h.roles[shown] >= 0.3 {
				title += fmt.Sprintf(", %v %.0f%%", shown, 100*h.roles[shown])
			}
			// A long title goes on in a second line.
			if i := strings.LastIndex(title, " "); !strings.Contains(rest, ">"+title+"<") && i > 0 {
				title = title[:i]
			}
			for _, label := range []string{title, h.subtitle} {
				_, after, found := strings.Cut(rest, ">"+label+"</text>")
				if !found {
					t.Fatalf("by %s: %q is missing, or out of order", order, label)
				}
				rest = after
			}
		}
	}
}

// A range that is given is that of the legend.
func TestMapRange(t *testing.T) {
	directory := tinyModel(t, "ModernBertModel", nil)
	out := filepath.Join(t.TempDir(), "map.svg")
	mustCall(t, "map", "--model", directory, "--text", "a b", "--range", "0.0123:0.789", "--out", out)
	data, err := os.ReadFile(out)
	if err != nil || !strings.Contains(string(data), "from 0.0123 to 0.789") {
		t.Errorf("%v: the legend has another range", err)
	}
}

func TestGridNotices(t *testing.T) {
	if text := (gridHead{entropy: 10.04, distance: 1234.5}).String(); text != "10.0 bits, 1234 away" {
		t.Error(text)
	}
	if err := (&gridHead{}).summarize([]engine.RowStatistic{{Sum: 1}, {Sum: 0.99}}); err == nil || !strings.Contains(err.Error(), "query 1 add up to 0.99") {
		t.Errorf("the error is %v", err)
	}
}

// A title names the role that heads are sorted by, or else a strong one.
func TestGridTitles(t *testing.T) {
	h := gridHead{layer: 3, head: 1}
	h.roles[engine.RolePrevious], h.roles[engine.RoleCopy] = 0.61, 0.02
	weak := gridHead{layer: 3, head: 2}
	weak.roles[engine.RoleFirst] = 0.29
	for want, got := range map[string]string{
		"L3 H1, previous 61%": h.title("layer"), "L3 H1, copy 2%": h.title("copy"), "L3 H2": weak.title("entropy"), "L3 H2, first 29%": weak.title("first"),
	} {
		if got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
}

func TestMapErrors(t *testing.T) {
	directory := tinyModel(t, "ModernBertModel", nil)
	for arguments, want := range map[string]string{
		"":                                  "give the text, by --text or by --file",
		"--text a --file b":                 "give the text, by --text or by --file",
		"--text a --layer 2":                "--layer is 2: " + directory + " has layers 0 to 1",
		"--text a --head x":                 "expected the number of a head, or mean",
		"--text a --rollout x":              "expected the number of a token",
		"--text a --rollout 0 --out x.html": "--rollout is written as .png, .svg, .csv or .npy: --out is x.html",
		"--text a --head -1":                "--head is -1: " + directory + " has heads 0 to 1",
		"--text a --out map.jpg":            "expected a name that ends in .png, .svg, .html, .csv or .npy",
		"--text a --rect 0:2":               "expected Q0:Q1,K0:K1",
		"--text a --rect 0:2,x:1":           "expected Q0:Q1,K0:K1",
		"--text a --rect 0:2,2:9":           "keys 2 to 9 of 3 tokens: expected two bounds from 0 to 3, the first below the second",
		"--text a --rect 2:2,0:1":           "queries 2 to 2 of 3 tokens: expected two bounds from 0 to 3, the first below the second",
		"--text a --grid --out x.html":      "--grid is drawn as .png or .svg: --out is x.html",
		"--text a --measure difference":     "--measure is difference",
		"--text a --grid --sort size":       "--sort is \"size\": expected layer, entropy, distance, previous",
		"--text a --scale cubic":            "cubic",
		"--text a --range 1":                "expected two numbers, such as 0.001:1",
		"--text a --range 0:1":              "on a log scale it must start above 0",
		"--text a --range 1:0.5":            "two finite numbers, the lower first",
		"--text a --colors jet":             "no colour map \"jet\"",
		"--file no-such-file":               "cannot read the text",
		"--text a --scale log --size 9999":  "map of size 9999",
		"--text a --size 0":                 "map of size 0 at density 1",
		"--text a --density 0":              "map of size 896 at density 0",
	} {
		out := filepath.Join(t.TempDir(), "new", "map.png")
		got := call(t.Context(), "", append([]string{"map", "--model", directory, "--out", out}, strings.Fields(arguments)...)...)
		if got.status == statusOK || !strings.Contains(got.err, want) {
			t.Errorf("%s: status %d, %q, expected %q", arguments, got.status, got.err, want)
		}
		if _, err := os.Stat(filepath.Dir(out)); err == nil {
			t.Errorf("%s: a directory was left behind", arguments)
		}
	}
}

func TestMapNamesItsText(t *testing.T) {
	directory := tinyModel(t, "ModernBertModel", nil)
	bad := write(t, t.TempDir(), "bad.txt", "\xff")
	for _, c := range []struct{ stdin, flag, value, want string }{
		{"", "--file", bad, bad + ": "}, {"\xff", "--file", "-", "standard input: "}, {"", "--text", "\xff", "--text: "},
	} {
		got := call(t.Context(), c.stdin, "map", "--model", directory, c.flag, c.value, "--out", filepath.Join(t.TempDir(), "map.png"))
		if !strings.HasPrefix(got.err, "gaze map: "+c.want) {
			t.Errorf("%+v, expected %q", got, c.want)
		}
	}
}

func TestTokenLabels(t *testing.T) {
	directory := tinyModel(t, "ModernBertModel", nil)
	tokens, err := tokenizer.Load(directory)
	if err != nil {
		t.Fatal(err)
	}
	e, err := tokens.Encode("the  \"a\n é", tokenizer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"[CLS]", "the", `" "`, `" "`, `"`, "a", `"\n"`, `" "`, "�", "�", "[SEP]"}
	if got := load.TokenLabels(tokens, e.IDs); !slices.Equal(got, want) {
		t.Errorf("%q, expected %q", got, want)
	}
}
