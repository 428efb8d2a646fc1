#pragma once

#include "core/device/device.h"
#include "core/model/safetensors.h"
#include "core/sweep/sweep.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/core/golden_test.h"

/// A real sweep of a golden model, of which a test may change one thing.
namespace keepset {

struct RealSweep {
    DecoderConfig config;
    Decoder decoder;
    Backend backend { 2, nullptr };
    std::vector<Token> tokens; ///< of the text, over and over again

    explicit RealSweep(const std::filesystem::path& folder, at::ScalarType dtype = at::kFloat)
        : config(read_config(folder))
        , decoder(config, open_weights(folder), on_cpu(config), dtype, {})
    {
        const Tokenizer tokenizer = Tokenizer::load(folder / "tokenizer.json");
        const std::string text = golden::read_bytes(folder / "text.txt");
        for (int time = 0; time < 12; ++time) {
            // Another end each time, so that no window repeats another.
            for (Token token : tokenizer.encode(text + std::string(static_cast<std::size_t>(time), 'a')))
                tokens.push_back(token);
        }
    }

    /// h2o, cab and recent at 0, 50% and 75%; 5 windows of 24 + 9 tokens.
    static SweepRequest request()
    {
        SweepRequest request;
        request.text.name = "text.txt";
        request.policies = parse_policies("h2o,cab,recent");
        request.sparsities = { 0, 0.5, 0.75 };
        request.context = 24;
        request.target = 9;
        request.windows = 5;
        request.per_token = true;
        return request;
    }

    Run run(const SweepRequest& request, const SweepFaults& faults = {}) const
    {
        const SweepModel model { decoder, backend, {}, tokens, false, 512, faults };
        Run found;
        guarded(2, [&] { found = *run_sweep(model, request, {}, {}); });
        return found;
    }

private:
    static Placement on_cpu(const DecoderConfig& config)
    {
        return { at::kCPU, std::vector<at::Device>(static_cast<std::size_t>(config.layers), at::kCPU) };
    }
};

/// The check of this name. Throws where there is none.
inline const Check& check_of(const AuditReport& report, const std::string& name)
{
    for (const Check& check : report.checks) {
        if (check.name == name)
            return check;
    }
    throw std::runtime_error("no check " + name);
}

} // namespace keepset
