// Tensors that a kernel only reads, as storage buffers; or, TEXELS, as texel buffers,
// four elements a texel. Drivers that run on a CPU fetch a texel with one vector load
// for each lane, but the elements of a storage buffer one by one; see
// tests/results/LOG.md for figures. A texel buffer goes by the name that the block
// would have, which is the array's with a capital.
//
// INPUT declares, and READ reads, groups of four as elements.glsl has them; INPUT32
// and READ32 f32 whatever F16 says.
#ifdef TEXELS
#extension GL_EXT_samplerless_texture_functions : require
#define INPUT32(slot, block, array) layout(binding = slot) uniform textureBuffer array
#define READ32(array, at) texelFetch(array, int(at))
#else
#define INPUT32(slot, block, array) layout(binding = slot) readonly buffer block { vec4 array[]; }
#define READ32(array, at) array[at]
#endif

#if !defined(TEXELS)
#define INPUT(slot, block, array) layout(binding = slot) readonly buffer block { ELEMENTS array[]; }
#define READ(array, at) widen(array[at])
#elif F16
#define INPUT(slot, block, array) layout(binding = slot) uniform utextureBuffer array
#define READ(array, at) widen(texelFetch(array, int(at)).xy)
#else
#define INPUT(slot, block, array) INPUT32(slot, block, array)
#define READ(array, at) READ32(array, at)
#endif
