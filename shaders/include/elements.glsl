// Four consecutive elements of a tensor, stored as f32 or as f16 and always
// computed with as f32. f16 is packed in 32-bit words, which needs no 16-bit
// feature of any device.
#if F16
#define ELEMENTS uvec2

vec4 widen(uvec2 stored)
{
    return vec4(unpackHalf2x16(stored.x), unpackHalf2x16(stored.y));
}

uvec2 narrow(vec4 value)
{
    // The largest f16, not infinity: an infinite element would turn sums into NaN.
    value = clamp(value, -65504.0, 65504.0);
    return uvec2(packHalf2x16(value.xy), packHalf2x16(value.zw));
}
#else
#define ELEMENTS vec4

vec4 widen(vec4 stored)
{
    return stored;
}

vec4 narrow(vec4 value)
{
    return value;
}
#endif
