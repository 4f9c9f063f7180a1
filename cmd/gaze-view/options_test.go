package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine/builtin"
	"github.com/gazevk/gaze/visualize/explore"
)

func TestHelp(t *testing.T) {
	text := mustCall(t, "--help")
	path := filepath.Join("testdata", "help.txt")
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := read(t, path); text != want {
		t.Errorf("%s (go test -update rewrites it):\n%s\nexpected:\n%s", path, text, want)
	}
	if mustCall(t, "-h") != text || mustCall(t, "run.toml", "--help") != text {
		t.Error("-h and --help differ")
	}
	for _, a := range explore.Actions() {
		if !strings.Contains(text, "\n  "+a.Name+" ") {
			t.Errorf("%s is not in the help", a.Name)
		}
	}
}

// A full disk under standard output is a failure.
func TestUnwritableOutput(t *testing.T) {
	var stderr strings.Builder
	status := execute(t.Context(), []string{"--help"}, nil, full{}, &stderr)
	if status != 1 || stderr.String() != "gaze-view: disk full\n" {
		t.Errorf("status %d, %q", status, stderr.String())
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWrongCommandLines(t *testing.T) {
	for _, c := range []struct{ args, err string }{
		{"--nope", "there is no flag --nope"},
		{"--text", "--text needs a value"},
		{"a.toml b.toml", `unexpected operand "b.toml"`},
		{"a.toml --size 300x300 b.toml", `unexpected operand "b.toml"`},
		{"-- --model", "cannot read run file --model: no such file or directory"},
		{"a.toml --model b", "a.toml says which model: --model has no meaning beside it"},
		{"--text a --file b", "the text comes from --text, --file or --follow: give one of them"},
		{"--follow --text a", "the text comes from --text, --file or --follow: give one of them"},
		{"--follow --snapshot a.png", "--follow is of a window, and --snapshot opens none"},
		{"--record a --snapshot a.png", "--record is of a window, and --snapshot opens none"},
		{"--film a.png", "--film is of the events of --play, which is missing"},
		{"--film a.gif --play a", "--film is a.gif: expected a name that ends in .png"},
		{"--film a.png --play a --snapshot b.png", "--film and --snapshot: give one of them; a script's snap writes single frames"},
		{"--film a.png --play a --follow", "--follow is of a window, and --film opens none"},
		{"--present 0 --snapshot a.png", "--present is of a window, and --snapshot opens none"},
		{"--present 0 --film a.png --play a", "--present is of a window, and --film opens none"},
		{"--paint cpu --snapshot a.png", "--paint is of a window, and --snapshot opens none"},
		{"--paint gpu", `--paint is "gpu": expected auto, device or cpu`},
		{"--density 2", "--density is of --snapshot or --film: a window has its screen's"},
		{"--layer mean --head 3 --snapshot a.png", "--layer mean is of all heads of all layers: --head 3 has no meaning beside it"},
		{"--snapshot=", "--snapshot is empty"},
		{"--text= --file= --model=", "--file is empty"},
		{"--snapshot a.jpg", "--snapshot is a.jpg: expected a name that ends in .png"},
		{"--density 0", "--density is 0: expected 1 to 4"},
		{"--density 5", "--density is 5: expected 1 to 4"},
		{"--density x", `--density is "x": expected a whole number`},
		{"--size 10x300", `--size is "10x300": expected such as 1280x820, each from 200 to 8192`},
		{"--size 300x8193", `--size is "300x8193": expected such as 1280x820, each from 200 to 8192`},
		{"--size 300", `--size is "300": expected such as 1280x820, each from 200 to 8192`},
		{"--size 300x300x300", `--size is "300x300x300": expected such as 1280x820, each from 200 to 8192`},
		{"--layer x", `--layer is "x": expected a number from 0, or mean`},
		{"--layer -1", `--layer is "-1": expected a number from 0, or mean`},
		{"--head 1.5", `--head is "1.5": expected a number from 0, or mean`},
		{"--scale cubic", `--scale is "cubic": no scale "cubic": choose one of log, linear, gamma`},
		{"--measure none", `--measure is "none": no measure "none": choose one of weight, row_maximum, lift, difference`},
		{"--measure difference", "--measure is difference: expected weight, row_maximum or lift"},
		{"--pool min", `--pool is "min": no pooling "min": choose one of max, mean`},
		{"--colors blue_red", `--colors is "blue_red": expected viridis, cividis, magma or grey`},
		{"--colors none", `--colors is "none": expected viridis, cividis, magma or grey`},
		{"--sort none", `--sort is "none": expected one of layer, entropy, distance, previous, next, self, first, last, copy`},
		{"--do dance", `--do is "dance", which is no action`},
		{"--rect 0:5", `--rect is "0:5": expected Q0:Q1,K0:K1, such as 0:64,0:128`},
		{"--rect 0:5,a:6", `--rect is "0:5,a:6": expected Q0:Q1,K0:K1, such as 0:64,0:128`},
		{"--select 1,2", `--select is "1,2": expected Q0:Q1,K0:K1, such as 0:64,0:128`},
		{"--precision f8", `precision is "f8": `},
	} {
		got := call(t.Context(), "", strings.Fields(c.args)...)
		status, hint := 2, "; see gaze-view --help"
		switch {
		case strings.Contains(c.err, "run file"):
			status, hint = 1, ""
		case strings.HasSuffix(c.err, ": "): // the rest is not this program's
			hint = ""
		}
		if got.status != status || got.out != "" || !strings.HasPrefix(got.err, "gaze-view: "+c.err+hint) || strings.Count(got.err, "\n") != 1 {
			t.Errorf("gaze-view %s: status %d, %q\nexpected %q", c.args, got.status, got.err, c.err)
		}
	}
}

// otherModel writes the built-in model with what change does to its files.
func otherModel(t *testing.T, change func(directory string)) string {
	t.Helper()
	directory := t.TempDir()
	if err := os.CopyFS(directory, builtin.Files()); err != nil {
		t.Fatal(err)
	}
	change(directory)
	return directory
}

// changeJSON changes a JSON object in a file.
func changeJSON(t *testing.T, path string, change func(object map[string]any)) {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(read(t, path)), &object); err != nil {
		t.Fatal(err)
	}
	change(object)
	data, err := json.Marshal(object)
	if err == nil {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What cannot be opened, read, drawn or written is one message and status 1, and
// leaves nothing behind.
func TestErrors(t *testing.T) {
	directory := t.TempDir()
	t.Chdir(directory)
	write(t, directory, "bytes.txt", "a\nb\xff\n")
	write(t, directory, "large.txt", strings.Repeat("a", maxText<<20+1))
	write(t, directory, "numbers.toml", "[attention]\nheads = 1\nhead_dim = 32\nsequences = [4]\n[[attention.pattern]]\nkind = \"full\"\n[input]\nseed = 1\n")
	write(t, directory, "absent.toml", "[attention]\nheads = 1\nhead_dim = 32\nsequences = [4]\n[[attention.pattern]]\nkind = \"full\"\n[input]\ntensors = \"absent.safetensors\"\n")
	write(t, directory, "large.toml", "[attention]\nheads = 1\nhead_dim = 32\nsequences = [1000000]\n[[attention.pattern]]\nkind = \"full\"\n[input]\nseed = 1\n")
	write(t, directory, "mistake.toml", "[model]\npath = \"builtin\"\n[input]\ntxt = \"a\"\n")
	write(t, directory, "layers.toml", "[model]\npath = \"builtin\"\n[[model.layer]]\nlayers = [7]\npattern = []\n[input]\ntext = [\"a\"]\n")
	write(t, directory, "none.toml", "[model]\npath = \"./none\"\n[input]\ntext = [\"a\"]\n")
	for i, line := range []string{"dance", "press", "press ctrl+", "move 1", "move 1 x", "move 1 2 3", "move NaN 1", "resize 0 5", "resize 1e9 1e9", "resize 5 5 99",
		"click", "click up", "click left fast", "wheel", "wheel a", "wait", "wait soon", "wait -1s", "snap"} {
		write(t, directory, "script"+string(rune('a'+i)), "settle\n\n# a comment\n"+line+"\n")
	}
	write(t, directory, "action", "settle\ndo dance\n")
	write(t, directory, "elsewhere", "settle\nsnap none/a.png\n")
	write(t, directory, "long", "settle\ntype "+strings.Repeat("a", 33<<20)+"\n")
	if err := os.Symlink("/dev/full", "full.png"); err != nil {
		t.Fatal(err)
	}
	cut := otherModel(t, func(directory string) {
		if err := os.Truncate(filepath.Join(directory, "model.safetensors"), 100_000); err != nil {
			t.Fatal(err)
		}
	})
	bare := otherModel(t, func(directory string) {
		changeJSON(t, filepath.Join(directory, "tokenizer.json"), func(object map[string]any) { object["post_processor"] = nil })
	})
	before := listing(t, directory)
	for _, c := range []struct{ args, err string }{
		{"--model ./none", "cannot open model ./none: there is no such directory"},
		{"--model gaze-test/none", "cannot open model gaze-test/none: there is no such directory, and the Hugging Face cache has no "},
		{"--model bytes.txt", "cannot open model bytes.txt: "},
		{"--model " + cut, "model.safetensors: tensor "},
		{"--model " + bare + " --text", "the text has no tokens, and the tokenizer adds none"},
		{"none.toml", "cannot open model "},
		{"other.toml", "cannot read run file other.toml: no such file or directory"},
		{"absent.toml", "cannot read tensors: stat absent.safetensors: no such file or directory"},
		{"numbers.toml --head 1", "--head is 1: the run has heads 0 to 0"},
		{"numbers.toml --layer 1", "--layer is 1: the run has layers 0 to 0"},
		{"large.toml", "the buffer of the block map needs at least "},
		{"mistake.toml", "mistake.toml:4:1: "},
		{"layers.toml", "[[model.layer]] 1: layers has 7: the model has layers 0 to 6"},
		{"--file none.txt", "cannot read the text: open none.txt: no such file or directory"},
		{"--file .", "cannot read the text from .: read .: is a directory"},
		{"--file bytes.txt", "cannot read the text from bytes.txt: it is not UTF-8"},
		{"--file large.txt", "cannot read the text from large.txt: it has over 16 MiB"},
		{"--text \xff", "text: not valid UTF-8 at byte 0 (0xFF)"},
		{"--device none", `no Vulkan device matches "none"`},
		{"--device 99", "no Vulkan device 99"},
		{"--layer 7", "--layer is 7: the model has layers 0 to 6"},
		{"--head 4", "--head is 4: the model has heads 0 to 3"},
		{"--rect 5:1,0:3", "--rect: queries 5 to 1 of 40 tokens: "},
		{"--rect 0:1,0:300", "--rect: keys 0 to 300 of 40 tokens: "},
		{"--select 0:0,0:3", "--select: queries 0 to 0 of 40 tokens: "},
		{"--pin 1", ""},
		{"--pin a", `--pin: "a" is no pair`},
		{"--pin 1,99", `--pin: "1,99" is not in the text, which has tokens 0 to `},
		{"--find zebra", `--find: no token has "zebra" in it`},
		{"--export a.txt", `--export: "a.txt": expected a name that ends in .png, .svg, .html or .csv`},
		{"--export none/a.png", "cannot write none/a.png: "},
		{"--export full.png", "cannot write full.png: "},
		{"--play none", "cannot read the events: open none: no such file or directory"},
		{"--play .", ".: "},
		{"--play scripta", `scripta, line 4: dance: no command "dance"`},
		{"--play scriptb", "scriptb, line 4: press: a key is missing"},
		{"--play scriptc", "scriptc, line 4: press ctrl+: a key is missing"},
		{"--play scriptd", "scriptd, line 4: move 1: 1 numbers: expected 2"},
		{"--play scripte", `scripte, line 4: move 1 x: "x" is no number`},
		{"--play scriptf", "scriptf, line 4: move 1 2 3: 3 numbers: expected 2"},
		{"--play scriptg", `scriptg, line 4: move NaN 1: "NaN" is no number`},
		{"--play scripth", "scripth, line 4: resize 0 5: expected a width and a height from 1 to 32768"},
		{"--play scripti", `scripti, line 4: resize 1e9 1e9: "1e9" is no number`},
		{"--play scriptj", "scriptj, line 4: resize 5 5 99: expected a width and a height from 1 to 32768 and a density from 1 to 8"},
		{"--play scriptk", "scriptk, line 4: click: expected left, right or middle"},
		{"--play scriptl", "scriptl, line 4: click up: expected left, right or middle"},
		{"--play scriptm", `scriptm, line 4: click left fast: "fast" is no modifier`},
		{"--play scriptn", "scriptn, line 4: wheel: 0 numbers: expected 1"},
		{"--play scripto", `scripto, line 4: wheel a: "a" is no number`},
		{"--play scriptp", "scriptp, line 4: wait: "},
		{"--play scriptq", "scriptq, line 4: wait soon: "},
		{"--play scriptr", "scriptr, line 4: wait -1s: expected a time such as 250ms"},
		{"--play scripts", "scripts, line 4: snap: a file is missing"},
		{"--play long", "long, line 2: "},
		{"--play action", `action, line 2: no action "dance"`},
		{"--play elsewhere", "elsewhere, line 2: cannot write none/a.png: "},
		{"--snapshot none/a.png", "cannot write none/a.png: "},
		{"--snapshot full.png", "cannot write full.png: "},
	} {
		args := []string{"--snapshot", "a.png", "--size", "300x300"}
		args = append(args, strings.Split(c.args, " ")...)
		if strings.HasSuffix(c.args, "--text") {
			args = append(args, "")
		}
		got := call(t.Context(), "", args...)
		if c.err == "" {
			if got.status != 0 || got.err != "" {
				t.Errorf("gaze-view %s: %+v", c.args, got)
			}
			os.Remove("a.png")
			continue
		}
		if got.status != 1 || !strings.HasPrefix(got.err, "gaze-view: ") || !strings.Contains(got.err, c.err) || strings.Contains(got.err, "goroutine") ||
			c.args != "mistake.toml" && strings.Count(got.err, "\n") != 1 {
			t.Errorf("gaze-view %s: status %d, %q\nexpected %q", c.args, got.status, got.err, c.err)
		}
		if after := listing(t, directory); after != before {
			t.Fatalf("gaze-view %s leaves\n%s\nexpected\n%s", c.args, after, before)
		}
	}
}

func listing(t *testing.T, directory string) (names string) {
	t.Helper()
	files, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		names += file.Name() + "\n"
	}
	return names
}

// What is to be read along and cannot be written is an error.
func TestOutputThatCannotBeWritten(t *testing.T) {
	for _, args := range []string{"--pin 1,2", "--export " + t.TempDir() + "/a.csv", "--help"} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer full.Close()
		var complaint strings.Builder
		status := execute(t.Context(), append(strings.Fields(args), "--text", "a", "--snapshot", t.TempDir()+"/a.png"), strings.NewReader(""), full, &complaint)
		if status != 1 || !strings.Contains(complaint.String(), "no space left on device") || strings.Count(complaint.String(), "\n") != 1 {
			t.Errorf("%s: status %d, %q", args, status, complaint.String())
		}
	}
}

// Without a screen, or a driver that can show a window, there is one sentence
// that says what to use instead.
func TestNoScreen(t *testing.T) {
	for _, c := range []struct{ set, err string }{
		{"DISPLAY=", "there is no screen, because DISPLAY is not set"},
		{"DISPLAY=:54321", "X11: Failed to open display :54321"},
	} {
		again := exec.Command(os.Args[0], "--text", "a")
		again.Env = append(os.Environ(), asProgram+"=1", c.set)
		var out, complaint strings.Builder
		again.Stdout, again.Stderr = &out, &complaint
		again.Run()
		if got := complaint.String(); again.ProcessState.ExitCode() != 1 || out.String() != "" || strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "gaze-view: ") ||
			!strings.Contains(got, c.err) || !strings.Contains(got, `"gaze map" draws the same maps`) {
			t.Errorf("%s: status %d, %q", c.set, again.ProcessState.ExitCode(), got)
		}
	}
}

// A run file's variants are gone through, its text is the first, and the flags
// have the last word.
func TestRunFile(t *testing.T) {
	preset, err := configs.Preset("modernbert-windows")
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, t.TempDir(), "run.toml", string(preset))
	size := []string{"--size", "500x400", "--layer", "0"}
	names := []string{"its own", "local 16", "local 4", "all 16", "all 16 and the first"}
	shown := frames(t, slices.Repeat([]step{{"", "press v"}}, len(names)), append(size, file)...)
	for i, name := range names {
		for j, other := range names[:i] {
			if same(shown[i], shown[j]) {
				t.Errorf("%s looks like %s", name, other)
			}
		}
	}
	if !same(shown[len(names)], shown[0]) {
		t.Error("after the last variant does not come the first")
	}
	if other := frames(t, nil, append(size, file, "--text", "A cat.")...)[0]; same(other, shown[0]) {
		t.Error("--text does not stand for the text of the file")
	}
}

// Texts of no tokens and of too many have pictures, the latter of what the model takes.
func TestTexts(t *testing.T) {
	short := otherModel(t, func(directory string) {
		changeJSON(t, filepath.Join(directory, "config.json"), func(object map[string]any) { object["max_position_embeddings"] = 16 })
	})
	path := filepath.Join(t.TempDir(), "a.png")
	for _, c := range []struct{ model, text, last string }{
		{"builtin", "", "1,1"},
		{"builtin", "日本語 😀 العربية", "6,7"},
		{short, strings.Repeat("word ", 100), "15,15"},
	} {
		line := mustCall(t, "--model", c.model, "--text", c.text, "--pin", c.last, "--snapshot", path)
		if !strings.HasPrefix(line, "0,0,"+c.last+",") {
			t.Errorf("%s of %q: %q", c.last, c.text, line)
		}
	}
	got := call(t.Context(), "", "--model", short, "--text", strings.Repeat("word ", 100), "--pin", "16", "--snapshot", path)
	if !strings.Contains(got.err, "which has tokens 0 to 15") {
		t.Errorf("%+v", got)
	}
	mustCall(t, "--file", "-", "--snapshot", path) // standard input
}

// Fonts that are asked for must be there.
func TestFonts(t *testing.T) {
	t.Setenv("GAZE_FONTS", "/nowhere")
	c := call(t.Context(), "", "--snapshot", filepath.Join(t.TempDir(), "a.png"))
	want := "gaze-view: the variable GAZE_FONTS names \"/nowhere\": no such file or directory; it is a list of directories and files of fonts, or empty\n"
	if c.status != 1 || c.err != want {
		t.Errorf("status %d: %s", c.status, c.err)
	}
}
