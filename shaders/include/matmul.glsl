// What every matrix product (reference.MatMul) binds and is told:
//   out[row, column] = epilogue(sum over k of a[row, k] w[column, k])
// with both operands contiguous in k, as activations and PyTorch's Linear weights
// are. The epilogue, in this order:
//   BIAS        adds bias[column]
//   GATED       takes w as two stacked halves u and g: activate(u) * g, half as many columns
//   otherwise   ACTIVATION applies to the sum
//   RESIDUAL    adds what out held before
layout(constant_id = 1) const bool BIAS = false;
layout(constant_id = 2) const bool GATED = false;
layout(constant_id = 3) const bool RESIDUAL = false;
layout(constant_id = 4) const uint ACTIVATION = 0;

layout(binding = 0) readonly buffer A { ELEMENTS a[]; };     // [rows, k]
layout(binding = 1) readonly buffer W { ELEMENTS w[]; };     // [columns, k], or [2 columns, k] if GATED
layout(binding = 2) readonly buffer Bias { float bias[]; };  // [columns] or [2 columns]
#if OUT16
layout(binding = 3) writeonly buffer Out { uvec2 result[]; }; // [rows, out_row]
#else
layout(binding = 3) buffer Out { vec4 result[]; };
#endif

// Strides count groups of four elements.
layout(push_constant) uniform Push {
    uint rows;
    uint columns;   // of out: a multiple of 4
    uint depth;     // groups of four in k
    uint a_row;     // between two rows of a
    uint out_row;   // between two rows of out
    uint first_out; // the group of out's row 0 where column 0 stands
};

#include "activation.glsl"

// The row of w that gives column c of a tile of WIDTH columns from first on:
// with GATED its first half are u's and its second half g's.
uint weight_row(uint first, uint c, uint width)
{
    if (!GATED) {
        return min(first + c, columns - 1u);
    }
    uint half_width = width / 2u;
    return c < half_width ? min(first + c, columns - 1u) : columns + min(first + c - half_width, columns - 1u);
}

vec4 activate4(vec4 x)
{
    return vec4(activate(x.x), activate(x.y), activate(x.z), activate(x.w));
}

vec4 bias4(uint column)
{
    return vec4(bias[column], bias[column + 1u], bias[column + 2u], bias[column + 3u]);
}

// Writes four columns of a row: u are the sums, g the gates' sums if GATED.
void write4(uint row, uint column, vec4 u, vec4 g)
{
    if (row >= rows || column >= columns) {
        return;
    }
    if (BIAS) {
        u += bias4(column);
        if (GATED) {
            g += bias4(columns + column);
        }
    }
    if (ACTIVATION != ACTIVATION_NONE) {
        u = activate4(u);
    }
    if (GATED) {
        u *= g;
    }
    uint at = row * out_row + first_out + column / 4u;
#if OUT16
    u = clamp(u, -65504.0, 65504.0);
    result[at] = uvec2(packHalf2x16(u.xy), packHalf2x16(u.zw));
#else
    result[at] = RESIDUAL ? result[at] + u : u;
#endif
}
