#include "tests/kernels/cuda_device.h"
#include "tests/kernels/select_case.h"
#include "tests/support/test_main.h"

#include <QCoreApplication>
#include <QTest>

#include <cmath>

using namespace keepset::kernels;
using namespace keepset::kernels::test;

class TestSelectCuda : public QObject {
    Q_OBJECT

    LoadedModule loaded_;
    std::mt19937 random_;

    /// The module's labels, poisoned before.
    SelectResult cuda_result(const SelectCase& values) const
    {
        const std::size_t size = values.scores.size();
        const DeviceBuffer scores(values.scores.data(), size * sizeof(float));
        const DeviceBuffer labels(
            std::vector<std::uint8_t>(size * values.plans.size(), 0xaa).data(), size * values.plans.size());
        const DeviceBuffer first_bad(sizeof(std::int64_t));
        std::vector<SelectPlan> plans = values.plans;
        for (std::size_t plan = 0; plan < plans.size(); ++plan)
            plans[plan].labels = static_cast<std::uint8_t*>(labels.data()) + plan * size;
        loaded_.module->select({ static_cast<const float*>(scores.data()), values.rows, values.context, plans.data(),
                                   static_cast<std::int64_t>(plans.size()) },
            static_cast<std::int64_t*>(first_bad.data()), nullptr);
        KEEPSET_CHECK_CUDA(cudaDeviceSynchronize());
        SelectResult result;
        first_bad.copy_to(&result.first_bad, sizeof result.first_bad);
        std::vector<std::uint8_t> all(size * plans.size());
        labels.copy_to(all.data(), all.size());
        for (std::size_t plan = 0; plan < plans.size(); ++plan)
            result.labels.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(plan * size),
                all.begin() + static_cast<std::ptrdiff_t>((plan + 1) * size));
        return result;
    }

    /// Empty where the device labels as the reference does, else a sentence.
    std::string disagreement(const SelectCase& values) const
    {
        return difference(values, cuda_result(values), result_of(values, select_reference));
    }

private Q_SLOTS:
    void initTestCase()
    {
        loaded_ = load_cuda_module(QCoreApplication::applicationDirPath().toStdString());
        if (loaded_.module == nullptr)
            QSKIP(loaded_.reason.c_str());
        const unsigned seed = std::random_device {}();
        random_.seed(seed);
        qInfo("seed %u", seed);
    }

    void the_kernel_equals_the_reference_data()
    {
        QTest::addColumn<ScoreKind>("kind");
        for (int kind = 0; kind < score_kinds; ++kind)
            QTest::addRow("kind %d", kind) << static_cast<ScoreKind>(kind);
    }
    void the_kernel_equals_the_reference()
    {
        QFETCH(ScoreKind, kind);
        for (int round = 0; round < 60; ++round) {
            const std::int64_t most = round % 3 == 0 ? 20 : round % 3 == 1 ? 300 : 9000;
            const std::int64_t context = 1 + static_cast<std::int64_t>(random_()) % most;
            const auto rows = 1 + static_cast<std::int64_t>(random_() % 3);
            const int plans = round == 7 ? 130 : 3; // more than one launch takes
            const std::string wrong = disagreement(random_case(kind, rows, context, plans, random_));
            QVERIFY2(wrong.empty(), wrong.c_str());
        }
    }

    void long_rows_equal_the_reference_at_every_budget()
    {
        for (const std::int64_t context : { 32768, 70000, 1048576 }) {
            for (const ScoreKind kind : { ScoreKind::importance, ScoreKind::all_equal }) {
                SelectCase values { make_scores(kind, 2, context, random_), 2, context, {} };
                for (const std::int64_t budget : { std::int64_t { 1 }, context / 20, context / 2, context })
                    values.plans.push_back(cab_plan(budget));
                const std::string wrong = disagreement(values);
                QVERIFY2(wrong.empty(), wrong.c_str());
            }
        }
    }

    void the_first_score_that_is_not_finite_is_found()
    {
        for (const float bad : { NAN, INFINITY, -INFINITY }) {
            SelectCase values = random_case(ScoreKind::importance, 5, 777, 2, random_);
            values.scores[random_() % values.scores.size()] = bad;
            values.scores[random_() % values.scores.size()] = bad;
            const std::string wrong = disagreement(values);
            QVERIFY2(wrong.empty(), wrong.c_str());
        }
    }
};

KEEPSET_TEST(TestSelectCuda)
#include "tst_select_cuda.moc"
