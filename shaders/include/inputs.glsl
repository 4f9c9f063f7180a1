// Tensors that a kernel only reads, as storage buffers of ELEMENTS; or, TEXELS, as
// texel buffers whose texels are those of elements.glsl. Drivers that run on a CPU
// fetch a texel with one vector load for each lane, but the elements of a storage
// buffer one by one; see tests/results/LOG.md for figures. A texel buffer goes by the
// name that the block would have, which is the array's with a capital.
#ifdef TEXELS
#extension GL_EXT_samplerless_texture_functions : require
#if F16
#define INPUT(slot, block, array) layout(binding = slot) uniform utextureBuffer array
#define READ(array, at) widen(texelFetch(array, int(at)).xy)
#else
#define INPUT(slot, block, array) layout(binding = slot) uniform textureBuffer array
#define READ(array, at) texelFetch(array, int(at))
#endif
#else
#define INPUT(slot, block, array) layout(binding = slot) readonly buffer block { ELEMENTS array[]; }
#define READ(array, at) widen(array[at])
#endif
