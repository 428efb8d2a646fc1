#include "core/sweep/plan.h"

#include "core/error.h"
#include "core/files.h"
#include "core/model/config.h"
#include "core/policy/prepared.h"
#include "core/preflight.h"
#include "core/run.h"
#include "core/selection.h"
#include "core/words.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace keepset {

namespace {

    /// More than any text has, and small enough that no sum or product of sizes overflows.
    constexpr std::int64_t most_tokens = 10'000'000'000;

    void refuse_impossible_size(const char* what, std::int64_t size)
    {
        if (size > most_tokens)
            throw Error(ErrorKind::usage,
                std::string(what) + " of " + grouped(size) + " is more than any text has; the most is "
                    + grouped(most_tokens) + ".");
    }

    /// The one point of a policy that has counts of its own.
    SelectRequest own_point(SelectRequest point, const OwnCount& own, const SweepRequest& request)
    {
        for (const double sparsity : request.budgets.empty() ? request.sparsities : std::vector<double> {}) {
            point.sparsity = sparsity;
            if (budget_of(sparsity, request.context, request.rounding) * own.rows == own.kept)
                return point;
        }
        point.sparsity = 1 - static_cast<double>(own.kept) / static_cast<double>(own.rows * request.context);
        if (std::ranges::any_of(request.budgets, [&](std::int64_t budget) { return budget * own.rows == own.kept; }))
            point.budget = own.kept / own.rows;
        return point;
    }

} // namespace

void check_request(const SweepRequest& request)
{
    const auto refuse
        = [](const std::string& what, const std::string& hint = {}) { throw Error(ErrorKind::usage, what, hint); };
    if (request.context < 1)
        refuse("The context must have at least one token, not " + std::to_string(request.context) + ".");
    if (request.target < 2)
        refuse("The target must have at least two tokens, not " + std::to_string(request.target) + ".",
            "Its first token is predicted from dense attention and not scored.");
    if (request.windows < 0 || request.offset < 0)
        refuse("The number of windows and the offset cannot be negative.");
    if (request.key_tokens.short_context < 0)
        refuse("The short context cannot be negative.", "0 looks for no key tokens.");
    refuse_impossible_size("A context", request.context);
    refuse_impossible_size("A target", request.target);
    refuse_impossible_size("A number of windows", request.windows);
    refuse_impossible_size("An offset", request.offset);
    if (request.protocol == Protocol::token_drop && request.granularity != Granularity::model)
        refuse("The protocol token-drop has one keep set for the whole model, so granularity "
                + name_of(request.granularity) + " is impossible.",
            "Use granularity model.");
    if (request.protocol == Protocol::token_drop && request.positions != Positions::original)
        refuse("The protocol token-drop has no positions to choose: its tokens are a shorter text.");
    if (request.sparsities.empty() && request.budgets.empty())
        refuse("A sweep needs at least one sparsity or budget.");
    for (const double sparsity : request.sparsities) {
        if (!(sparsity >= 0 && sparsity < 1))
            refuse("A sparsity must lie in [0, 1), not at " + shortest(sparsity) + ".");
    }
    refuse_long_window(request.importance, request.context);
    for (const std::int64_t budget : request.budgets) {
        if (budget < 1 || budget > request.context)
            refuse("A budget of " + std::to_string(budget) + " entries does not fit a context of "
                + std::to_string(request.context) + ".");
    }
}

void refuse_beyond_positions(std::int64_t context, std::int64_t target, std::int64_t positions)
{
    if (context <= positions - target)
        return;
    if (target == 0)
        throw Error(ErrorKind::usage,
            "A context of " + std::to_string(context) + " exceeds the " + std::to_string(positions)
                + " positions of the model.");
    const std::int64_t fits = positions - target;
    throw Error(ErrorKind::usage,
        "Context " + std::to_string(context) + " and target " + std::to_string(target) + " together exceed the "
            + std::to_string(positions) + " positions of the model.",
        fits > 0 ? "With this target a context of " + std::to_string(fits) + " fits."
                 : "Choose a smaller context and target.");
}

void check_positions(const std::filesystem::path& folder, std::int64_t context, std::int64_t target)
{
    const DecoderConfig config = read_config(folder);
    if (!config.endless)
        refuse_beyond_positions(context, target, config.max_context);
}

std::vector<SelectRequest> plan_points(const SweepRequest& request, const OwnCounts& own)
{
    check_request(request);
    SelectRequest point;
    point.granularity = request.granularity;
    point.importance = request.importance;
    point.gqa = request.gqa;
    point.rounding = request.rounding;
    point.sliding = request.sliding_of_protocol();
    point.seed = request.seed;
    point.policy = parse_policy("dense");
    std::vector<SelectRequest> plan { point };
    std::set<std::string> seen { "dense" };
    const auto add = [&] {
        const policy::Prepared checked(point, request.context); // refuses what cannot be
        plan.push_back(point);
    };
    for (const PolicySpec& policy : request.policies) {
        if (!seen.insert(canonical(policy)).second)
            continue;
        point.policy = policy;
        point.budget = 0;
        if (const auto counts = own.find(canonical(policy)); counts != own.end()) {
            plan.push_back(own_point(point, counts->second, request));
            continue;
        }
        for (const double sparsity : request.budgets.empty() ? request.sparsities : std::vector<double> {}) {
            point.sparsity = sparsity;
            add();
        }
        std::set<std::int64_t> planned;
        for (const std::int64_t budget : request.budgets) {
            if (!planned.insert(budget).second)
                continue;
            point.budget = budget;
            point.sparsity = 1 - static_cast<double>(budget) / static_cast<double>(request.context);
            add();
        }
    }
    return plan;
}

std::int64_t windows_in(const SweepRequest& request, std::int64_t tokens, bool bos)
{
    const std::int64_t front = bos ? 1 : 0;
    const std::int64_t piece = request.context + request.target - front; // text tokens of one window
    return std::max<std::int64_t>(0, tokens - front - request.offset) / std::max<std::int64_t>(1, piece);
}

std::vector<Window> cut_windows(const SweepRequest& request, const std::vector<Token>& tokens, bool bos)
{
    const std::int64_t front = bos ? 1 : 0;
    const std::int64_t piece = request.context + request.target - front; // text tokens of one window
    const std::int64_t begin = front + request.offset;
    const auto total = static_cast<std::int64_t>(tokens.size());
    const std::int64_t room = windows_in(request, total, bos);
    const std::int64_t wanted = request.windows == 0 ? room : request.windows;
    if (room < std::max<std::int64_t>(1, wanted))
        throw Error(ErrorKind::input,
            "'" + request.text.name + "' has " + std::to_string(std::max<std::int64_t>(0, total - begin)) + " tokens"
                + (request.offset > 0 ? " behind the offset" : "") + ", which is room for " + std::to_string(room)
                + " windows of " + std::to_string(request.context) + " + " + std::to_string(request.target) + "; "
                + std::to_string(std::max<std::int64_t>(1, wanted)) + (wanted > 1 ? " are" : " is") + " asked for.",
            room == 0 ? "Give a longer text or a smaller context." : "Ask for fewer windows or give a longer text.");
    std::vector<Window> windows;
    for (std::int64_t index = 0; index < wanted; ++index) {
        Window window;
        window.index = index;
        if (bos)
            window.context.push_back(tokens.front().id);
        const std::int64_t from = begin + index * piece;
        window.begin = from;
        const std::int64_t middle = from + request.context - front;
        for (std::int64_t position = from; position < from + piece; ++position)
            (position < middle ? window.context : window.target)
                .push_back(tokens[static_cast<std::size_t>(position)].id);
        const auto behind_bos = std::span(tokens).subspan(
            static_cast<std::size_t>(from), static_cast<std::size_t>(request.context - front));
        window.pins = pins_in(behind_bos, request.pins);
        for (Pin& pin : window.pins) {
            pin.begin += front;
            pin.end += front;
        }
        windows.push_back(std::move(window));
    }
    return windows;
}

double unigram_perplexity(const std::vector<Token>& tokens)
{
    std::map<std::int32_t, double> counts;
    for (const Token& token : tokens)
        counts[token.id] += 1;
    double entropy = 0;
    for (const auto& [id, count] : counts)
        entropy -= count * std::log(count / static_cast<double>(tokens.size()));
    return std::exp(entropy / static_cast<double>(std::max<std::size_t>(1, tokens.size())));
}

TextHashes text_hashes(const SweepRequest& request, const std::vector<Token>& tokens, bool bos, std::int64_t begin)
{
    const std::int64_t front = bos ? 1 : 0;
    std::vector<std::int64_t> ids; // of the whole window, the BOS in front
    if (bos)
        ids.push_back(tokens.front().id);
    for (std::int64_t index = front; index < request.context + request.target; ++index)
        ids.push_back(tokens[static_cast<std::size_t>(begin + index - front)].id);
    const std::span all(ids);
    return { hash_of_ids(all.first(all.size() - 1)),
        hash_of_ids(all.last(static_cast<std::size_t>(request.target - 1))) };
}

} // namespace keepset
