#pragma once

#include "core/model/config.h"
#include "core/model/safetensors.h"
#include "core/task.h"

#include <ATen/core/Tensor.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace keepset {

/// A template of WeightNames with its {} filled in, in order: ("layers.{}.a|h.{}.a", { 3 }) → "layers.3.a|h.3.a".
std::string filled(const std::string& names, const std::vector<std::int64_t>& numbers);

/// Whether a tensor belongs to the decoder by its name; of a model with other parts, those of the parts do not.
bool is_of_decoder(const std::string& tensor, const WeightFiles& weights, const DecoderConfig& config);

/// What the names of the tensors in the layers begin with ("model.layers."), whichever prefix the files have.
std::string layers_prefix(const WeightFiles& weights, const DecoderConfig& config);

/// Buffers that older versions of transformers wrote beside the weights; everything they hold follows from config.json.
bool is_buffer(const std::string& tensor);

/// Takes tensors by name out of the weight files: checked, converted, counted. Names are alternatives ("a|b") without
/// the prefix that the files put in front, whichever it is.
class WeightReader {
public:
    WeightReader(const WeightFiles& weights, const DecoderConfig& config, at::Device device, at::ScalarType dtype,
        const Task& task);

    /// What is taken from now on goes to another device.
    void use(at::Device device) { device_ = device; }
    bool has(const std::string& names) const { return find(names) != nullptr; }
    /// The whole tensor on the device in the reader's dtype, or in another one. Throws Error{input} naming file and
    /// tensor: missing, another shape, a dtype that is not read; Cancelled.
    at::Tensor take(const std::string& names, const std::vector<std::int64_t>& shape);
    at::Tensor take_as(const std::string& names, const std::vector<std::int64_t>& shape, at::ScalarType dtype);
    /// Whether both are stored with the same bytes, shape and dtype.
    bool equal(const std::string& names, const std::string& others) const;
    /// Passes over a tensor that is the same as one taken.
    void skip(const std::string& names);
    std::int64_t parameters() const { return parameters_; }
    /// Whether a tensor that was taken is the file's own bytes, which it then depends on for good.
    bool in_place() const { return in_place_; }
    at::Device device() const { return device_; }
    at::ScalarType dtype() const { return dtype_; }

    /// What is left over: refuses tensors inside the layers, for then a layer is not what config.json says; of others
    /// it returns a sentence. Another tells of a prefix that a wrapper left.
    std::vector<std::string> check_left_over() const;

private:
    using Entry = std::map<std::string, StoredTensor>::value_type;
    const Entry* find(const std::string& names) const;
    at::Tensor mapped(const Entry& entry) const;
    /// On the device and in the dtype, piece by piece where it is large; throws Cancelled.
    at::Tensor converted(const at::Tensor& stored, at::ScalarType dtype) const;
    void report() const;

    const WeightFiles& weights_;
    const DecoderConfig& config_;
    at::Device device_;
    at::ScalarType dtype_;
    const Task& task_;
    std::chrono::steady_clock::time_point begin_;
    std::string prefix_; // as found
    std::set<std::string> taken_;
    bool in_place_ = false;
    std::int64_t parameters_ = 0;
    std::int64_t total_bytes_ = 0;
    std::int64_t done_bytes_ = 0;
};

} // namespace keepset
