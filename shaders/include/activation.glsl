// Activation functions, chosen by the specialization constant ACTIVATION.
const uint ACTIVATION_NONE = 0u;
const uint ACTIVATION_GELU = 1u;      // x/2 (1 + erf(x / sqrt 2))
const uint ACTIVATION_GELU_TANH = 2u; // its approximation by tanh
const uint ACTIVATION_SILU = 3u;      // x / (1 + exp -x)
const uint ACTIVATION_RELU = 4u;
const uint ACTIVATION_TANH = 5u;

// The error function, within 1.2e-7 everywhere. GLSL has none. Minimax
// polynomials: (erf(x)/x - 1)(x^2) up to |x| = 1, then -ln(1 - erf(x)), which is
// nearly a parabola, up to 4, where the function is 1 to f32.
float error_function(float x)
{
    float t = min(abs(x), 4.0), s = x * x;
    if (t <= 1.0) {
        float p = 7.889122935011983e-05;
        p = p * s - 0.0008020842215046287;
        p = p * s + 0.005189535673707724;
        p = p * s - 0.026854444295167923;
        p = p * s + 0.11283600330352783;
        p = p * s - 0.3761262595653534;
        p = p * s + 0.12837916612625122;
        return x + x * p;
    }
    float p = -0.0001855740265455097;
    p = p * t + 0.0029396074824035168;
    p = p * t - 0.02180531807243824;
    p = p * t + 0.10303737223148346;
    p = p * t + 0.6382256746292114;
    p = p * t + 1.1270400285720825;
    p = p * t + 0.0003537193115334958;
    float erf = 1.0 - exp2(-1.4426950408889634 * p);
    return x < 0.0 ? -erf : erf;
}

float activate(float x)
{
    switch (ACTIVATION) {
    case ACTIVATION_GELU:
        return 0.5 * x * (1.0 + error_function(0.7071067811865476 * x));
    case ACTIVATION_GELU_TANH: {
        // 1 + tanh(y) is 2 / (1 + exp(-2y)): no tanh, whose precision Vulkan hardly bounds.
        float y = 0.7978845608028654 * (x + 0.044715 * x * x * x);
        return x / (1.0 + exp2(-2.885390081777927 * y));
    }
    case ACTIVATION_SILU:
        return x / (1.0 + exp2(-1.4426950408889634 * x));
    case ACTIVATION_RELU:
        return max(x, 0.0);
    case ACTIVATION_TANH:
        return 2.0 / (1.0 + exp2(-2.885390081777927 * x)) - 1.0;
    }
    return x;
}
