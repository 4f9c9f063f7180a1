// A pixel of a frame (vk.Frame): the colour of the cell of a grid that it shows,
// and over it that of the overlay. Its twin is explore.Frame.Flatten; because all
// of it is integers, both give the same.
//
// Frame, in words:
//   [height, width]       the overlay: red, green, blue, alpha from the lowest byte
//   [grids, 9]            from `grids` on: left, top, right, bottom in pixels;
//                         where columns lie, and behind them rows: for each pixel from
//                         left on and from top on, which of the cells it shows;
//                         the first cell, in bytes; cells in a row, 0 for none: black;
//                         the palette; pixels of a line of the hatch, 0 for none
// A palette has 256 colours and that of the lines which hatch cells of 0.
#version 450

layout(binding = 0) readonly buffer Frame { uint frame[]; };
layout(binding = 1) readonly buffer Cells { uint cells[]; }; // four in a word

layout(push_constant) uniform Push {
    uint width, height;
    uint grids;
};

layout(location = 0) flat in uint grid;
layout(location = 0) out vec4 color;

uvec3 channels(uint color)
{
    return uvec3(color, color >> 8u, color >> 16u) & 0xffu;
}

void main()
{
    uint x = uint(gl_FragCoord.x), y = uint(gl_FragCoord.y);
    uint left = frame[grid], top = frame[grid + 1u], stride = frame[grid + 6u], under = 0u;
    if (stride > 0u) {
        uint columns = frame[grid + 4u], rows = columns + frame[grid + 2u] - left, hatch = frame[grid + 8u];
        uint cell = frame[grid + 5u] + frame[rows + y - top] * stride + frame[columns + x - left];
        uint index = cells[cell >> 2u] >> (8u * (cell & 3u)) & 0xffu;
        if (index == 0u && hatch > 0u && (x + y) / hatch % 7u == 0u) {
            index = 256u;
        }
        under = frame[frame[grid + 7u] + index];
    }
    uint over = frame[y * width + x], alpha = over >> 24u;
    alpha += alpha >> 7u; // of 256
    color = vec4(vec3(channels(under) * (256u - alpha) + channels(over) * alpha >> 8u) / 255.0, 1.0);
}
