#pragma once

#include "core/keep_file.h"
#include "core/policy_files.h"
#include "tests/core/file_errors.h"
#include "tests/core/golden_test.h"
#include "tests/support/keep_files_h5.h"

#include <QTemporaryDir>

/// What the tests of the policy file(path=…) share: a model with three windows of a text, and files made for them.
namespace keepset {

/// The file policy's spelling for a path.
inline std::string file_policy(const std::filesystem::path& path, const std::map<std::string, std::string>& more = {})
{
    PolicySpec spec { "file", more };
    spec.parameters["path"] = path.string();
    return canonical(spec);
}

class FileCase : public QObject {
protected:
    static constexpr std::int64_t context = 40;
    static constexpr std::int64_t target = 8;
    static constexpr std::int64_t windows = 3;
    static constexpr std::size_t columns = windows; // of what a run has by window

    QTemporaryDir folder_;
    Engine engine_;
    Text text_;
    std::vector<std::shared_ptr<const Analysis>> analyses_; // a window each
    std::vector<std::int64_t> shape_; // windows, layers, kv_heads, context
    std::vector<std::int64_t> ids_; // (windows, context)

    std::filesystem::path in(const std::string& name) const { return folder_.path().toStdString() + "/" + name; }

    SweepRequest request(const std::string& policies, const std::vector<double>& sparsities) const
    {
        SweepRequest made;
        made.text = text_;
        made.policies = parse_policies(policies);
        made.sparsities = sparsities;
        made.context = context;
        made.target = target;
        made.windows = windows;
        made.per_token = true;
        return made;
    }

    /// Importance of the kv heads of all windows.
    std::vector<float> importance() const
    {
        std::vector<float> all;
        for (const auto& analysis : analyses_) {
            for (std::int64_t row = 0; row < analysis->layers * analysis->kv_heads; ++row) {
                const RowScores scores = row_scores(*analysis, { row / analysis->kv_heads, row % analysis->kv_heads },
                    Importance::cumulative, GqaReduction::mean);
                all.insert(all.end(), scores.scores.begin(), scores.scores.end());
            }
        }
        return all;
    }

    std::vector<float> own_scores(const std::string& policy) const
    {
        std::vector<float> all;
        for (const auto& analysis : analyses_) {
            const auto& scores = analysis->own_scores.at(policy);
            all.insert(all.end(), scores.begin(), scores.end());
        }
        return all;
    }

    std::filesystem::path write(const std::string& name, const std::vector<float>& scores) const
    {
        const auto file = in(name);
        const std::vector<keep_files::Array> arrays { keep_files::scores(shape_, scores),
            keep_files::tokens({ windows, context }, ids_) };
        if (name.ends_with(".h5"))
            keep_files::write_h5(file, arrays);
        else
            keep_files::write_bytes(
                file, name.ends_with(".npz") ? keep_files::npz(arrays, true) : keep_files::safetensors(arrays));
        return file;
    }

    /// A keep set of one window and more: every `step`-th position, another first one in each row.
    std::filesystem::path write_keep(const std::string& name, std::int64_t step, bool same_rows = false) const
    {
        std::vector<std::uint8_t> keep;
        for (std::int64_t i = 0; i < shape_[0] * shape_[1] * shape_[2] * shape_[3]; ++i)
            keep.push_back((i % context + (same_rows ? 0 : i / context)) % step == 0 ? 1 : 0);
        keep_files::write_h5(in(name), { keep_files::keep(shape_, keep) });
        return in(name);
    }

    /// Before the first test.
    void open()
    {
        engine_.open_model(golden_root / "linear", { test_device(), Dtype::float32, 1 });
        text_ = { "text.txt", golden::read_bytes(golden_root / "linear/text.txt") };
        const std::int64_t piece = context + target - (engine_.model()->adds_bos ? 1 : 0);
        for (std::int64_t window = 0; window < windows; ++window) {
            AnalysisRequest passage;
            passage.text = text_;
            passage.context = context;
            passage.offset = window * piece;
            passage.policies = parse_policies("snapkv(window=8),knorm");
            analyses_.push_back(engine_.analyse(passage));
            for (const Token& token : analyses_.back()->tokens)
                ids_.push_back(token.id);
        }
        shape_ = { windows, analyses_.front()->layers, analyses_.front()->kv_heads, context };
    }
};

} // namespace keepset
