// The corners of the grids of a frame (vk.Frame), each a strip of two triangles, and
// what its pixels need to know. See frame.frag for what lies where.
#version 450

layout(binding = 0) readonly buffer Frame { uint frame[]; };

layout(push_constant) uniform Push {
    uint width, height; // of the window
    uint blue_first;
};

layout(location = 0) flat out uvec4 place; // left, top, where columns and rows begin
layout(location = 1) flat out uvec2 cell;  // the first, how many are a row
layout(location = 2) flat out uvec3 look;  // the palette, the levels, the hatch

void main()
{
    uint grid = width * height + 10u * gl_InstanceIndex;
    uint right = uint(gl_VertexIndex) & 1u, lower = uint(gl_VertexIndex) >> 1u;
    vec2 at = vec2(frame[grid + 2u * right], frame[grid + 1u + 2u * lower]);
    gl_Position = vec4(2.0 * at / vec2(width, height) - 1.0, 0.0, 1.0);
    uint left = frame[grid], columns = frame[grid + 4u];
    place = uvec4(left, frame[grid + 1u], columns, columns + frame[grid + 2u] - left + 1u);
    cell = uvec2(frame[grid + 5u], frame[grid + 6u]);
    look = uvec3(frame[grid + 7u], frame[grid + 8u], frame[grid + 9u]);
}
