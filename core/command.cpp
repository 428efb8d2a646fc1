#include "core/command.h"

#include "core/files.h"
#include "core/words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace keepset {

namespace {

    /// Bytes that stand in quotes as they are: printable, and UTF-8 beyond ASCII.
    bool is_printable(const std::string& word)
    {
        const bool controls
            = std::ranges::any_of(word, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
        return !controls && is_utf8(word);
    }

    /// $'…', as bash, zsh and ksh read it: one line of plain characters whatever the bytes are.
    std::string escaped(const std::string& word)
    {
        constexpr const char* digits = "0123456789abcdef";
        std::string text = "$'";
        for (const char c : word) {
            const auto byte = static_cast<unsigned char>(c);
            if (c == '\'' || c == '\\')
                text += std::string("\\") + c;
            else if (byte < 0x20 || byte >= 0x7F)
                text += std::string("\\x") + digits[byte >> 4U] + digits[byte & 15U];
            else
                text += c;
        }
        return text + "'";
    }

    /// Reads a line as quoted_for_shell writes one: plain, '…', \' and $'…' with \', \\ and \xHH.
    class ShellReader {
    public:
        explicit ShellReader(const std::string& line)
            : line_(line)
        {
        }
        std::optional<std::vector<std::string>> read()
        {
            for (; at_ < line_.size(); ++at_) {
                const char c = line_[at_];
                if (c == ' ') {
                    end_word();
                    continue;
                }
                inside_ = true;
                if (c == '\'') {
                    if (!take_quoted())
                        return std::nullopt;
                } else if (c == '$' && at_ + 1 < line_.size() && line_[at_ + 1] == '\'') {
                    if (!take_escaped())
                        return std::nullopt;
                } else if (c == '\\' && at_ + 1 < line_.size()) {
                    word_ += line_[++at_];
                } else {
                    word_ += c;
                }
            }
            end_word();
            return words_;
        }

    private:
        void end_word()
        {
            if (inside_)
                words_.push_back(std::exchange(word_, {}));
            inside_ = false;
        }
        bool take_quoted()
        {
            const std::size_t end = line_.find('\'', at_ + 1);
            if (end == std::string::npos)
                return false;
            word_ += line_.substr(at_ + 1, end - at_ - 1);
            at_ = end;
            return true;
        }
        bool take_escaped()
        {
            for (at_ += 2; at_ < line_.size() && line_[at_] != '\''; ++at_) {
                if (line_[at_] == '\\' && at_ + 3 < line_.size() && line_[at_ + 1] == 'x') {
                    const char* const digits = line_.data() + at_ + 2;
                    unsigned char byte = 0;
                    if (std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2)
                        return false; // not ours: anybody can write a file
                    word_ += static_cast<char>(byte);
                    at_ += 3;
                } else if (line_[at_] == '\\' && at_ + 1 < line_.size()) {
                    word_ += line_[++at_];
                } else {
                    word_ += line_[at_];
                }
            }
            return at_ < line_.size();
        }

        const std::string& line_;
        std::size_t at_ = 0;
        bool inside_ = false;
        std::string word_;
        std::vector<std::string> words_;
    };

    std::string joined_with_commas(const std::vector<std::string>& parts)
    {
        std::string text;
        for (const std::string& part : parts)
            text += (text.empty() ? "" : ",") + part;
        return text;
    }

    std::vector<std::string> names_of(const std::vector<PolicySpec>& policies)
    {
        std::vector<std::string> names;
        names.reserve(policies.size());
        for (const PolicySpec& policy : policies)
            names.push_back(canonical(policy));
        return names;
    }

    template <typename Number, typename Text> std::string list_of(const std::vector<Number>& numbers, const Text& text)
    {
        std::vector<std::string> parts;
        parts.reserve(numbers.size());
        for (const Number number : numbers)
            parts.push_back(text(number));
        return joined_with_commas(parts);
    }

    /// The value behind an option, as "--text FILE" or "--text=FILE"; empty where it is not there.
    std::string value_of(const std::vector<std::string>& words, const std::string& option)
    {
        for (std::size_t index = 0; index < words.size(); ++index) {
            if (words[index] == option && index + 1 < words.size())
                return words[index + 1];
            if (words[index].starts_with(option + "="))
                return words[index].substr(option.size() + 1);
        }
        return {};
    }

    /// The policies of a run, and the sparsities of the first that evicts as asked for, which keep sets of a file do
    /// not; its budgets where these do not follow from the sparsities.
    void take_points(const Run& run, SweepRequest& request)
    {
        const bool asked = std::ranges::any_of(run.points, [](const SweepPoint& point) {
            return point.policy != "dense" && parse_policy(point.policy).name != "file";
        });
        std::string first;
        std::string last;
        bool by_budget = false;
        for (const SweepPoint& point : run.points) {
            if (point.policy != last)
                request.policies.push_back(parse_policy(point.policy));
            last = point.policy;
            if (first.empty() && point.policy != "dense" && !(asked && parse_policy(point.policy).name == "file"))
                first = point.policy;
            if (point.policy != first)
                continue;
            request.sparsities.push_back(point.sparsity);
            request.budgets.push_back(point.budget);
            by_budget = by_budget || budget_of(point.sparsity, run.context, run.rounding) != point.budget;
        }
        if (first.empty())
            request.sparsities = { 0 };
        if (by_budget)
            request.sparsities.clear();
        else
            request.budgets.clear();
    }

} // namespace

std::string quoted_for_shell(const std::string& word)
{
    const bool plain = !word.empty()
        && word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%")
            == std::string::npos;
    if (plain)
        return word;
    if (!is_printable(word))
        return escaped(word);
    std::string text = "'";
    for (const char c : word)
        text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

std::optional<std::vector<std::string>> words_of_shell(const std::string& line) { return ShellReader(line).read(); }

std::vector<std::string> sweep_arguments(const SweepRequest& request, const SweepPlace& place)
{
    std::vector<std::string> words { "sweep", place.model, "--text", place.text, "--policies",
        joined_with_commas(names_of(request.policies)) };
    const auto add = [&](const std::string& option, const std::string& value) {
        words.insert(words.end(), { option, value });
    };
    const auto whole = [](auto number) { return std::to_string(number); };
    if (request.budgets.empty())
        add("--sparsity", list_of(request.sparsities, shortest));
    else
        add("--budget", list_of(request.budgets, whole));
    add("--context", whole(request.context));
    add("--target", whole(request.target));
    add("--windows", request.windows == 0 ? "all" : whole(request.windows));
    add("--granularity", name_of(request.granularity));
    const SweepRequest preset;
    const auto add_if = [&](bool differs, const std::string& option, const std::string& value) {
        if (differs)
            add(option, value);
    };
    add_if(request.protocol != preset.protocol, "--protocol", name_of(request.protocol));
    add_if(request.importance != preset.importance, "--importance", name_of(request.importance));
    add_if(request.gqa != preset.gqa, "--gqa", name_of(request.gqa));
    add_if(request.positions != preset.positions, "--positions", name_of(request.positions));
    add_if(request.rounding != preset.rounding, "--rounding", name_of(request.rounding));
    add_if(request.sliding != preset.sliding && request.protocol != Protocol::token_drop, "--sliding",
        name_of(request.sliding));
    add_if(request.seed != preset.seed, "--seed", whole(request.seed));
    add_if(request.offset != preset.offset, "--offset", whole(request.offset));
    add_if(!request.pins.empty(), "--pin", spelled(request.pins));
    add_if(!(request.shard == preset.shard), "--shard", whole(request.shard.number) + "/" + whole(request.shard.count));
    add_if(request.key_tokens.short_context != preset.key_tokens.short_context, "--short",
        whole(request.key_tokens.short_context));
    add_if(request.key_tokens.gain != preset.key_tokens.gain, "--key-gain", shortest(request.key_tokens.gain));
    add_if(request.key_tokens.loss != preset.key_tokens.loss, "--key-loss", shortest(request.key_tokens.loss));
    add_if(place.options.device != "auto", "--device", place.options.device);
    add_if(place.options.dtype != Dtype::automatic, "--dtype", name_of(place.options.dtype));
    add_if(place.options.threads != 0, "--threads", whole(place.options.threads));
    add_if(!request.out.empty(), "--out", request.out);
    if (request.per_token)
        words.emplace_back("--per-token");
    return words;
}

std::string sweep_command(const SweepRequest& request, const SweepPlace& place)
{
    std::string line = "keepset-cli";
    for (const std::string& word : sweep_arguments(request, place))
        line += " " + quoted_for_shell(word);
    return line;
}

std::optional<SweepPlace> place_of_command(const std::string& command)
{
    const auto words = words_of_shell(command);
    if (!words)
        return std::nullopt;
    const auto sweep = std::ranges::find(*words, "sweep");
    if (sweep == words->end())
        return std::nullopt;
    SweepPlace place;
    place.text = value_of(*words, "--text");
    if (const std::string device = value_of(*words, "--device"); !device.empty())
        place.options.device = device;
    if (const std::string dtype = value_of(*words, "--dtype"); !dtype.empty())
        from_name(dtype, place.options.dtype);
    constexpr std::array<const char*, 4> flags { "--per-token", "--force", "--resume", "--quiet" };
    for (auto word = sweep + 1; word != words->end(); ++word) { // the first word that belongs to no option
        const bool flag = *word == "--json" || std::ranges::find(flags, *word) != flags.end();
        if (!word->starts_with("--")) {
            place.model = *word;
            break;
        }
        if (!flag && word->find('=') == std::string::npos && word + 1 != words->end())
            ++word;
    }
    return place.model.empty() || place.text.empty() ? std::nullopt : std::optional(place);
}

SweepRequest request_of(const Run& run)
{
    SweepRequest request;
    request.protocol = run.protocol;
    request.context = run.context;
    request.target = run.target;
    request.windows = run.windows;
    request.shard = run.shard;
    request.granularity = run.granularity;
    request.importance = run.importance;
    request.gqa = run.gqa;
    request.positions = run.positions;
    request.rounding = run.rounding;
    request.sliding = run.sliding;
    request.seed = run.provenance.seed;
    request.offset = run.offset;
    request.pins = parse_pins(run.pins);
    request.key_tokens = run.key_tokens;
    request.per_token = !run.token_nll.empty();
    take_points(run, request);
    return request;
}

} // namespace keepset
