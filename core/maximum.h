#pragma once

#include <cmath>

namespace keepset {

/// The larger of two; NaN where either is (IEEE 754-2019 maximum). std::max keeps or drops a NaN by its place, so a
/// measure that must not hide one goes by this.
inline double maximum(double a, double b) { return std::isnan(a) || a > b ? a : b; }

} // namespace keepset
