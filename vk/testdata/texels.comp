// Reads both kinds of texel buffers: to[i] = x + 2 y + 4 z + 8 w of texel i of
// `floats`, plus x + 16 y of texel i of `integers`, for i < count.
#version 450
#extension GL_EXT_samplerless_texture_functions : require

layout(local_size_x = 32) in;

layout(binding = 0) uniform textureBuffer floats;
layout(binding = 1) uniform utextureBuffer integers;
layout(binding = 2) writeonly buffer To { uint to[]; };
layout(push_constant) uniform Push { uint count; };

void main()
{
    uint i = gl_GlobalInvocationID.x;
    if (i < count) {
        uvec4 f = uvec4(texelFetch(floats, int(i)));
        uvec2 u = texelFetch(integers, int(i)).xy;
        to[i] = f.x + 2u * f.y + 4u * f.z + 8u * f.w + u.x + 16u * u.y;
    }
}
