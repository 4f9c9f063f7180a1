package tests

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/gazevk/gaze"

// allowed is the whole import graph: what each package may import beside the
// standard library. A trailing ... stands for a package and all below it.
var allowed = map[string][]string{
	"":                         {},
	"reference":                {"", "engine/checkpoint"},
	"shaders":                  {},
	"shaders/compile":          {},
	"shaders/build":            {"shaders/compile"},
	"vk":                       {"github.com/vulkan-go/vulkan"},
	"engine":                   {"", "shaders", "vk", "engine/checkpoint"},
	"engine/bench":             {"", "engine", "engine/builtin", "engine/checkpoint", "engine/modernbert", "vk"},
	"engine/builtin":           {},
	"engine/checkpoint":        {"", "engine/builtin"},
	"engine/checkpoint/hub":    {"", "engine/checkpoint", "github.com/gofrs/flock", "golang.org/x/sys/windows"},
	"engine/modernbert":        {"", "engine", "engine/checkpoint"},
	"engine/tokenizer":         {""},
	"engine/tune":              {"", "engine", "engine/bench", "vk"},
	"engine/verify":            {"", "engine", "engine/checkpoint", "reference", "vk"},
	"visualize":                {"", "visualize/internal/faces", "golang.org/x/image/..."},
	"visualize/explore":        {"", "visualize", "visualize/internal/faces", "golang.org/x/image/..."},
	"visualize/internal/faces": {"golang.org/x/image/...", "github.com/go-text/typesetting/..."},
	"visualize/viewer":         {"shaders", "visualize/explore", "vk", "github.com/go-gl/glfw/v3.3/glfw"},
	"configs":                  {"", "github.com/BurntSushi/toml"},
	"cmd/internal/load":        {"", "configs", "engine", "engine/checkpoint", "engine/tokenizer", "visualize"},
	"cmd/internal/commandline": {},
	"cmd/gaze":                 {"", "cmd/internal/commandline", "cmd/internal/load", "configs", "engine", "engine/bench", "engine/builtin", "engine/checkpoint", "engine/checkpoint/hub", "engine/modernbert", "engine/tokenizer", "engine/tune", "engine/verify", "reference", "shaders", "visualize", "vk"},
	"cmd/gaze-view":            {"", "cmd/internal/commandline", "cmd/internal/load", "configs", "engine", "engine/checkpoint", "engine/modernbert", "engine/tokenizer", "visualize", "visualize/explore", "visualize/viewer", "vk"},
	"tests":                    {},
	"tests/display":            {},

	"tests/peers/gaze/embed":   {"engine", "engine/checkpoint", "engine/modernbert"},
	"tests/peers/gaze/kernels": {"", "engine"},
}

// TestImports holds the code against the import graph. Test files may import
// anything: they are the place where packages meet.
func TestImports(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir("..", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		from := strings.TrimPrefix(path.Dir(filepath.ToSlash(file)), "..")
		from = strings.TrimPrefix(from, "/")
		rule, known := allowed[from]
		if !known {
			t.Errorf("package %q has no place in the import graph", from)
			return nil
		}
		seen[from] = true
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			to, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if !permits(rule, to) {
				t.Errorf("%s may not import %s", file, to)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for from := range allowed {
		if !seen[from] {
			t.Errorf("the import graph names %q, which has no code", from)
		}
	}
}

func permits(rule []string, to string) bool {
	if first, _, _ := strings.Cut(to, "/"); !strings.Contains(first, ".") {
		return true // the standard library, or cgo's "C"
	}
	for _, r := range rule {
		full := r
		if first, _, _ := strings.Cut(r, "/"); !strings.Contains(first, ".") {
			full = strings.TrimSuffix(module+"/"+r, "/")
		}
		if tree, ok := strings.CutSuffix(full, "/..."); ok && (to == tree || strings.HasPrefix(to, tree+"/")) || full == to {
			return true
		}
	}
	return false
}
