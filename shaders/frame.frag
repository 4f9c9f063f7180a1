// A pixel of a grid of a frame (vk.Frame): the colour of the cell that it shows, and
// over it that of the overlay. Its twin is explore.Frame.Flatten; because all of it
// is integers, both give the same.
//
// Frame, in words:
//   [height, width]       the overlay: red (or blue), green, blue, alpha from the lowest byte
//   [grids, 9]            left, top, right, bottom in pixels; where columns lie, and
//                         behind them rows: for each pixel from left on and from top
//                         on, which of the cells it shows; the first cell, in bytes;
//                         cells in a row; where the palette lies; pixels of a line of
//                         the hatch, 0 for none
// A palette has 256 colours and that of the lines which hatch cells of 0.
//
// Where it can be, a device that is a CPU reads both through texel buffers (TEXELS);
// include/inputs.glsl says why.
#version 450

#ifdef TEXELS
#extension GL_EXT_samplerless_texture_functions : require
layout(binding = 2) uniform utextureBuffer frame;
layout(binding = 3) uniform utextureBuffer cells; // four in a word
#define READ(array, at) texelFetch(array, int(at)).x
#else
layout(binding = 0) readonly buffer Frame { uint frame[]; };
layout(binding = 1) readonly buffer Cells { uint cells[]; }; // four in a word
#define READ(array, at) array[at]
#endif

layout(push_constant) uniform Push {
    uint width, height;
    uint blue_first; // 1: all colours are so, for images that are
};

layout(location = 0) flat in uvec4 place;
layout(location = 1) flat in uvec4 cell;
layout(location = 0) out vec4 color;

uvec3 channels(uint color)
{
    return uvec3(color, color >> 8u, color >> 16u) & 0xffu;
}

void main()
{
    uint x = uint(gl_FragCoord.x), y = uint(gl_FragCoord.y);
    uint at = cell.x + READ(frame, place.w + y - place.y) * cell.y + READ(frame, place.z + x - place.x);
    uint index = READ(cells, at >> 2u) >> (8u * (at & 3u)) & 0xffu;
    if (index == 0u && cell.w > 0u && (x + y) / cell.w % 7u == 0u) {
        index = 256u;
    }
    uint under = READ(frame, cell.z + index), over = READ(frame, y * width + x), alpha = over >> 24u;
    alpha += alpha >> 7u; // of 256
    uvec3 mixed = channels(under) * (256u - alpha) + channels(over) * alpha >> 8u;
    color = vec4(vec3(blue_first == 1u ? mixed.zyx : mixed) / 255.0, 1.0);
}
