#pragma once

#include "core/engine.h"
#include "tests/support/golden.h"

#include <nlohmann/json.hpp>

#include <QTest>

/// What tests that compare the engine with a golden folder share (tests/reference/golden_folder.py made the folders).
namespace keepset {

inline const std::filesystem::path source_root = KEEPSET_SOURCE_DIR;
inline const std::filesystem::path golden_root = source_root / "tests/reference/golden";

/// One folder of tests/reference/golden: what the independent reference found.
struct Golden {
    nlohmann::json about;
    std::map<std::string, golden::Tensor> tensors;
    std::filesystem::path model;
    Text text;

    const nlohmann::json& run(const char* name) const;
    const golden::Tensor& of_run(std::size_t index, const char* what) const;
    /// Whether what a token's key is turned by depends on how many tokens there are.
    bool follows_length() const { return about.value("follows_length", false); }
};

Golden read_golden(const std::filesystem::path& folder);
/// The device the tests run on: KEEPSET_TEST_DEVICE, or the CPU.
std::string test_device();
/// Whether this machine has the device.
bool has_test_device();
SweepRequest request_of(const nlohmann::json& run, const Text& text);
/// Infinity where the sizes differ or a value is not a number.
double largest_difference(std::span<const float> found, std::span<const float> wanted);
double largest_relative(std::span<const float> found, std::span<const float> wanted);
/// Sums over the last `queries` queries of every layer's and head's attention map, a cell each pair: (layers, heads,
/// context).
std::vector<float> sums_of_maps(const Analysis& analysis, std::int64_t queries);
/// The point of a run with this policy and budget.
std::size_t index_of(const Run& run, const std::string& policy, std::int64_t budget);
/// Losses (windows, target - 1) of one point.
std::span<const float> losses_of(const Run& run, std::size_t point);

/// An engine with a golden folder open, and the comparisons with it. They fail the running test as QVERIFY does.
class GoldenTest : public QObject {
protected:
    Engine engine;
    Golden expected;

    void open(const std::filesystem::path& folder, int threads);
    std::shared_ptr<const Run> sweep(const nlohmann::json& run) { return engine.sweep(request_of(run, expected.text)); }
    void check_token_ids();
    void check_log_probabilities();
    /// Importance and row log-sum-exp of the whole text.
    void check_importance();
    /// Labels by analysing each window's context and selecting from it.
    void check_keep_sets();
    /// Sweeps: which positions each point of each window kept, its losses and its sums.
    void check_losses();

private:
    void compare_labels(const nlohmann::json& run, const std::vector<std::uint8_t>& labels);
    void compare_hashes(const Run& found, const nlohmann::json& run, const std::vector<std::uint8_t>& labels);
    void compare_points(const Run& found, const nlohmann::json& run, std::span<const float> token_nll);
};

} // namespace keepset
