package shaders

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// A Kernel is one compute shader: its SPIR-V and the interface found in it.
type Kernel struct {
	Name      string
	SPIRV     []byte
	Bindings  []Binding         // binding i of descriptor set 0 is Bindings[i]
	Push      []Field           // push constants
	PushSize  int               // bytes of push constants
	Constants map[string]uint32 // specialization constants: name to id
	Matrices  bool              // it holds cooperative matrices, so its subgroups must be whole
}

// A Binding is one storage buffer, or a texel buffer.
type Binding struct {
	Name  string // of the buffer block; of a texel buffer, the variable's with a capital
	Read  bool
	Write bool
	Texel int // bytes of a texel: 16 for four f32, 8 for two uint32; 0: a storage buffer
}

// A Field is one 32-bit push constant.
type Field struct {
	Name   string
	Offset int
	Float  bool // else an unsigned integer
}

// Encode lays out values, one for each push constant by name: an integer (uint32
// or int) where the shader has a uint, a float32 or float64 where it has a float.
func (k *Kernel) Encode(values map[string]any) ([]byte, error) {
	push := make([]byte, k.PushSize)
	if len(values) != len(k.Push) {
		return nil, fmt.Errorf("shaders: kernel %s has %d push constants, %d values are given", k.Name, len(k.Push), len(values))
	}
	for _, f := range k.Push {
		value, ok := values[f.Name]
		var bits uint32
		switch v := value.(type) {
		case uint32:
			bits, ok = v, ok && !f.Float
		case int:
			bits, ok = uint32(v), ok && !f.Float && v >= 0 && v <= math.MaxUint32
		case float32:
			bits, ok = math.Float32bits(v), ok && f.Float
		case float64:
			bits, ok = math.Float32bits(float32(v)), ok && f.Float
		default:
			ok = false
		}
		if !ok {
			return nil, fmt.Errorf("shaders: kernel %s: push constant %s does not take %v", k.Name, f.Name, value)
		}
		binary.LittleEndian.PutUint32(push[f.Offset:], bits)
	}
	return push, nil
}

// The numbers of the SPIR-V specification that reflection reads.
const (
	opName, opMemberName               = 5, 6
	opTypeInt, opTypeFloat             = 21, 22
	opTypeImage                        = 25
	opTypeStruct, opTypePointer        = 30, 32
	opSpecTrue, opSpecFalse, opSpec    = 48, 49, 50
	opCapability                       = 17
	opVariable                         = 59
	opDecorate, opMemberDecorate       = 71, 72
	decorationSpecID                   = 1
	decorationNonWritable, nonReadable = 24, 25
	decorationBinding, decorationSet   = 33, 34
	decorationOffset                   = 35
	storageUniformConstant             = 0
	storageUniform, storagePush        = 2, 9
	storageStorageBuffer               = 12
	spirvMagic                         = 0x07230203
	capabilityCooperativeMatrix        = 6022
	dimensionBuffer                    = 5
	maxPush                            = 256 // as large as any device allows
)

// Reflect reads the interface of a SPIR-V module that has names, one compute
// entry point, storage buffers and texel buffers in set 0 only, and 32-bit push constants.
func Reflect(name string, code []byte) (*Kernel, error) {
	m := module{names: map[uint32]string{}, members: map[[2]uint32]string{}, decorations: map[[2]uint32]uint32{},
		memberDecorations: map[[3]uint32]uint32{}, structs: map[uint32][]uint32{}, pointers: map[uint32][2]uint32{}, floats: map[uint32]bool{}, texels: map[uint32]int{}}
	if err := m.read(code); err != nil {
		return nil, fmt.Errorf("shaders: kernel %s: %w", name, err)
	}
	k := &Kernel{Name: name, SPIRV: code, Constants: map[string]uint32{}, Matrices: m.matrices}
	for _, id := range m.constants {
		if spec, ok := m.decorations[[2]uint32{id, decorationSpecID}]; ok {
			k.Constants[m.names[id]] = spec
		}
	}
	bindings := map[uint32]Binding{}
	for _, v := range m.variables {
		pointee := m.pointers[v.pointer][1]
		switch v.storage {
		case storagePush:
			for i, t := range m.structs[pointee] {
				at := m.memberDecorations[[3]uint32{pointee, uint32(i), decorationOffset}]
				k.Push = append(k.Push, Field{m.members[[2]uint32{pointee, uint32(i)}], int(at), m.floats[t]})
				k.PushSize = max(k.PushSize, int(at)+4)
			}
		case storageUniform, storageStorageBuffer:
			if m.decorations[[2]uint32{v.id, decorationSet}] != 0 {
				return nil, fmt.Errorf("shaders: kernel %s: %s is not in descriptor set 0", name, m.names[pointee])
			}
			b := Binding{Name: m.names[pointee], Read: true, Write: true}
			if _, ok := m.memberDecorations[[3]uint32{pointee, 0, decorationNonWritable}]; ok {
				b.Write = false
			}
			if _, ok := m.memberDecorations[[3]uint32{pointee, 0, nonReadable}]; ok {
				b.Read = false
			}
			bindings[m.decorations[[2]uint32{v.id, decorationBinding}]] = b
		case storageUniformConstant:
			texel := m.texels[pointee]
			if texel == 0 || m.decorations[[2]uint32{v.id, decorationSet}] != 0 || m.names[v.id] == "" {
				return nil, fmt.Errorf("shaders: kernel %s: %q is not a named texel buffer in descriptor set 0", name, m.names[v.id])
			}
			b := Binding{Name: strings.ToUpper(m.names[v.id][:1]) + m.names[v.id][1:], Read: true, Texel: texel}
			bindings[m.decorations[[2]uint32{v.id, decorationBinding}]] = b
		}
	}
	if k.PushSize > maxPush {
		return nil, fmt.Errorf("shaders: kernel %s: %d bytes of push constants, %d at most make sense", name, k.PushSize, maxPush)
	}
	for i := range uint32(len(bindings)) {
		b, ok := bindings[i]
		if !ok || b.Name == "" {
			return nil, fmt.Errorf("shaders: kernel %s: binding %d is missing or has no name", name, i)
		}
		k.Bindings = append(k.Bindings, b)
	}
	return k, nil
}

// A module is what the instructions of a SPIR-V binary declare.
type module struct {
	names             map[uint32]string
	members           map[[2]uint32]string
	decorations       map[[2]uint32]uint32
	memberDecorations map[[3]uint32]uint32
	structs           map[uint32][]uint32
	pointers          map[uint32][2]uint32 // type id: storage class, pointee
	floats            map[uint32]bool
	texels            map[uint32]int // type id of a buffer of texels: bytes of a texel
	variables         []struct{ id, pointer, storage uint32 }
	constants         []uint32
	matrices          bool
}

func (m *module) read(code []byte) error {
	if len(code) < 20 || len(code)%4 != 0 || binary.LittleEndian.Uint32(code) != spirvMagic {
		return fmt.Errorf("this is not SPIR-V")
	}
	words := make([]uint32, len(code)/4)
	for i := range words {
		words[i] = binary.LittleEndian.Uint32(code[4*i:])
	}
	for at := 5; at < len(words); {
		size, op := int(words[at]>>16), words[at]&0xffff
		if size == 0 || at+size > len(words) {
			return fmt.Errorf("damaged SPIR-V: instruction at word %d runs past the end", at)
		}
		m.instruction(op, words[at+1:at+size])
		at += size
	}
	return nil
}

// instruction notes what one instruction declares. One that is too short for
// its operation declares nothing: the driver will refuse it.
func (m *module) instruction(op uint32, a []uint32) {
	switch {
	case op == opCapability && len(a) >= 1 && a[0] == capabilityCooperativeMatrix:
		m.matrices = true
	case op == opName && len(a) >= 2:
		m.names[a[0]] = text(a[1:])
	case op == opMemberName && len(a) >= 3:
		m.members[[2]uint32{a[0], a[1]}] = text(a[2:])
	case op == opDecorate && len(a) >= 2:
		m.decorations[[2]uint32{a[0], a[1]}] = optional(a, 2)
	case op == opMemberDecorate && len(a) >= 3:
		m.memberDecorations[[3]uint32{a[0], a[1], a[2]}] = optional(a, 3)
	case op == opTypeFloat && len(a) >= 2:
		m.floats[a[0]] = true
	case op == opTypeImage && len(a) >= 3 && a[2] == dimensionBuffer:
		// The kernels have two kinds: vec4 and, of packed f16, uvec2.
		m.texels[a[0]] = 8
		if m.floats[a[1]] {
			m.texels[a[0]] = 16
		}
	case op == opTypeStruct && len(a) >= 1:
		m.structs[a[0]] = a[1:]
	case op == opTypePointer && len(a) >= 3:
		m.pointers[a[0]] = [2]uint32{a[1], a[2]}
	case op == opVariable && len(a) >= 3:
		m.variables = append(m.variables, struct{ id, pointer, storage uint32 }{a[1], a[0], a[2]})
	case (op == opSpec || op == opSpecTrue || op == opSpecFalse) && len(a) >= 2:
		m.constants = append(m.constants, a[1])
	}
}

func optional(a []uint32, i int) uint32 {
	if i < len(a) {
		return a[i]
	}
	return 0
}

func text(words []uint32) string {
	var s []byte
	for _, w := range words {
		for range 4 {
			if byte(w) == 0 {
				return string(s)
			}
			s = append(s, byte(w))
			w >>= 8
		}
	}
	return string(s)
}
