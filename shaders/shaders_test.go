package shaders_test

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze/shaders"
	"github.com/gazevk/gaze/shaders/compile"
)

// TestFresh tells, without a compiler, whether the committed SPIR-V was made from
// the sources beside it. "make test" also compiles again and compares the bytes.
func TestFresh(t *testing.T) {
	variants, err := compile.Variants(shaders.Sources)
	if err != nil {
		t.Fatal(err)
	}
	want, err := compile.Manifest(shaders.Sources, variants)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("spirv/manifest")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("spirv/manifest is\n%s\nand must be\n%s\nrun: make shaders", got, want)
	}
	var names []string
	for _, v := range variants {
		if !strings.Contains(v.Name, ".") {
			names = append(names, v.Name)
		}
	}
	slices.Sort(names)
	if have := shaders.Embedded.Names(); !slices.Equal(have, names) {
		t.Errorf("spirv holds %v, the variants are %v", have, names)
	}
}

// TestSourcesAreUsed tells of a source file that no variant compiles.
func TestSourcesAreUsed(t *testing.T) {
	variants, err := compile.Variants(shaders.Sources)
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, v := range variants {
		used[v.Source] = true
	}
	files, err := filepath.Glob("*.????")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !used[f] {
			t.Errorf("%s is in no line of variants", f)
		}
	}
}

// TestBottomTier holds every kernel against what any Vulkan 1.1 device has: no
// capability beyond Shader, at most 128 bytes of push constants. Kernels of tiers
// lanes and texels alone may shuffle, the latter may read texel buffers, and those of
// tier matrix need what engine.matrixUnits asks for, with reductions or without.
func TestBottomTier(t *testing.T) {
	for _, name := range shaders.Embedded.Names() {
		if strings.HasPrefix(name, "limit_m") { // TestLimits looks at these
			continue
		}
		k, err := shaders.Embedded.Kernel(name)
		if err != nil {
			t.Fatal(err)
		}
		if k.PushSize > 128 {
			t.Errorf("%s: %d bytes of push constants", name, k.PushSize)
		}
		for at := 20; at < len(k.SPIRV); {
			word := binary.LittleEndian.Uint32(k.SPIRV[at:])
			const opCapability, shader, float16, subgroup, vote, shuffle, memoryModel, matrix, texels = 17, 1, 9, 61, 62, 65, 5345, 6022, 46
			const reductions, conversions, perElement = 5430, 5431, 5432
			mayHave := []uint32{shader}
			switch {
			case strings.Contains(name, "_lanes_"):
				mayHave = append(mayHave, subgroup, shuffle)
			case strings.Contains(name, "_texels_"):
				mayHave = append(mayHave, subgroup, shuffle, texels)
			case strings.Contains(name, "_matrix_"):
				mayHave = append(mayHave, float16, subgroup, vote, shuffle, memoryModel, matrix)
			case strings.Contains(name, "_matrix2_"):
				mayHave = append(mayHave, float16, subgroup, vote, memoryModel, matrix, reductions, conversions, perElement)
			}
			if word&0xffff == opCapability {
				c := binary.LittleEndian.Uint32(k.SPIRV[at+4:])
				if !slices.Contains(mayHave, c) {
					t.Errorf("%s needs capability %d", name, c)
				}
			}
			at += int(word>>16) * 4
		}
	}
}

// TestLimits holds kernels that measure a limit against what they may ask for:
// what they measure, and nothing else.
func TestLimits(t *testing.T) {
	const shader, float16, subgroups, memoryModel, matrices = 1, 9, 61, 5345, 6022
	for name, want := range map[string][]uint32{
		"limit_multiply_3_f32": {shader}, "limit_multiply_8_f32": {shader}, "limit_multiply_2_f16": {shader, float16}, "limit_multiply_8_f16": {shader, float16},
		"limit_matrix": {shader, float16, subgroups, memoryModel, matrices},
	} {
		k, err := shaders.Embedded.Kernel(name)
		if err != nil {
			t.Fatal(err)
		}
		var got []uint32
		for at := 20; at < len(k.SPIRV); {
			const opCapability = 17
			word := binary.LittleEndian.Uint32(k.SPIRV[at:])
			if word&0xffff == opCapability {
				got = append(got, binary.LittleEndian.Uint32(k.SPIRV[at+4:]))
			}
			at += int(word>>16) * 4
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s needs the capabilities %d, expected %d", name, got, want)
		}
	}
}

func TestReflect(t *testing.T) {
	k, err := shaders.Embedded.Kernel("attention_lanes_f32")
	if err != nil {
		t.Fatal(err)
	}
	wantBindings := []shaders.Binding{{"Queries", true, false, 0}, {"Keys", true, false, 0}, {"Values", true, false, 0},
		{"BlockMap", true, false, 0}, {"Output", false, true, 0}, {"LogSumExp", false, true, 0}}
	if !slices.Equal(k.Bindings, wantBindings) {
		t.Errorf("bindings are %v, must be %v", k.Bindings, wantBindings)
	}
	wantPush := []shaders.Field{{"rows", 0, false}, {"map_tiles", 4, false}, {"map_masks", 8, false}, {"in_row", 12, false},
		{"in_head", 16, false}, {"out_row", 20, false}, {"out_head", 24, false}, {"lse_head", 28, false}, {"scale", 32, true}}
	if !slices.Equal(k.Push, wantPush) || k.PushSize != 36 {
		t.Errorf("push constants are %v, %d bytes, must be %v, 36 bytes", k.Push, k.PushSize, wantPush)
	}
	for name, id := range map[string]uint32{"HEAD_DIM": 1, "ROWS": 2} {
		if got, ok := k.Constants[name]; !ok || got != id {
			t.Errorf("specialization constant %s has id %d (known: %v), must have %d", name, got, ok, id)
		}
	}
	// The same through texel buffers of four f32 or of two words of two f16.
	for name, texel := range map[string]int{"attention_texels_f32": 16, "attention_texels_f16": 8} {
		if k, err = shaders.Embedded.Kernel(name); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			wantBindings[i].Texel = texel
		}
		if !slices.Equal(k.Bindings, wantBindings) {
			t.Errorf("%s: bindings are %v, must be %v", name, k.Bindings, wantBindings)
		}
	}
	softmax, err := shaders.Embedded.Kernel("softmax")
	if err != nil {
		t.Fatal(err)
	}
	if b := softmax.Bindings[0]; b != (shaders.Binding{"Weights", true, true, 0}) {
		t.Errorf("softmax works in place, reflection says %v", b)
	}
}

func TestEncode(t *testing.T) {
	k, err := shaders.Embedded.Kernel("softmax")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{"rows": 1, "map_tiles": uint32(2), "map_masks": 3, "first_row": 4, "chunk_rows": 5, "key_stride": math.MaxUint32, "lse_head": 7}
	push, err := k.Encode(values)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint32{1, 2, 3, 4, 5, math.MaxUint32, 7} {
		if got := binary.LittleEndian.Uint32(push[4*i:]); got != want {
			t.Errorf("word %d is %d, must be %d", i, got, want)
		}
	}
	for name, wrong := range map[string]any{"rows": -1, "map_tiles": 1.5, "map_masks": float32(1), "first_row": "4", "key_stride": math.MaxUint32 + 1, "lse_head": nil} {
		bad := map[string]any{}
		for n, v := range values {
			bad[n] = v
		}
		bad[name] = wrong
		if _, err := k.Encode(bad); err == nil {
			t.Errorf("%s = %v is accepted", name, wrong)
		}
	}
	delete(values, "rows")
	if _, err := k.Encode(values); err == nil {
		t.Error("a missing value is accepted")
	}
	values["row"] = 1
	if _, err := k.Encode(values); err == nil {
		t.Error("an unknown name is accepted")
	}
}

func TestDir(t *testing.T) {
	directory := t.TempDir()
	if _, err := shaders.Dir(directory); err == nil {
		t.Error("an empty directory is accepted")
	}
	if err := os.WriteFile(filepath.Join(directory, "broken.spv"), []byte("not SPIR-V at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := shaders.Dir(directory)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"broken", "absent"} {
		if _, err := set.Kernel(name); err == nil {
			t.Errorf("kernel %s is accepted", name)
		}
	}
}

func FuzzReflect(f *testing.F) {
	for _, name := range shaders.Embedded.Names() {
		if k, err := shaders.Embedded.Kernel(name); err == nil {
			f.Add(k.SPIRV)
			f.Add(k.SPIRV[:len(k.SPIRV)/2])
		}
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		if k, err := shaders.Reflect("fuzzed", code); err == nil {
			k.Encode(nil) // must not panic either
		}
	})
}
