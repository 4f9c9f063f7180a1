package checkpoint

import "math"

// Float16ToFloat32 widens an IEEE 754 binary16 value, given by its bits. Every
// value has an exact float32; a NaN keeps its sign and payload.
func Float16ToFloat32(bits uint16) float32 {
	sign, rest := uint32(bits&0x8000)<<16, uint32(bits&0x7fff)<<13
	if rest >= 0x1f<<23 { // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | rest)
	}
	// A float32 of these bits is 2^-112 times as much: its exponent counts from 127, not
	// from 15. That holds for subnormal ones too.
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(rest)*0x1p112))
}

// Float32ToFloat16 returns the bits of the IEEE 754 binary16 value nearest to
// f, of two equally near ones the even one. A magnitude of 65520 or more gives
// an infinity; a NaN keeps its sign and the upper bits of its payload.
func Float32ToFloat16(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	exponent := int(bits>>23&0xff) - 127
	fraction := bits & 0x7fffff
	switch {
	case exponent == 128 && fraction != 0: // NaN: a bit is set so that it stays one
		payload := uint16(fraction >> 13)
		if payload == 0 {
			payload = 0x200
		}
		return sign | 0x7c00 | payload
	case exponent > 15: // infinity, or too great
		return sign | 0x7c00
	case exponent < -25: // below half of the least subnormal, 2^-24
		return sign
	}
	// half counts units of the last place of the result: 2^(exponent-10), never
	// below 2^-24. The bits that are shifted out decide the rounding. A carry
	// out of the fraction runs into the exponent, which is just what is due.
	significand := fraction | 1<<23
	shift := 13
	half := uint32(exponent+15) << 10
	if exponent < -14 { // subnormal result: no implicit bit, no exponent
		shift += -14 - exponent
		half = 0
	} else {
		significand &^= 1 << 23
	}
	half |= significand >> shift
	rest, tie := significand&(1<<shift-1), uint32(1)<<(shift-1)
	if rest > tie || rest == tie && half&1 == 1 {
		half++
	}
	return sign | uint16(half)
}

// BFloat16ToFloat32 widens a bfloat16 value, given by its bits, which are the
// upper half of a float32.
func BFloat16ToFloat32(bits uint16) float32 {
	return math.Float32frombits(uint32(bits) << 16)
}

// Float32ToBFloat16 returns the bits of the bfloat16 value nearest to f, of two
// equally near ones the even one. Magnitudes above the greatest value give an
// infinity; a NaN keeps its sign and the upper bits of its payload.
func Float32ToBFloat16(f float32) uint16 {
	bits := math.Float32bits(f)
	if f != f {
		if half := uint16(bits >> 16); half&0x7f != 0 {
			return half
		}
		return uint16(bits>>16) | 0x40 // a bit of the payload is set so that it stays a NaN
	}
	// A carry out of the fraction runs into the exponent, which is just what is due.
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}
