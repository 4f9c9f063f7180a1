// The multiply-adds that a device can do at most (engine.PeakMultiply): SUMS
// independent chains of four elements an invocation, with nothing to load.
//   y[invocation] = sum over repeats r and elements e of (invocation + r) % 16 + e + 16 rounds
// where factor and addend are 1, which no compiler knows: the multiply-adds that
// were done can be counted in it. f16 counts as far as it is exact, so a repeat
// starts anew.
//
// SUMS is a definition and not a specialization constant, and all is unrolled
// here, because not every driver turns an array into registers.
//
// Grid: as large as keeps the device busy.
#version 450
#extension GL_GOOGLE_include_directive : require
#if F16
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define ELEMENT float16_t
#define ELEMENTS f16vec4
#else
#define ELEMENT float
#define ELEMENTS vec4
#endif

layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint LANES = 64;

layout(binding = 0) readonly buffer X { float x[]; };  // factor, addend
layout(binding = 1) writeonly buffer Y { float y[]; }; // [invocations]

layout(push_constant) uniform Push {
    uint rounds;  // of 16 steps: at most 64, so that f16 stays exact
    uint repeats; // at most 256, so that f32 does
};

#if SUMS == 2
#define EACH(DO) DO(s0, 0) DO(s1, 4)
#elif SUMS == 3
#define EACH(DO) DO(s0, 0) DO(s1, 4) DO(s2, 8)
#elif SUMS == 4
#define EACH(DO) DO(s0, 0) DO(s1, 4) DO(s2, 8) DO(s3, 12)
#elif SUMS == 8
#define EACH(DO) DO(s0, 0) DO(s1, 4) DO(s2, 8) DO(s3, 12) DO(s4, 16) DO(s5, 20) DO(s6, 24) DO(s7, 28)
#endif
#define DECLARE(sum, first) ELEMENTS sum;
#define START(sum, first) sum = ELEMENTS(start) + ELEMENTS(first, first + 1, first + 2, first + 3);
#define STEP(sum, first) sum = sum * factor + addend;
#define STEPS4 EACH(STEP) EACH(STEP) EACH(STEP) EACH(STEP)
#define TOTAL(sum, first) { vec4 wide = vec4(sum); total += wide.x + wide.y + wide.z + wide.w; }

void main()
{
    uint lane = gl_WorkGroupID.x * LANES + gl_LocalInvocationID.x;
    ELEMENT factor = ELEMENT(x[0]), addend = ELEMENT(x[1]);
    float total = 0.0;
    for (uint repeat = 0; repeat < repeats; ++repeat) {
        ELEMENT start = ELEMENT((lane + repeat) % 16u);
        EACH(DECLARE)
        EACH(START)
        for (uint r = 0; r < rounds; ++r) {
            STEPS4 STEPS4 STEPS4 STEPS4
        }
        EACH(TOTAL)
    }
    y[lane] = total;
}
