#include "core/model/rotary.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace keepset {

namespace {

    /// theta^(2n / dims) for every pair n, (dims / 2) float32.
    at::Tensor wavelengths(double theta, std::int64_t dims)
    {
        return at::pow(theta, at::arange(0, dims, 2, at::kFloat) / dims);
    }

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

    /// NTK-aware scaling: a larger theta the longer the text is than the model's context.
    at::Tensor scale_dynamic(const RopeConfig& rope, std::int64_t length)
    {
        const double longer = std::max(static_cast<double>(length), rope.original_context) / rope.original_context;
        const auto dims = static_cast<double>(rope.dims);
        const double theta = rope.theta * std::pow(rope.factor * longer - (rope.factor - 1), dims / (dims - 2));
        return 1.0 / wavelengths(theta, rope.dims);
    }

    /// YaRN: frequencies that turn rarely within the original context are divided, those that turn often are left, with
    /// a linear ramp between.
    at::Tensor scale_yarn(const RopeConfig& rope)
    {
        const auto dims = static_cast<double>(rope.dims);
        const auto pair_of = [&](double turns) {
            return dims * std::log(rope.original_context / (turns * 2 * std::numbers::pi)) / (2 * std::log(rope.theta));
        };
        double low = pair_of(rope.beta_fast);
        double high = pair_of(rope.beta_slow);
        if (rope.truncate) {
            low = std::floor(low);
            high = std::ceil(high);
        }
        low = std::max(low, 0.0);
        high = std::min(high, dims - 1);
        if (low == high)
            high += 0.001;
        const at::Tensor wavelength = wavelengths(rope.theta, rope.dims);
        const at::Tensor ramp = ((at::arange(rope.dims / 2, at::kFloat) - low) / (high - low)).clamp_(0, 1);
        const at::Tensor kept = 1 - ramp;
        return 1.0 / (rope.factor * wavelength) * (1 - kept) + 1.0 / wavelength * kept;
    }

    at::Tensor scale_longrope(const RopeConfig& rope, std::int64_t length)
    {
        const bool is_long = static_cast<double>(length) > rope.original_context;
        const at::Tensor factors = at::tensor(is_long ? rope.long_factor : rope.short_factor, at::kFloat);
        return 1.0 / (factors * wavelengths(rope.theta, rope.dims));
    }

} // namespace

at::Tensor inverse_frequencies(const RopeConfig& rope, std::int64_t length)
{
    switch (rope.kind) {
    case RopeConfig::Kind::plain:
        break;
    case RopeConfig::Kind::linear:
        return 1.0 / wavelengths(rope.theta, rope.dims) / rope.factor;
    case RopeConfig::Kind::dynamic:
        return scale_dynamic(rope, length);
    case RopeConfig::Kind::llama3:
        return scale_llama3(1.0 / wavelengths(rope.theta, rope.dims), rope);
    case RopeConfig::Kind::yarn:
        return scale_yarn(rope);
    case RopeConfig::Kind::longrope:
        return scale_longrope(rope, length);
    }
    return 1.0 / wavelengths(rope.theta, rope.dims);
}

Rotation rotation_of(
    const at::Tensor& positions, const at::Tensor& inverse_frequencies, double factor, at::ScalarType dtype)
{
    const at::Tensor half = positions.to(at::kFloat).unsqueeze(-1) * inverse_frequencies; // (…, dims / 2)
    const at::Tensor angles = at::cat({ half, half }, -1);
    at::Tensor cos = at::cos(angles);
    at::Tensor sin = at::sin(angles);
    if (factor != 1) {
        cos.mul_(factor);
        sin.mul_(factor);
    }
    return { cos.to(dtype), sin.to(dtype) };
}

at::Tensor rotate(const at::Tensor& x, const Rotation& rotation)
{
    const std::int64_t dims = rotation.cos.size(-1);
    if (dims < x.size(-1))
        return at::cat({ rotate(x.slice(-1, 0, dims), rotation), x.slice(-1, dims) }, -1);
    const std::int64_t half = dims / 2;
    const at::Tensor turned = at::cat({ x.slice(-1, half).neg(), x.slice(-1, 0, half) }, -1);
    // Where cos is float32 and x is not, the products are too (OLMo 2).
    return (x * rotation.cos).addcmul_(turned, rotation.sin).to(x.scalar_type());
}

} // namespace keepset
