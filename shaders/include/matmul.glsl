// What every matrix product (reference.MatMul) binds and is told:
//   out[row, column] = epilogue(sum over k of a[row, k] w[column, k])
// with both operands contiguous in k, as activations and PyTorch's Linear weights
// are. The epilogue, in this order:
//   BIAS        adds bias[column]
//   ROTARY      where above 0: the columns before `turned` are those of heads of so many
//               elements, in RoPE's interleaved layout (reference.RopeInterleaved), and
//               turn by the angles of the row's position
//   GATED       takes w as two stacked halves u and g: activate(u) * g, half as many columns
//   otherwise   ACTIVATION applies to the sum
//   RESIDUAL    adds what out held before
layout(constant_id = 1) const bool BIAS = false;
layout(constant_id = 2) const bool GATED = false;
layout(constant_id = 3) const bool RESIDUAL = false;
layout(constant_id = 4) const uint ACTIVATION = 0;
layout(constant_id = 9) const uint ROTARY = 0; // 0, or a multiple of 4

#include "inputs.glsl"

INPUT(0, A, a); // [rows, k]
INPUT(1, W, w); // [columns, k], or [2 columns, k] if GATED
layout(binding = 2) readonly buffer Bias { float bias[]; };  // [columns] or [2 columns]
#if OUT16
layout(binding = 3) writeonly buffer Out { uvec2 result[]; }; // [rows, out_row]
#else
layout(binding = 3) buffer Out { vec4 result[]; };
#endif
// Cosine and sine of two angles a group, [positions, ROTARY/4], and [rows]; not read unless ROTARY.
layout(binding = 4) readonly buffer Turns { vec4 turns[]; };
layout(binding = 5) readonly buffer Positions { uint positions[]; };

// Strides count groups of four elements.
layout(push_constant) uniform Push {
    uint rows;
    uint columns;   // of out: a multiple of 4
    uint depth;     // groups of four in k
    uint a_row;     // between two rows of a
    uint out_row;   // between two rows of out
    uint first_out; // the group of out's row 0 where column 0 stands
    uint turned;    // columns that turn if ROTARY: a multiple of it
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

const uint HEAD = ROTARY > 0u ? ROTARY : 4u; // nothing divides by 0, even where it is not reached

// Turns the pairs of four columns of a row.
vec4 turn4(uint row, uint column, vec4 x)
{
    vec4 t = turns[positions[row] * (HEAD / 4u) + column % HEAD / 4u];
    return vec4(x.x * t.x - x.y * t.y, x.y * t.x + x.x * t.y, x.z * t.z - x.w * t.w, x.w * t.z + x.z * t.w);
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
    if (ROTARY > 0u && column < turned) {
        u = turn4(row, column, u);
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
