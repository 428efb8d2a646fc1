#include "tests/core/golden_test.h"

#include "core/policy/select.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace keepset {

namespace {

    SelectRequest select_of(const SweepRequest& sweep, const nlohmann::json& point, std::int64_t window)
    {
        SelectRequest request;
        request.policy = parse_policy(point.at("policy").get<std::string>());
        request.sparsity = point.at("sparsity");
        if (!sweep.budgets.empty() && request.policy.name != "dense")
            request.budget = point.at("budget");
        request.granularity = sweep.granularity;
        request.importance = sweep.importance;
        request.gqa = sweep.gqa;
        request.rounding = sweep.rounding;
        request.sliding = sweep.sliding;
        request.seed = sweep.seed;
        request.window = window;
        return request;
    }

    AnalysisRequest passage(const Text& text, std::int64_t context, std::int64_t offset, bool keep_attention,
        const Importance& importance = Importance::cumulative)
    {
        AnalysisRequest request;
        request.text = text;
        request.context = context;
        request.offset = offset;
        request.keep_attention = keep_attention;
        request.importance = importance;
        return request;
    }

} // namespace

#define REPORT(value, tolerance, what)                                                                                 \
    do {                                                                                                               \
        const double largest_ = (value);                                                                               \
        qInfo("%s: largest difference %.2e", qPrintable(QString::fromStdString(what)), largest_);                      \
        QVERIFY2(                                                                                                      \
            largest_ <= (tolerance), qPrintable(QString("%1: %2").arg(QString::fromStdString(what)).arg(largest_)));   \
    } while (false)

const nlohmann::json& Golden::run(const char* name) const
{
    for (const auto& found : about.at("runs")) {
        if (found.at("name") == name)
            return found;
    }
    throw std::runtime_error(std::string("no run is called ") + name);
}

const golden::Tensor& Golden::of_run(std::size_t index, const char* what) const
{
    return tensors.at("run." + std::to_string(index) + "." + what);
}

Golden read_golden(const std::filesystem::path& folder)
{
    Golden found;
    found.about = nlohmann::json::parse(golden::read_bytes(folder / "golden.json"));
    found.tensors = golden::read_tensors(folder / "golden.safetensors");
    const auto model = found.about.at("model").get<std::string>();
    found.model = model == "." ? folder : source_root / model;
    found.text = { "text.txt", golden::read_bytes(folder / "text.txt") };
    return found;
}

std::string test_device()
{
    const char* const wanted = std::getenv("KEEPSET_TEST_DEVICE"); // NOLINT(concurrency-mt-unsafe): nothing sets it
    return wanted ? wanted : "cpu";
}

bool has_test_device()
{
    const std::string wanted = test_device();
    return wanted == "cpu"
        || std::ranges::any_of(devices(), [&](const auto& device) { return device.first.starts_with(wanted); });
}

SweepRequest request_of(const nlohmann::json& run, const Text& text)
{
    SweepRequest request;
    request.text = text;
    for (const auto& policy : run.at("policies"))
        request.policies.push_back(parse_policy(policy.get<std::string>()));
    request.sparsities = run.at("sparsities").get<std::vector<double>>();
    request.budgets = run.at("budgets").get<std::vector<std::int64_t>>();
    from_name(run.at("protocol").get<std::string>(), request.protocol);
    from_name(run.at("granularity").get<std::string>(), request.granularity);
    from_name(run.at("importance").get<std::string>(), request.importance);
    from_name(run.at("gqa").get<std::string>(), request.gqa);
    from_name(run.at("positions").get<std::string>(), request.positions);
    from_name(run.at("rounding").get<std::string>(), request.rounding);
    request.sliding = Sliding::evict; // the reference evicts in every layer
    request.context = run.at("context");
    request.target = run.at("target");
    request.windows = run.at("windows");
    request.seed = run.at("seed");
    request.offset = run.at("offset");
    request.per_token = true;
    return request;
}

std::vector<float> sums_of_maps(const Analysis& analysis, std::int64_t queries)
{
    std::vector<float> sums;
    for (std::int64_t row = 0; row < analysis.layers * analysis.heads; ++row) {
        AttentionMapRequest request;
        request.layer = row / analysis.heads;
        request.head = row % analysis.heads;
        request.query_begin = analysis.context - queries;
        request.query_end = request.key_end = request.most_rows = request.most_columns = analysis.context;
        const AttentionMap map = attention_map(analysis, request);
        std::vector<double> columns(static_cast<std::size_t>(map.columns));
        for (std::size_t cell = 0; cell < map.cells.size(); ++cell)
            columns[cell % columns.size()] += static_cast<double>(std::max(map.cells[cell], 0.0F)); // -1: hidden
        sums.insert(sums.end(), columns.begin(), columns.end());
    }
    return sums;
}

double largest_difference(std::span<const float> found, std::span<const float> wanted)
{
    if (found.size() != wanted.size())
        return std::numeric_limits<double>::infinity();
    double largest = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const double difference = std::abs(static_cast<double>(found[i]) - static_cast<double>(wanted[i]));
        if (!(difference <= largest)) // a NaN counts too
            largest = std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference;
    }
    return largest;
}

double largest_relative(std::span<const float> found, std::span<const float> wanted)
{
    if (found.size() != wanted.size())
        return std::numeric_limits<double>::infinity();
    double largest = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const double size = std::max(std::abs(static_cast<double>(wanted[i])), 1e-30);
        const double difference = std::abs(static_cast<double>(found[i]) - static_cast<double>(wanted[i])) / size;
        largest = std::isnan(difference) ? std::numeric_limits<double>::infinity() : std::max(largest, difference);
    }
    return largest;
}

std::size_t index_of(const Run& run, const std::string& policy, std::int64_t budget)
{
    const auto found = std::ranges::find_if(
        run.points, [&](const SweepPoint& point) { return point.policy == policy && point.budget == budget; });
    if (found == run.points.end())
        throw std::runtime_error("the sweep has no point " + policy + " with budget " + std::to_string(budget));
    return static_cast<std::size_t>(found - run.points.begin());
}

std::span<const float> losses_of(const Run& run, std::size_t point)
{
    const auto size = static_cast<std::size_t>(run.windows * (run.target - 1));
    return std::span(run.token_nll).subspan(point * size, size);
}

void GoldenTest::open(const std::filesystem::path& folder, int threads)
{
    expected = read_golden(folder);
    engine.open_model(expected.model, { .device = test_device(), .dtype = Dtype::float32, .threads = threads });
}

void GoldenTest::check_token_ids()
{
    std::vector<std::int32_t> ids;
    for (const Token& token : engine.tokenize(expected.text))
        ids.push_back(token.id);
    QCOMPARE(ids, expected.tensors.at("ids").values<std::int32_t>());
    QCOMPARE(engine.model()->adds_bos, expected.about.at("bos").get<bool>());
}

void GoldenTest::check_log_probabilities()
{
    const LogitsResult found = engine.logits(expected.text, 0);
    const auto rows = expected.tensors.at("rows").values<std::int32_t>();
    const auto vocabulary = static_cast<std::size_t>(found.vocabulary);
    QCOMPARE(expected.tensors.at("log_prob").shape.back(), found.vocabulary);
    std::vector<float> picked;
    for (const std::int32_t row : rows) {
        const auto begin
            = found.log_prob.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(row) * vocabulary);
        picked.insert(picked.end(), begin, begin + static_cast<std::ptrdiff_t>(vocabulary));
    }
    REPORT(largest_difference(picked, expected.tensors.at("log_prob").values<float>()), 1e-4, "log-probabilities");
    const LogitsResult last = engine.logits(expected.text, 1);
    REPORT(largest_difference(last.log_prob, std::span(picked).last(vocabulary)), 1e-4, "the last row alone");
}

void GoldenTest::check_importance()
{
    const auto found = engine.analyse(passage(expected.text, 0, 0, true));
    const auto context = static_cast<std::size_t>(found->context);
    REPORT(largest_relative(found->importance, expected.tensors.at("importance").values<float>()), 1e-4,
        "importance, relative");
    REPORT(largest_relative(sums_of_maps(*found, found->context), expected.tensors.at("importance").values<float>()),
        1e-4, "columns of the attention map, relative");
    REPORT(largest_difference(found->row_lse, expected.tensors.at("row_lse").values<float>()), 1e-4, "row log-sum-exp");
    for (std::size_t row = 0; row < found->importance.size() / context; ++row) {
        double sum = 0;
        for (std::size_t j = 0; j < context; ++j)
            sum += static_cast<double>(found->importance[row * context + j]);
        QVERIFY2(std::abs(sum - static_cast<double>(context)) <= 1e-4 * static_cast<double>(context),
            qPrintable(QString::number(sum)));
    }
}

void GoldenTest::compare_labels(const nlohmann::json& run, const std::vector<std::uint8_t>& labels)
{
    const SweepRequest request = request_of(run, expected.text);
    const auto windows = static_cast<std::size_t>(request.windows);
    const std::int64_t piece = request.context + request.target - (engine.model()->adds_bos ? 1 : 0);
    const bool by_attention = std::ranges::any_of(request.policies, needs_attention);
    std::vector<std::shared_ptr<const Analysis>> analyses;
    for (std::int64_t window = 0; window < request.windows; ++window)
        analyses.push_back(engine.analyse(passage(
            expected.text, request.context, request.offset + window * piece, by_attention, request.importance)));
    const auto& points = run.at("points");
    const std::size_t size = labels.size() / (points.size() * windows);
    for (std::size_t point = 0; point < points.size(); ++point) {
        double mass = 0;
        for (std::size_t window = 0; window < windows; ++window) {
            const auto select_request = select_of(request, points[point], static_cast<std::int64_t>(window));
            const KeepSet found = select(*analyses[window], select_request);
            const auto wanted = std::span(labels).subspan((point * windows + window) * size, size);
            const bool equal = std::ranges::equal(
                found.labels, wanted, {}, [](Label label) { return static_cast<std::uint8_t>(label); });
            QVERIFY2(equal,
                qPrintable(
                    QString("%1, %2 of window %3 differs")
                        .arg(QString::fromStdString(run.at("name")), QString::fromStdString(points[point].dump()))
                        .arg(window)));
            QCOMPARE(found.budget, points[point].at("budget").get<std::int64_t>());
            mass += found.kept_mass / static_cast<double>(windows);
        }
        QVERIFY(std::abs(mass - points[point].at("kept_mass").get<double>()) <= 1e-5);
    }
}

void GoldenTest::check_keep_sets()
{
    for (std::size_t n = 0; n < expected.about.at("runs").size(); ++n) {
        const auto& run = expected.about.at("runs")[n];
        compare_labels(run, expected.of_run(n, "label").values<std::uint8_t>());
        if (QTest::currentTestFailed())
            return;
    }
}

void GoldenTest::compare_points(const Run& found, const nlohmann::json& run, std::span<const float> token_nll)
{
    const auto& points = run.at("points");
    QCOMPARE(found.points.size(), points.size());
    const std::size_t size = token_nll.size() / points.size();
    double largest = 0;
    for (std::size_t n = 0; n < points.size(); ++n) {
        const auto& wanted = points[n];
        const std::size_t index = index_of(found, wanted.at("policy"), wanted.at("budget"));
        const SweepPoint& point = found.points[index];
        const double difference = largest_difference(losses_of(found, index), token_nll.subspan(n * size, size));
        QVERIFY2(difference <= 1e-4,
            qPrintable(QString("%1: losses differ by %2").arg(QString::fromStdString(wanted.dump())).arg(difference)));
        largest = std::max(largest, difference);
        const auto scored = static_cast<double>(found.windows * (found.target - 1));
        QCOMPARE(point.scored_tokens, found.windows * (found.target - 1));
        QVERIFY(std::abs(point.nll_sum - wanted.at("nll_sum").get<double>()) <= 1e-4 * scored);
        QVERIFY(std::abs(std::log(point.perplexity) - wanted.at("nll_sum").get<double>() / scored) <= 1e-4);
        QVERIFY(std::abs(point.kl - wanted.at("kl").get<double>()) <= 1e-4);
        QVERIFY(std::abs(point.top1_agreement - wanted.at("top1_agreement").get<double>()) <= 1e-6);
        QVERIFY(std::abs(point.kept_mass - wanted.at("kept_mass").get<double>()) <= 1e-5);
    }
    qInfo("%s: largest difference %.2e", qPrintable(QString::fromStdString(run.at("name"))), largest);
}

void GoldenTest::compare_hashes(const Run& found, const nlohmann::json& run, const std::vector<std::uint8_t>& labels)
{
    const auto& points = run.at("points");
    const auto windows = static_cast<std::size_t>(found.windows);
    const std::size_t size = labels.size() / (points.size() * windows);
    for (std::size_t cell = 0; cell < points.size() * windows; ++cell) {
        const auto& point = points[cell / windows];
        KeepSet wanted;
        for (const std::uint8_t label : std::span(labels).subspan(cell * size, size))
            wanted.labels.push_back(static_cast<Label>(label));
        const std::size_t index = index_of(found, point.at("policy"), point.at("budget"));
        QVERIFY2(found.keep_hash[index * windows + cell % windows] == policy::hash_of(wanted),
            qPrintable("other positions kept: " + QString::fromStdString(point.dump())));
    }
}

void GoldenTest::check_losses()
{
    for (std::size_t n = 0; n < expected.about.at("runs").size(); ++n) {
        const auto& run = expected.about.at("runs")[n];
        const auto found = sweep(run);
        compare_hashes(*found, run, expected.of_run(n, "label").values<std::uint8_t>());
        if (!QTest::currentTestFailed())
            compare_points(*found, run, expected.of_run(n, "token_nll").values<float>());
        if (QTest::currentTestFailed())
            QFAIL(qPrintable("in the run " + QString::fromStdString(run.at("name"))));
    }
}

} // namespace keepset
