#include "core/device/tensors.h"

#include "core/error.h"

#include <ATen/ops/from_blob.h>

#include <string>

namespace keepset {

namespace {

    template <typename T> at::Tensor copied(std::span<const T> values, at::ScalarType type, at::Device device)
    {
        // ATen takes memory that can be written to, but only reads this.
        return at::from_blob(const_cast<T*>(values.data()), { static_cast<std::int64_t>(values.size()) }, type)
            .to(device, type, true, true);
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
