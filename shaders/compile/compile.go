// Package compile turns the GLSL sources of package shaders into SPIR-V, with
// the pinned compiler (glslang and spirv-opt of Debian 13), and tells without a
// compiler whether committed SPIR-V is older than its sources.
package compile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Compiler is the version line of the glslang that made the committed SPIR-V.
const Compiler = "Glslang Version: 11:15.2.0"

var flags = []string{"-V", "--target-env", "vulkan1.1", "-S", "comp"}

// A Variant is one kernel to compile: a line of shaders/variants.
type Variant struct {
	Name, Source string
	Defines      []string
	Target       string // --target-env, "vulkan1.1" unless the line says TARGET=...
}

// Variants reads the list of variants.
func Variants(sources fs.FS) ([]Variant, error) {
	list, err := fs.ReadFile(sources, "variants")
	if err != nil {
		return nil, err
	}
	var variants []Variant
	for number, line := range strings.Split(string(list), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) < 2 {
			return nil, fmt.Errorf("shaders/variants:%d: a line is NAME SOURCE [DEFINE=VALUE]...", number+1)
		}
		v := Variant{Name: words[0], Source: words[1], Target: "vulkan1.1"}
		for _, d := range words[2:] {
			if target, ok := strings.CutPrefix(d, "TARGET="); ok {
				v.Target = target
			} else {
				v.Defines = append(v.Defines, "-D"+d)
			}
		}
		variants = append(variants, v)
	}
	return variants, nil
}

var include = regexp.MustCompile(`(?m)^\s*#include\s+"([^"]+)"`)

// Hash returns the SHA-256 of everything that the SPIR-V of v follows from: the
// compiler, its flags, the source and what it includes.
func Hash(sources fs.FS, v Variant) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, Compiler, flags, v.Name, v.Source, v.Defines, v.Target)
	seen := map[string]bool{}
	var add func(name string) error
	add = func(name string) error {
		if seen[name] {
			return nil
		}
		seen[name] = true
		text, err := fs.ReadFile(sources, name)
		if err != nil {
			return fmt.Errorf("shaders: %s: %w", v.Name, err)
		}
		fmt.Fprintln(h, name, len(text))
		h.Write(text)
		for _, match := range include.FindAllSubmatch(text, -1) {
			if err := add(path.Join(path.Dir(name), string(match[1]))); err != nil {
				return err
			}
		}
		return nil
	}
	if err := add(v.Source); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Manifest returns the hashes of all variants, a line each.
func Manifest(sources fs.FS, variants []Variant) ([]byte, error) {
	var lines []string
	for _, v := range variants {
		hash, err := Hash(sources, v)
		if err != nil {
			return nil, err
		}
		lines = append(lines, hash+"  "+v.Name+"\n")
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[66:], b[66:]) })
	return []byte(strings.Join(lines, "")), nil
}

// Tools are the programs that compile.
type Tools struct{ glslang, optimizer, validator string }

// FindTools finds glslang, spirv-opt and spirv-val in $GAZE_TOOLS/bin, in
// ~/.cache/gaze-tools/bin or on the PATH, in that order, and checks that
// glslang is the pinned version.
func FindTools() (Tools, error) {
	dirs := []string{}
	if dir := os.Getenv("GAZE_TOOLS"); dir != "" {
		dirs = append(dirs, filepath.Join(dir, "bin"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		dirs = append(dirs, filepath.Join(home, ".cache", "gaze-tools", "bin"))
	}
	find := func(name string) (string, error) {
		for _, dir := range dirs {
			if file, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return file, nil
			}
		}
		return exec.LookPath(name)
	}
	var t Tools
	var err error
	for name, file := range map[string]*string{"glslang": &t.glslang, "spirv-opt": &t.optimizer, "spirv-val": &t.validator} {
		if *file, err = find(name); err != nil {
			return Tools{}, fmt.Errorf("the shader compiler is missing (%s): tests/setup/shader-tools installs it: %w", name, err)
		}
	}
	out, err := exec.Command(t.glslang, "--version").Output()
	version, _, _ := strings.Cut(string(out), "\n")
	if err != nil || strings.TrimSpace(version) != Compiler {
		return Tools{}, fmt.Errorf("%s is %q; the committed SPIR-V is made by %q: tests/setup/shader-tools installs it", t.glslang, version, Compiler)
	}
	return t, nil
}

// Build compiles one variant of the sources in dir and returns its SPIR-V.
func (t Tools) Build(dir string, v Variant) ([]byte, error) {
	work, err := os.MkdirTemp("", "gaze-shader")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	plain, optimized := filepath.Join(work, "plain.spv"), filepath.Join(work, "optimized.spv")
	arguments := append([]string{"--quiet"}, flags...)
	arguments[slices.Index(arguments, "vulkan1.1")] = v.Target
	arguments[slices.Index(arguments, "comp")] = strings.TrimPrefix(path.Ext(v.Source), ".")
	arguments = append(arguments, v.Defines...)
	arguments = append(arguments, "-I"+dir, "-o", plain, filepath.Join(dir, v.Source))
	if err := run(v.Name, t.glslang, arguments...); err != nil {
		return nil, err
	}
	if err := run(v.Name, t.optimizer, "-O", plain, "-o", optimized); err != nil {
		return nil, err
	}
	if err := run(v.Name, t.validator, "--target-env", v.Target, optimized); err != nil {
		return nil, err
	}
	return os.ReadFile(optimized)
}

func run(kernel, program string, arguments ...string) error {
	var text bytes.Buffer
	c := exec.Command(program, arguments...)
	c.Stdout, c.Stderr = &text, &text
	if err := c.Run(); err != nil {
		return fmt.Errorf("shaders: %s: %s: %w\n%s", kernel, filepath.Base(program), err, text.Bytes())
	}
	return nil
}
