// A pixel of a grid of a frame (vk.Frame): the colour of the greatest of the cells that
// it shows, and over it that of the overlay. Its twin is explore.Frame.Flatten; because
// all of it is integers, both give the same: cells are told apart by their bits.
//
// Frame, in words:
//   [height, width]       the overlay: red (or blue), green, blue, alpha from the lowest byte
//   [grids, 10]           left, top, right, bottom in pixels; where columns lie, and
//                         behind them rows: for each pixel from left on and from top on,
//                         and one more, the first of the cells that it shows, which end
//                         where the next pixel's begin, but not before there was one; the
//                         first cell; cells in a row; where the palette and where the
//                         levels lie; pixels of a line of the hatch, 0 for none
// A palette has 256 colours and that of the lines which hatch where all cells are NaN.
// Levels are the least ordinal of each index of a colour: 256 that never fall, of which
// [0] does not count, for NaN has that index, and [1] is 0, which is below all of them.
// The ordinal of an f32 is its bits, all of them inverted if it is negative, else that of
// the sign: so ordinals are in the order of what they stand for.
#version 450

layout(binding = 0) readonly buffer Frame { uint frame[]; };
layout(binding = 1) readonly buffer Cells { uint cells[]; }; // bits of f32

layout(push_constant) uniform Push {
    uint width, height;
    uint blue_first; // 1: all colours are so, for images that are
};

layout(location = 0) flat in uvec4 place;
layout(location = 1) flat in uvec2 cell;
layout(location = 2) flat in uvec3 look;
layout(location = 0) out vec4 color;

uvec3 channels(uint color)
{
    return uvec3(color, color >> 8u, color >> 16u) & 0xffu;
}

void main()
{
    uint x = uint(gl_FragCoord.x), y = uint(gl_FragCoord.y);
    uint column = place.z + x - place.x, row = place.w + y - place.y;
    uint left = frame[column], right = max(frame[column + 1u], left + 1u);
    uint top = frame[row], bottom = max(frame[row + 1u], top + 1u);
    uint greatest = 0u; // ordinal; none is 0 but that of a NaN
    for (uint r = top; r < bottom; r++) {
        for (uint c = left; c < right; c++) {
            uint bits = cells[cell.x + r * cell.y + c];
            if ((bits & 0x7fffffffu) <= 0x7f800000u) { // not NaN
                greatest = max(greatest, bits ^ (uint(int(bits) >> 31) | 0x80000000u));
            }
        }
    }
    uint index = 0u;
    if (greatest > 0u) {
        for (uint part = 128u; part > 0u; part >>= 1u) {
            index += frame[look.y + index + part] <= greatest ? part : 0u;
        }
    } else if (look.z > 0u && (x + y) / look.z % 7u == 0u) {
        index = 256u;
    }
    uint under = frame[look.x + index], over = frame[y * width + x], alpha = over >> 24u;
    alpha += alpha >> 7u; // of 256
    uvec3 mixed = channels(under) * (256u - alpha) + channels(over) * alpha >> 8u;
    color = vec4(vec3(blue_first == 1u ? mixed.zyx : mixed) / 255.0, 1.0);
}
