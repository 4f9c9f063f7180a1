package load

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
)

// A shape is that of q, k and v: [heads, n, headDim].
type shape struct{ heads, n, headDim int }

// readTensors reads q, k and v, each of shape want, from the safetensors file at path.
func readTensors(path string, want shape) (in engine.Input, err error) {
	file, err := checkpoint.Open(path)
	if err != nil {
		return in, err
	}
	defer file.Close()
	for _, target := range []struct {
		name string
		data *[]float32
	}{{"q", &in.Query}, {"k", &in.Key}, {"v", &in.Value}} {
		if *target.data, err = readTensor(file, path, target.name, want); err != nil {
			return in, err
		}
	}
	return in, nil
}

func readTensor(file *checkpoint.File, path, name string, want shape) ([]float32, error) {
	tensor, ok := file.Tensor(name)
	if !ok {
		return nil, fmt.Errorf("%s: tensor %q is missing: q, k and v are needed, the file has %s", path, name, namesOf(file))
	}
	if !slices.Equal(tensor.Shape, []int{want.heads, want.n, want.headDim}) {
		return nil, fmt.Errorf("%s: tensor %q: its shape is %s: expected [heads, n, head_dim] = %s",
			path, name, brackets(tensor.Shape...), brackets(want.heads, want.n, want.headDim))
	}
	data, err := tensor.Float32()
	if err != nil {
		return nil, err
	}
	for i, x := range data {
		if v := float64(x); math.IsNaN(v) || math.IsInf(v, 0) {
			row := i / want.headDim
			return nil, fmt.Errorf("%s: tensor %q: element %s is %v: attention needs finite numbers",
				path, name, brackets(row/want.n, row%want.n, i%want.headDim), x)
		}
	}
	return data, nil
}

// namesOf lists a file's tensors, the first few of many.
func namesOf(file *checkpoint.File) string {
	const most = 8
	names := file.Names()
	if len(names) == 0 {
		return "none"
	}
	listed := make([]string, 0, most)
	for _, name := range names[:min(len(names), most)] {
		listed = append(listed, fmt.Sprintf("%.60q", name))
	}
	text := strings.Join(listed, ", ")
	if len(names) > most {
		text += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return text
}

// brackets writes numbers as [1, 2, 3].
func brackets(numbers ...int) string {
	return strings.ReplaceAll(fmt.Sprint(numbers), " ", ", ")
}
