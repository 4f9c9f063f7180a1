// Layer normalization (reference.LayerNorm; Ba et al. 2016, torch.nn.LayerNorm):
//   y = (x - mean) / sqrt(variance + epsilon) * gain + bias
// with the biased variance, over each row. Statistics are f32 and taken in two
// passes, since the mean of squares less the square of the mean cancels.
//
// Grid: (rows / 4). 16 invocations share a row.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x = 64) in;
layout(constant_id = 1) const bool BIAS = false;

#include "include/inputs.glsl"

INPUT32(0, X, x);       // [rows, groups]
INPUT32(1, Gain, gain); // [groups]
INPUT32(2, Bias, bias); // [groups], if BIAS
#if F16
layout(binding = 3) writeonly buffer Y { uvec2 y[]; }; // [rows, groups]
#else
layout(binding = 3) writeonly buffer Y { vec4 y[]; };
#endif

layout(push_constant) uniform Push {
    uint rows;
    uint groups; // of four elements in a row
    float epsilon;
};

const uint PER_ROW = 16u;

shared float sums[64];

// The sum of value over the invocations of a row.
float row_sum(float value)
{
    uint lane = gl_LocalInvocationID.x;
    barrier(); // the last sum was read
    sums[lane] = value;
    barrier();
    float total = 0.0;
    for (uint i = 0u; i < PER_ROW; i++) {
        total += sums[lane / PER_ROW * PER_ROW + i];
    }
    return total;
}

void main()
{
    uint lane = gl_LocalInvocationID.x % PER_ROW;
    // Rows past the end repeat the last: every invocation must reach the barriers.
    uint row = gl_WorkGroupID.x * (64u / PER_ROW) + gl_LocalInvocationID.x / PER_ROW;
    uint from = min(row, rows - 1u) * groups;
    float count = float(4u * groups);

    vec4 part = vec4(0.0);
    for (uint c = lane; c < groups; c += PER_ROW) {
        part += READ32(x, from + c);
    }
    float mean = row_sum((part.x + part.y) + (part.z + part.w)) / count;

    part = vec4(0.0);
    for (uint c = lane; c < groups; c += PER_ROW) {
        vec4 d = READ32(x, from + c) - mean;
        part += d * d;
    }
    float variance = row_sum((part.x + part.y) + (part.z + part.w)) / count;
    float scale = 1.0 / sqrt(variance + epsilon);

    if (row < rows) {
        for (uint c = lane; c < groups; c += PER_ROW) {
            vec4 value = (READ32(x, from + c) - mean) * scale * READ32(gain, c);
            if (BIAS) {
                value += READ32(bias, c);
            }
#if F16
            value = clamp(value, -65504.0, 65504.0);
            y[row * groups + c] = uvec2(packHalf2x16(value.xy), packHalf2x16(value.zw));
#else
            y[row * groups + c] = value;
#endif
        }
    }
}
