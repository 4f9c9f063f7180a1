// The bytes that a device can move at most (engine.PeakCopy):
//   y[i] = x[i] for vectors of four elements
// Each workgroup copies a block of LANES * EACH vectors, over and over, every
// time another one: what caches hold is then read from the cache that all share.
//
// Grid: (blocks) = (vectors / (LANES * EACH)).
#version 450

layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint LANES = 64;
layout(constant_id = 1) const uint EACH = 4; // vectors of an invocation
layout(constant_id = 2) const bool ALONE = false; // an invocation's vectors follow one another, else the workgroup's do

layout(binding = 0) readonly buffer X { vec4 x[]; };
layout(binding = 1) writeonly buffer Y { vec4 y[]; };

layout(push_constant) uniform Push {
    uint vectors, blocks;
    uint repeats;
};

void main()
{
    for (uint repeat = 0; repeat < repeats; ++repeat) {
        uint block = (gl_WorkGroupID.x + repeat) % blocks;
        uint first = block * LANES * EACH + gl_LocalInvocationID.x * (ALONE ? EACH : 1u);
        for (uint i = 0; i < EACH; ++i) {
            uint at = first + i * (ALONE ? 1u : LANES);
            if (at < vectors) {
                y[at] = x[at];
            }
        }
    }
}
