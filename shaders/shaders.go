// Package shaders holds the kernels as data: GLSL sources (*.comp, include/),
// the SPIR-V committed beside them, and what reflection finds in it. A kernel's
// buffers, push constants and specialization constants are addressed by the
// names they have in its source. Two stages that draw the frames of a window
// (frame.vert, frame.frag) are no kernels.
//
// The SPIR-V is committed so that building gaze takes no shader compiler and
// everybody runs the bytes that were tested. After changing a source:
//
//	go generate ./shaders
package shaders

//go:generate go run ./build

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed spirv/*.spv
var spirv embed.FS

// Sources are the GLSL files, their includes and the list of variants.
//
//go:embed *.comp *.vert *.frag include/*.glsl variants
var Sources embed.FS

// A Set is a collection of kernels by name.
type Set struct {
	files   fs.FS
	lock    sync.Mutex
	kernels map[string]*Kernel
}

// Embedded is the set that was built into the program.
var Embedded = &Set{files: must(fs.Sub(spirv, "spirv"))}

// Dir returns the set of the .spv files in a directory, for trying changed
// shaders without building the program again.
func Dir(dir string) (*Set, error) {
	set := &Set{files: os.DirFS(dir)}
	if names := set.Names(); len(names) == 0 {
		return nil, fmt.Errorf("shaders: no .spv file in %s", dir)
	}
	return set, nil
}

// Names lists the kernels of the set, sorted.
func (s *Set) Names() []string {
	var names []string
	files, _ := fs.Glob(s.files, "*.spv")
	for _, f := range files {
		if name := strings.TrimSuffix(path.Base(f), ".spv"); !strings.Contains(name, ".") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Kernel returns the kernel of that name.
func (s *Set) Kernel(name string) (*Kernel, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if k := s.kernels[name]; k != nil {
		return k, nil
	}
	code, err := fs.ReadFile(s.files, name+".spv")
	if err != nil {
		return nil, fmt.Errorf("shaders: no kernel %s: %w", name, err)
	}
	k, err := Reflect(name, code)
	if err != nil {
		return nil, err
	}
	if s.kernels == nil {
		s.kernels = map[string]*Kernel{}
	}
	s.kernels[name] = k
	return k, nil
}

// Frame returns the SPIR-V of the two stages that draw the frames of a window.
func Frame() (vertex, fragment []byte) {
	read := func(name string) []byte {
		code, err := spirv.ReadFile("spirv/" + name)
		if err != nil {
			panic(err)
		}
		return code
	}
	return read("frame.vert.spv"), read("frame.frag.spv")
}

func must(f fs.FS, err error) fs.FS {
	if err != nil {
		panic(err)
	}
	return f
}
