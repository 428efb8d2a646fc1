#include "core/device/tensors.h"

#include "core/error.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <string>

namespace keepset {

namespace {

    // From memory that is not pinned CUDA takes so much while work is queued; before it takes more, it waits for all
    // that is. Pieces go instead, where they are not too many.
    constexpr std::size_t taken_at_once = std::size_t { 60 } << 10U;
    constexpr std::size_t most_pieces = 32;

    template <typename T> at::Tensor copied(std::span<const T> values, at::ScalarType type, at::Device device)
    {
        // ATen takes memory that can be written to, but only reads this.
        const at::Tensor here
            = at::from_blob(const_cast<T*>(values.data()), { static_cast<std::int64_t>(values.size()) }, type);
        if (!device.is_cuda() || values.size_bytes() <= taken_at_once
            || values.size_bytes() > most_pieces * taken_at_once)
            return here.to(device, type, true, true);
        at::Tensor there = at::empty({ here.numel() }, at::TensorOptions(type).device(device));
        constexpr auto step = static_cast<std::int64_t>(taken_at_once / sizeof(T));
        for (std::int64_t begin = 0; begin < here.numel(); begin += step)
            there.slice(0, begin, begin + step).copy_(here.slice(0, begin, begin + step), true);
        return there;
    }

} // namespace

kernels::ElementType element_type(at::ScalarType type)
{
    switch (type) {
    case at::kFloat:
        return kernels::ElementType::float32;
    case at::kBFloat16:
        return kernels::ElementType::bfloat16;
    case at::kHalf:
        return kernels::ElementType::float16;
    default:
        throw Error(ErrorKind::internal, std::string("kernels on dtype ") + at::toString(type));
    }
}

at::Tensor to_device(std::span<const std::int64_t> values, at::Device device)
{
    return copied(values, at::kLong, device);
}

at::Tensor to_device(std::span<const std::int32_t> values, at::Device device)
{
    return copied(values, at::kInt, device);
}

} // namespace keepset
