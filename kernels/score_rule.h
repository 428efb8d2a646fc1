#pragma once

/// The rule of a score, written once: what the references and every kernel do with a product of a query and a key on
/// its way to a probability. Which pairs are seen at all is said in shapes.h.
///
///     scaled = score_factor · q·k,   exponent = cap(scaled) + bias - lse,   P = e^exponent
///
/// A product, bias or log-sum-exp that is not finite makes NaN: it may hide neither behind the cap nor as e^-inf = 0.
/// Kernels that count many such pairs at once look for them in their own way, as each says.

#ifdef __CUDACC__
#define KEEPSET_SCORE_RULE __device__ __forceinline__
#else
#define KEEPSET_SCORE_RULE [[gnu::always_inline]] inline // compiled for several instruction sets: none may be shared
#endif

namespace keepset::kernels {

/// What a product is multiplied by: with a cap, scores are counted in caps until capped() gives them their size back.
template <typename Real> constexpr Real score_factor(Real scale, Real softcap)
{
    return softcap == 0 ? scale : scale / softcap;
}

/// softcap · tanh(scale · q·k / softcap); 0: as it is. Number is a float, a double or a vector of floats, of which Math
/// has tanh.
template <typename Math, typename Number, typename Real> KEEPSET_SCORE_RULE Number capped(Number scaled, Real softcap)
{
    return softcap == 0 ? scaled : softcap * Math::tanh(scaled);
}

/// ln P. The bias and the lse may be large and nearly cancel: first of all they are added to one another.
template <typename Number, typename Bias, typename Lse>
KEEPSET_SCORE_RULE Number exponent_of(Number score, Bias bias, Lse lse)
{
    return score + (bias - lse);
}

/// P of one pair that is seen. Math has tanh, exp, is_finite and nan of Real.
template <typename Math, typename Real>
KEEPSET_SCORE_RULE Real probability_of(Real scaled, Real softcap, Real bias, Real lse)
{
    if (!Math::is_finite(scaled))
        return Math::nan();
    const Real exponent = exponent_of(capped<Math>(scaled, softcap), bias, lse);
    return Math::is_finite(exponent) ? Math::exp(exponent) : Math::nan();
}

#ifdef __CUDACC__
struct DeviceMath {
    static __device__ __forceinline__ float tanh(float x) { return tanhf(x); }
    static __device__ __forceinline__ float exp(float x) { return expf(x); }
    static __device__ __forceinline__ bool is_finite(float x) { return isfinite(x); }
    static __device__ __forceinline__ float nan() { return nanf(""); }
};
#endif

} // namespace keepset::kernels
