#pragma once

#include "core/pass/dense_pass.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace keepset::policy {

/// Token ids of a text, without special tokens.
using EncodeFn = std::function<std::vector<std::int64_t>(const std::string& text)>;

/// A dense pass that is done, for scores that need the model once more.
struct Replay {
    const Decoder& decoder;
    const Backend& backend;
    const DensePass& pass; ///< with keys and values
    const at::Tensor& ids; ///< (context) int64, those of the pass, on the decoder's device
    const EncodeFn& encode;
    std::stop_token stop = {};
};

} // namespace keepset::policy
