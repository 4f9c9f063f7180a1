// Numbers shared by every kernel that forms a softmax.

// Scores are clamped to this magnitude, so that a product which overflows f32
// gives a huge number and not an infinity, whose differences are NaN.
const float SCORE_LIMIT = 1e37;

// The running maximum before any key was seen. Finite, for the same reason.
const float NOTHING_SEEN = -3e38;

// The log-sum-exp of a query that sees nothing.
#define MINUS_INFINITY uintBitsToFloat(0xff800000u)

const float LOG2_E = 1.4426950408889634;
const float LN_2 = 0.6931471805599453;
