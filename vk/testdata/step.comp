// The kernel of package vk's tests: for the dispatched invocations i < count,
// b[i] = a[i] with x -> FACTOR x + add applied to it `repeat` times.
#version 450

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint FACTOR = 1;

layout(binding = 0) readonly buffer From { uint a[]; };
layout(binding = 1) writeonly buffer To { uint b[]; };
layout(push_constant) uniform Push { uint count, add, repeat; };

void main()
{
    uint i = gl_GlobalInvocationID.x;
    if (i < count) {
        uint x = a[i];
        for (uint k = 0; k < repeat; k++) {
            x = FACTOR * x + add;
        }
        b[i] = x;
    }
}
