#pragma once

#include "tests/kernels/cuda_device.h"
#include "tests/kernels/importance_case.h"

#include <optional>

namespace keepset::kernels::test {

struct Stream {
    cudaStream_t handle = nullptr;
    Stream() { KEEPSET_CHECK_CUDA(cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking)); }
    ~Stream() { cudaStreamDestroy(handle); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
};

/// A case rounded to `type`, on the device, with a stream of its own.
class DeviceCase {
public:
    DeviceCase(const CudaModule& module, ImportanceCase& values, ElementType type, ImportancePath path)
        : module_(module)
        , typed_(round_to(type, values))
        , q_(typed_.q.data(), typed_.q.size())
        , k_(typed_.k.data(), typed_.k.size())
        , lse_(values.lse.data(), values.lse.size() * sizeof(float))
        , bias_(values.bias.data(), values.bias.size() * sizeof(float))
        , count_(static_cast<std::size_t>(values.shape.heads * values.shape.keys))
        , sums_(count_ * sizeof(float))
        , inputs_(values.inputs())
    {
        inputs_.type = type;
        inputs_.path = path;
        inputs_.q = q_.data();
        inputs_.k = k_.data();
        inputs_.row_lse = static_cast<const float*>(lse_.data());
        inputs_.key_bias = values.bias.empty() ? nullptr : static_cast<const float*>(bias_.data());
        const std::vector<std::byte> poison(
            static_cast<std::size_t>(module.importance_workspace(inputs_)), std::byte { 0xff }); // NaN as floats
        workspace_.emplace(poison.data(), poison.size());
        inputs_.workspace = workspace_->data();
        KEEPSET_CHECK_CUDA(cudaDeviceSynchronize());
    }

    void add() const { module_.importance(inputs_, static_cast<float*>(sums_.data()), stream_.handle); }

    /// (heads, keys), when what was added is there.
    std::vector<float> sums() const
    {
        KEEPSET_CHECK_CUDA(cudaStreamSynchronize(stream_.handle));
        std::vector<float> result(count_);
        sums_.copy_to(result.data(), count_ * sizeof(float));
        return result;
    }

private:
    const CudaModule& module_;
    TypedInputs typed_;
    DeviceBuffer q_;
    DeviceBuffer k_;
    DeviceBuffer lse_;
    DeviceBuffer bias_;
    std::size_t count_;
    DeviceBuffer sums_;
    std::optional<DeviceBuffer> workspace_;
    ImportanceInputs inputs_;
    Stream stream_;
};

} // namespace keepset::kernels::test
