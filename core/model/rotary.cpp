#include "core/model/rotary.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/where.h>

#include <numbers>

namespace keepset {

namespace {

    /// Llama 3.1: long wavelengths are stretched by the factor, short ones left, those between blended.
    at::Tensor scale_llama3(const at::Tensor& frequencies, const RopeConfig& rope)
    {
        const at::Tensor wavelength = 2 * std::numbers::pi / frequencies;
        const double low_wavelength = rope.original_context / rope.low_freq_factor;
        const double high_wavelength = rope.original_context / rope.high_freq_factor;
        const at::Tensor stretched = frequencies / rope.factor;
        const at::Tensor smooth = (rope.original_context / wavelength - rope.low_freq_factor)
            / (rope.high_freq_factor - rope.low_freq_factor);
        const at::Tensor blended = (1 - smooth) * stretched + smooth * frequencies;
        const at::Tensor long_or_blended = at::where(wavelength.gt(low_wavelength), stretched, blended);
        return at::where(wavelength.lt(high_wavelength), frequencies, long_or_blended);
    }

} // namespace

at::Tensor inverse_frequencies(const DecoderConfig& config)
{
    const at::Tensor exponents = at::arange(0, config.head_dim, 2, at::kFloat) / config.head_dim; // (head_dim / 2)
    const at::Tensor frequencies = 1.0 / at::pow(config.rope.theta, exponents);
    switch (config.rope.kind) {
    case RopeConfig::Kind::plain:
        return frequencies;
    case RopeConfig::Kind::linear:
        return frequencies / config.rope.factor;
    case RopeConfig::Kind::llama3:
        return scale_llama3(frequencies, config.rope);
    }
    return frequencies;
}

Rotation rotation_of(const at::Tensor& positions, const at::Tensor& inverse_frequencies, at::ScalarType dtype)
{
    const at::Tensor half = positions.to(at::kFloat).unsqueeze(-1) * inverse_frequencies; // (…, head_dim / 2)
    const at::Tensor angles = at::cat({ half, half }, -1);
    return { at::cos(angles).to(dtype), at::sin(angles).to(dtype) };
}

at::Tensor rotate(const at::Tensor& x, const Rotation& rotation)
{
    const std::int64_t half = x.size(-1) / 2;
    const at::Tensor turned = at::cat({ x.slice(-1, half).neg(), x.slice(-1, 0, half) }, -1);
    return (x * rotation.cos).addcmul_(turned, rotation.sin);
}

} // namespace keepset
