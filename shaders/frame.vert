// The corners of the grids of a frame (vk.Frame), and before them of the window,
// each a strip of two triangles. See frame.frag for what lies where.
#version 450

layout(binding = 0) readonly buffer Frame { uint frame[]; };

layout(push_constant) uniform Push {
    uint width, height; // of the window
    uint grids;         // where the first lies in frame
};

layout(location = 0) flat out uint grid;

void main()
{
    grid = grids + 9u * gl_InstanceIndex;
    uint right = uint(gl_VertexIndex) & 1u, lower = uint(gl_VertexIndex) >> 1u;
    vec2 at = vec2(frame[grid + 2u * right], frame[grid + 1u + 2u * lower]);
    gl_Position = vec4(2.0 * at / vec2(width, height) - 1.0, 0.0, 1.0);
}
