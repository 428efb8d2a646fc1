#include "kernels/ops/layer_ops.h"

#include <cmath>
#include <numbers>

namespace keepset::kernels {

namespace {

    double activated(Gate gate, double x)
    {
        switch (gate) {
        case Gate::silu:
            return x / (1 + std::exp(-x));
        case Gate::gelu:
            return x / 2 * (1 + std::erf(x / std::numbers::sqrt2));
        case Gate::gelu_tanh:
            return x / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
        case Gate::relu:
            return x > 0 || std::isnan(x) ? x : 0;
        }
        return x;
    }

} // namespace

void norm_reference(const NormInputs& inputs)
{
    for (std::int64_t row = 0; row < inputs.rows; ++row) {
        const float* const x = static_cast<const float*>(inputs.x) + row * inputs.row_stride;
        double sum = 0;
        for (std::int64_t i = 0; i < inputs.size; ++i)
            sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
        const double inverse = 1 / std::sqrt(sum / static_cast<double>(inputs.size) + static_cast<double>(inputs.eps));
        for (std::int64_t i = 0; i < inputs.size; ++i)
            static_cast<float*>(inputs.out)[row * inputs.size + i] = static_cast<float>(
                static_cast<double>(x[i]) * inverse * static_cast<double>(static_cast<const float*>(inputs.weight)[i]));
    }
}

void gate_reference(const GateInputs& inputs)
{
    for (std::int64_t row = 0; row < inputs.rows; ++row) {
        const float* const from = static_cast<const float*>(inputs.gate_up) + row * 2 * inputs.wide;
        for (std::int64_t i = 0; i < inputs.wide; ++i)
            static_cast<float*>(inputs.out)[row * inputs.wide + i] = static_cast<float>(
                activated(inputs.gate, static_cast<double>(from[i])) * static_cast<double>(from[inputs.wide + i]));
    }
}

void rotate_reference(const RotateInputs& inputs)
{
    const std::int64_t half = inputs.dims / 2;
    for (std::int64_t index = 0; index < inputs.batch * inputs.heads * inputs.rows; ++index) {
        const std::int64_t row = index % inputs.rows;
        const std::int64_t batch = index / inputs.rows / inputs.heads;
        float* const x = static_cast<float*>(inputs.x) + batch * inputs.batch_stride
            + index / inputs.rows % inputs.heads * inputs.head_stride + row * inputs.row_stride;
        const std::int64_t table = batch * inputs.table_batch_stride + row * inputs.dims;
        const float* const cos = static_cast<const float*>(inputs.cos) + table;
        const float* const sin = static_cast<const float*>(inputs.sin) + table;
        for (std::int64_t dim = 0; dim < half; ++dim) {
            const auto low = static_cast<double>(x[dim]);
            const auto high = static_cast<double>(x[dim + half]);
            x[dim] = static_cast<float>(low * static_cast<double>(cos[dim]) - high * static_cast<double>(sin[dim]));
            x[dim + half] = static_cast<float>(
                high * static_cast<double>(cos[dim + half]) + low * static_cast<double>(sin[dim + half]));
        }
    }
}

} // namespace keepset::kernels
