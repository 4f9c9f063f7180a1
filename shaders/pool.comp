// One vector for each sequence (reference.Pool), as sentence-transformers pools:
//   CLS            the first row
//   LAST           the last row
//   MAX            the largest of each element
//   MEAN           sum / count
//   MEAN_SQRT      sum / sqrt(count)
//   WEIGHTED_MEAN  sum of (i + 1) x_i / sum of (i + 1), i counting the sequence's rows
// over rows begin .. end-1 of each sequence. weight_offset is what i starts from:
// a prompt that is left out still counts for the weights.
//
// Grid: (sequences, groups / 64).
#version 450

layout(local_size_x = 64) in;
layout(constant_id = 1) const uint MODE = 0;

const uint MODE_CLS = 0u;
const uint MODE_LAST = 1u;
const uint MODE_MAX = 2u;
const uint MODE_MEAN = 3u;
const uint MODE_MEAN_SQRT = 4u;
const uint MODE_WEIGHTED_MEAN = 5u;

layout(binding = 0) readonly buffer X { vec4 x[]; };              // [rows, groups]
layout(binding = 1) readonly buffer Spans { uint spans[]; };      // [sequences, 3]: begin, end, weight_offset
layout(binding = 2) writeonly buffer Y { vec4 y[]; };             // [sequences, out_row]

layout(push_constant) uniform Push {
    uint groups;    // of four elements in a row
    uint out_row;   // groups between two rows of y
    uint first_out; // the group of y's row 0 where the result starts
};

void main()
{
    uint sequence = gl_WorkGroupID.x, c = gl_WorkGroupID.y * 64u + gl_LocalInvocationID.x;
    if (c >= groups) {
        return;
    }
    uint begin = spans[3u * sequence], end = spans[3u * sequence + 1u], offset = spans[3u * sequence + 2u];
    vec4 value = x[(MODE == MODE_LAST ? end - 1u : begin) * groups + c];
    if (MODE == MODE_MAX) {
        for (uint row = begin + 1u; row < end; row++) {
            value = max(value, x[row * groups + c]);
        }
    } else if (MODE == MODE_MEAN || MODE == MODE_MEAN_SQRT) {
        for (uint row = begin + 1u; row < end; row++) {
            value += x[row * groups + c];
        }
        float count = float(end - begin);
        value /= MODE == MODE_MEAN ? count : sqrt(count);
    } else if (MODE == MODE_WEIGHTED_MEAN) {
        value = vec4(0.0);
        float weights = 0.0;
        for (uint row = begin; row < end; row++) {
            float weight = float(row - begin + offset + 1u);
            value += weight * x[row * groups + c];
            weights += weight;
        }
        value /= weights;
    }
    y[sequence * out_row + first_out + c] = value;
}
