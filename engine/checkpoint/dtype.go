package checkpoint

import (
	"fmt"
	"math"
)

// A DType is the element type of a tensor, in the spelling of safetensors.
// Elements are little-endian.
type DType string

const (
	Bool   DType = "BOOL"
	U8     DType = "U8"
	I8     DType = "I8"
	F8E4M3 DType = "F8_E4M3"
	F8E5M2 DType = "F8_E5M2"
	U16    DType = "U16"
	I16    DType = "I16"
	F16    DType = "F16"
	BF16   DType = "BF16"
	U32    DType = "U32"
	I32    DType = "I32"
	F32    DType = "F32"
	U64    DType = "U64"
	I64    DType = "I64"
	F64    DType = "F64"
)

// Size returns the bytes of one element, 0 for a type that is not known.
func (d DType) Size() int {
	switch d {
	case Bool, U8, I8, F8E4M3, F8E5M2:
		return 1
	case U16, I16, F16, BF16:
		return 2
	case U32, I32, F32:
		return 4
	case U64, I64, F64:
		return 8
	}
	return 0
}

// maxDimensions is what NumPy and torch allow too.
const maxDimensions = 64

// byteSize returns the bytes of a tensor. A scalar has the empty shape.
func byteSize(dtype DType, shape []int) (int, error) {
	size := dtype.Size()
	if size == 0 {
		return 0, fmt.Errorf("dtype is %.40q: expected one of BOOL, U8, I8, F8_E4M3, F8_E5M2, "+
			"U16, I16, F16, BF16, U32, I32, F32, U64, I64, F64", string(dtype))
	}
	if len(shape) > maxDimensions {
		return 0, fmt.Errorf("shape has %d dimensions: at most %d are allowed", len(shape), maxDimensions)
	}
	for i, dimension := range shape {
		if dimension < 0 {
			return 0, fmt.Errorf("shape is %v: dimension %d may not be below 0", shape, i)
		}
		if dimension > 0 && size > math.MaxInt/dimension {
			return 0, fmt.Errorf("shape is %v: that many %s elements do not fit in memory", shape, dtype)
		}
		size *= dimension
	}
	return size, nil
}
