#pragma once

#include "core/attention/attend.h"

namespace keepset {

/// attend() for rules that are not plain.
Attended attend_by_rule(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const ScoreRule& rule,
    const std::stop_token& stop, const ShareFn& share);

} // namespace keepset
