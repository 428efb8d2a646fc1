#include "core/policy/select.h"
#include "tests/core/golden_test.h"
#include "tests/support/test_main.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

using namespace keepset;

namespace {

/// What a point of a golden folder asks for.
SelectRequest selection_of(const nlohmann::json& point)
{
    SelectRequest selection;
    selection.policy = parse_policy(point.at("policy").get<std::string>());
    selection.sparsity = point.at("sparsity");
    selection.rounding = Rounding::kvpress;
    return selection;
}

/// Rows that one cut goes through: one, those of a layer, or all.
std::size_t rows_of_cut(const std::string& policy, const KeepSet& sets)
{
    const auto kv_heads = static_cast<std::size_t>(sets.kv_heads);
    if (policy.starts_with("kvzip"))
        return kv_heads * static_cast<std::size_t>(sets.layers);
    return policy.starts_with("ada") || policy.starts_with("chunkkv") ? kv_heads : 1;
}

/// Scores of what is kept, ascending.
std::vector<double> kept_scores(std::span<const std::uint8_t> kept, std::span<const float> scores)
{
    std::vector<double> found;
    for (std::size_t i = 0; i < kept.size(); ++i) {
        if (kept[i] != 0)
            found.push_back(static_cast<double>(scores[i]));
    }
    std::ranges::sort(found);
    return found;
}

/// How near scores of two programs must come, as shares of their size. The tiny models have no cut that rounding
/// decides. Of a model that people have both are to be within 1e-4 of float64 (expected attention of SmolLM2-135M, the
/// farthest: kvpress 5e-5, ours 1e-4), and a cut may lie where scores differ by less than what rounding usually does.
struct Bounds {
    double scores = 1e-4;
    double cut = 1e-6;
};
constexpr Bounds of_tiny {};
constexpr Bounds of_other { 2e-4, 5e-6 };

/// Whether two choices are the same but for scores that differ by no more than this share of their size.
bool same_scores(const std::vector<double>& found, const std::vector<double>& wanted, double share)
{
    return std::ranges::equal(found, wanted,
        [&](double a, double b) { return std::abs(a - b) <= share * std::max(std::abs(a), std::abs(b)); });
}

} // namespace

/// Policies against kvpress 0.5.5 (tests/reference/policies_kvpress.py): what every row keeps, and the losses after it.
class TstKvpress : public GoldenTest {
    Q_OBJECT

private:
    std::filesystem::path opened_;
    std::shared_ptr<const Analysis> analysis_;

    static void folders();
    static std::string folder_of(const QString& name);
    const Bounds& bounds() const { return opened_ == folder_of("other") ? of_other : of_tiny; }
    /// Opens the model of the data row, where its folder is there.
    bool open_folder();
    KeepSet keep_sets(const nlohmann::json& point);
    void compare_rows(const KeepSet& sets, const nlohmann::json& point, std::size_t index);
    void compare_scores(const nlohmann::json& point);
    void compare_losses(const Run& run, const nlohmann::json& point, std::size_t index);

private Q_SLOTS:
    void initTestCase();
    void spellings_are_ours();
    void every_row_keeps_what_kvpress_keeps_data();
    void every_row_keeps_what_kvpress_keeps();
    void losses_after_eviction_are_those_of_kvpress_data() { folders(); }
    void losses_after_eviction_are_those_of_kvpress();
    void bfloat16_keeps_most_of_the_same_data();
    void bfloat16_keeps_most_of_the_same();
};

std::string TstKvpress::folder_of(const QString& name)
{
    if (name != "other")
        return (golden_root / "kvpress" / name.toStdString()).string();
    const char* const asked = std::getenv("KEEPSET_KVPRESS_GOLDEN"); // NOLINT(concurrency-mt-unsafe): nothing sets it
    return asked ? asked : "";
}

void TstKvpress::folders()
{
    QTest::addColumn<QString>("folder");
    for (const char* const name : { "llama", "qwen3", "other" })
        QTest::newRow(name) << QString(name);
}

bool TstKvpress::open_folder()
{
    QFETCH(QString, folder);
    const std::filesystem::path place = folder_of(folder);
    if (!place.empty() && place != opened_) {
        open(place, 1);
        opened_ = place;
    }
    return !place.empty();
}

void TstKvpress::initTestCase()
{
    if (!has_test_device())
        QSKIP(qPrintable(QString("no device %1 here").arg(QString::fromStdString(test_device()))));
}

void TstKvpress::spellings_are_ours()
{
    for (const std::string name : { "llama", "qwen3" }) {
        const Golden golden = read_golden(golden_root / "kvpress" / name);
        for (const auto& point : golden.about.at("points"))
            QCOMPARE(canonical(parse_policy(point.at("policy").get<std::string>())), point.at("policy"));
    }
}

void TstKvpress::every_row_keeps_what_kvpress_keeps_data()
{
    QTest::addColumn<QString>("folder");
    QTest::addColumn<std::size_t>("index");
    for (const char* const folder : { "llama", "qwen3", "other" }) {
        const std::filesystem::path place = folder_of(folder);
        if (place.empty()) {
            QTest::newRow(folder) << QString(folder) << std::size_t { 0 };
            continue;
        }
        const Golden golden = read_golden(place);
        std::size_t index = 0;
        for (const auto& point : golden.about.at("points"))
            QTest::addRow("%s: %s at %g", folder, point.at("policy").get<std::string>().c_str(),
                point.at("sparsity").get<double>())
                << QString(folder) << index++;
    }
}

KeepSet TstKvpress::keep_sets(const nlohmann::json& point)
{
    AnalysisRequest request;
    request.text = expected.text;
    request.context = expected.about.at("context");
    const SelectRequest selection = selection_of(point);
    request.policies = { selection.policy };
    request.keep_attention = needs_attention(selection.policy);
    analysis_ = engine.analyse(request);
    return select(*analysis_, selection);
}

/// Scores of the policy's own against those of the press, aside from what the press protects: the highest of a row.
void TstKvpress::compare_scores(const nlohmann::json& point)
{
    const auto policy = point.at("policy").get<std::string>();
    if (scores_of(parse_policy(policy)) != std::vector { policy } || point.at("scores") != policy)
        return; // ranks by the scores of another, or by what it makes of them
    const std::vector<float>& ours = analysis_->own_scores.at(policy); // (layers, kv_heads, context)
    const auto theirs = expected.tensors.at("scores." + policy).values<float>();
    QCOMPARE(ours.size(), theirs.size());
    const auto context = static_cast<std::size_t>(analysis_->context);
    std::vector<std::array<double, 2>> pairs;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        if (theirs[i] < std::ranges::max(std::span(theirs).subspan(i / context * context, context)))
            pairs.push_back({ static_cast<double>(ours[i]), static_cast<double>(theirs[i]) });
    }
    QVERIFY(pairs.size() > ours.size() / 2);
    // Scores of both signs have no size of their own near 0. Ranks of nearly equal spreads may trade places.
    const bool ranks = policy.starts_with("lagkv");
    const auto [least, most] = std::ranges::minmax(pairs, {}, [](const auto& pair) { return pair[1]; });
    const double floor = ranks ? 1 : least[1] < 0 && most[1] > 0 ? most[1] - least[1] : 1e-6 * std::abs(most[1]);
    double largest = 0;
    for (const auto& [found, wanted] : pairs)
        largest = std::max(largest, std::abs(found - wanted) / std::max(std::abs(wanted), floor));
    qInfo("scores: largest difference %.2e of their size", largest);
    QVERIFY2(largest <= (ranks ? 1.0 / 32 : bounds().scores), qPrintable(QString::number(largest)));
}

void TstKvpress::compare_rows(const KeepSet& sets, const nlohmann::json& point, std::size_t index)
{
    std::vector<std::uint8_t> found;
    std::ranges::transform(
        sets.labels, std::back_inserter(found), [](Label label) { return label == Label::evicted ? 0 : 1; });
    const auto wanted = expected.tensors.at("keep." + std::to_string(index)).values<std::uint8_t>();
    const auto scores
        = expected.tensors.at("scores." + point.at("scores").get<std::string>()).values<float>(); // (as keep)
    QCOMPARE(found.size(), wanted.size());
    QCOMPARE(std::ranges::count(found, 1), point.at("kept").get<std::ptrdiff_t>());
    const std::size_t size = rows_of_cut(point.at("policy"), sets) * static_cast<std::size_t>(sets.context);
    int other = 0;
    for (std::size_t begin = 0; begin < found.size(); begin += size) {
        const auto ours = std::span(found).subspan(begin, size);
        const auto theirs = std::span(wanted).subspan(begin, size);
        other += std::ranges::equal(ours, theirs) ? 0 : 1;
        const auto part = std::span(scores).subspan(begin, size);
        QVERIFY2(same_scores(kept_scores(ours, part), kept_scores(theirs, part), bounds().cut),
            qPrintable(QString("cut %1 keeps others").arg(begin / size)));
    }
    if (other > 0)
        qInfo("%d of %zu cuts keep others of equal scores", other, found.size() / size);
}

void TstKvpress::every_row_keeps_what_kvpress_keeps()
{
    if (!open_folder())
        QSKIP("KEEPSET_KVPRESS_GOLDEN names no folder that policies_kvpress.py made of a model");
    QFETCH(std::size_t, index);
    const auto& point = expected.about.at("points").at(index);
    try {
        compare_rows(keep_sets(point), point, index);
        if (!QTest::currentTestFailed())
            compare_scores(point);
    } catch (const Error& error) {
        QFAIL(error.what());
    }
}

void TstKvpress::compare_losses(const Run& run, const nlohmann::json& point, std::size_t index)
{
    const auto found = std::ranges::find_if(run.points, [&](const SweepPoint& candidate) {
        return candidate.policy == point.at("policy") && candidate.sparsity == point.at("sparsity");
    });
    QVERIFY(found != run.points.end());
    const auto place = static_cast<std::size_t>(found - run.points.begin());
    QCOMPARE(run.kept_entries[place], point.at("kept").get<std::int64_t>());
    KeepSet wanted;
    for (const std::uint8_t kept : expected.tensors.at("keep." + std::to_string(index)).values<std::uint8_t>())
        wanted.labels.push_back(kept != 0 ? Label::kept : Label::evicted);
    if (run.keep_hash[place] != policy::hash_of(wanted)) {
        QVERIFY2(point.at("tied") || opened_ == folder_of("other"), "other positions kept");
        qInfo("%s: other positions of equal scores, whose losses are not compared", point.dump().c_str());
        return;
    }
    const auto losses = expected.tensors.at("token_nll." + std::to_string(index)).values<float>();
    const double difference = largest_difference(losses_of(run, place), losses);
    QVERIFY2(difference <= 1e-4, qPrintable(QString("losses differ by %1").arg(difference)));
}

void TstKvpress::losses_after_eviction_are_those_of_kvpress()
{
    if (!open_folder())
        QSKIP("KEEPSET_KVPRESS_GOLDEN names no folder that policies_kvpress.py made of a model");
    SweepRequest request;
    request.text = expected.text;
    request.context = expected.about.at("context");
    request.target = expected.about.at("target");
    request.windows = 1;
    request.rounding = Rounding::kvpress;
    request.per_token = true;
    const auto& points = expected.about.at("points");
    for (const auto& point : points) {
        const auto policy = point.at("policy").get<std::string>();
        if (const double sparsity = point.at("sparsity");
            std::ranges::find(request.sparsities, sparsity) == request.sparsities.end())
            request.sparsities.push_back(sparsity);
        if (std::ranges::find(request.policies, parse_policy(policy)) == request.policies.end())
            request.policies.push_back(parse_policy(policy));
    }
    const auto run = engine.sweep(request);
    for (std::size_t index = 0; index < points.size(); ++index) {
        compare_losses(*run, points[index], index);
        if (QTest::currentTestFailed())
            QFAIL(qPrintable("at the point " + QString::fromStdString(points[index].dump())));
    }
}

void TstKvpress::bfloat16_keeps_most_of_the_same_data()
{
    QTest::addColumn<QString>("folder");
    for (const char* const name : { "llama", "qwen3" })
        QTest::newRow(name) << QString(name);
}

/// How much of a choice hangs on rounding, for what is said of runs in 16 bits.
void TstKvpress::bfloat16_keeps_most_of_the_same()
{
    QFETCH(QString, folder);
    const Golden golden = read_golden(folder_of(folder));
    Engine half;
    half.open_model(golden.model, { .device = test_device(), .dtype = Dtype::bfloat16, .threads = 1 });
    AnalysisRequest request;
    request.text = golden.text;
    request.context = golden.about.at("context");
    const auto& points = golden.about.at("points");
    for (const auto& point : points)
        request.policies.push_back(parse_policy(point.at("policy").get<std::string>()));
    const auto analysis = half.analyse(request);
    for (std::size_t index = 0; index < points.size(); ++index) {
        if (points[index].at("tied"))
            continue;
        const KeepSet sets = select(*analysis, selection_of(points[index]));
        const auto wanted = golden.tensors.at("keep." + std::to_string(index)).values<std::uint8_t>();
        double both = 0;
        for (std::size_t i = 0; i < wanted.size(); ++i)
            both += wanted[i] != 0 && sets.labels[i] != Label::evicted ? 1 : 0;
        const double share = both / points[index].at("kept").get<double>();
        qInfo("%s at %g: %.1f%% of what float32 keeps", sets.policy.c_str(), sets.request.sparsity, 100 * share);
        QVERIFY2(share > 0.95, sets.policy.c_str());
    }
}

KEEPSET_TEST(TstKvpress)
#include "tst_kvpress.moc"
