// Rotary position embedding, rotate-half (reference.Rope):
//   y[j]          = x[j] cos - x[j + D/2] sin
//   y[j + D/2]    = x[j + D/2] cos + x[j] sin        for j < D/2 = HEAD_DIM/2
// with the cosine and sine of positions[row]. Tables come from the CPU: Vulkan
// promises its own sin and cos to 2^-11 only.
//
// Grid: (rows / 16, heads). Each workgroup turns 16 rows of one head.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x = 64) in;
layout(constant_id = 1) const uint HEAD_DIM = 64;

#include "include/elements.glsl"

layout(binding = 0) readonly buffer X { ELEMENTS x[]; };
layout(binding = 1) readonly buffer Cosines { vec4 cosines[]; }; // [positions, HEAD_DIM/2]
layout(binding = 2) readonly buffer Sines { vec4 sines[]; };
layout(binding = 3) readonly buffer Positions { uint positions[]; }; // [rows]
layout(binding = 4) writeonly buffer Y { ELEMENTS y[]; };

// Strides count groups of four elements.
layout(push_constant) uniform Push {
    uint rows;
    uint x_row, x_head;
    uint y_row, y_head;
};

const uint ROWS = 16u;
const uint HALF = HEAD_DIM / 8u; // groups of four in half a row

void main()
{
    uint head = gl_WorkGroupID.y;
    uint first = gl_WorkGroupID.x * ROWS;
    for (uint i = gl_LocalInvocationID.x; i < ROWS * HALF; i += gl_WorkGroupSize.x) {
        uint row = first + i / HALF, c = i % HALF;
        if (row >= rows) {
            break;
        }
        uint angle = positions[row] * HALF + c;
        vec4 cosine = cosines[angle], sine = sines[angle];
        uint from = head * x_head + row * x_row + c;
        vec4 low = widen(x[from]), high = widen(x[from + HALF]);
        uint to = head * y_head + row * y_row + c;
        y[to] = narrow(low * cosine - high * sine);
        y[to + HALF] = narrow(high * cosine + low * sine);
    }
}
