// Command build compiles every shader variant and writes spirv/*.spv and
// spirv/manifest. It runs in the folder shaders ("go generate ./shaders"); with
// -check it writes nothing and fails where a committed file differs.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gazevk/gaze/shaders/compile"
)

func main() {
	check := flag.Bool("check", false, "compare with the committed files instead of writing them")
	flag.Parse()
	if err := build(*check); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func build(check bool) error {
	tools, err := compile.FindTools()
	if err != nil {
		return err
	}
	sources := os.DirFS(".")
	variants, err := compile.Variants(sources)
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	for _, v := range variants {
		if files[v.Name+".spv"], err = tools.Build(".", v); err != nil {
			return err
		}
	}
	if files["manifest"], err = compile.Manifest(sources, variants); err != nil {
		return err
	}
	old, err := filepath.Glob("spirv/*")
	if err != nil {
		return err
	}
	for _, name := range old {
		if files[filepath.Base(name)] == nil {
			if check {
				return fmt.Errorf("%s belongs to no variant: run go generate ./shaders", name)
			}
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	for name, data := range files {
		file := filepath.Join("spirv", name)
		committed, _ := os.ReadFile(file)
		switch {
		case bytes.Equal(committed, data):
		case check:
			return fmt.Errorf("%s differs from what its source compiles to: run go generate ./shaders", file)
		default:
			if err := os.WriteFile(file, data, 0o644); err != nil {
				return err
			}
		}
	}
	fmt.Printf("%d shaders, %s\n", len(variants), compile.Compiler)
	return nil
}
