#include "tests/core/file_errors.h"
#include "tests/core/trace_samples.h"
#include "tests/support/test_main.h"

#include <QtTest>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sys/resource.h>

using namespace keepset;

class TestTrace : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    std::filesystem::path in(const char* name) const { return folder_.filePath(name).toStdString(); }

private Q_SLOTS:
    void an_analysis_comes_back_equal_data()
    {
        QTest::addColumn<int>("context");
        QTest::addColumn<bool>("bare");
        QTest::newRow("one token") << 1 << false;
        QTest::newRow("two tokens, one of them a zero byte") << 2 << false;
        QTest::newRow("many tokens") << 300 << false;
        QTest::newRow("nothing optional") << 5 << true;
    }

    void an_analysis_comes_back_equal()
    {
        QFETCH(int, context);
        QFETCH(bool, bare);
        Analysis analysis = samples::analysis(context);
        if (bare) {
            analysis.keep_sets.clear();
            analysis.audit.checks.clear();
            analysis.provenance = {};
            analysis.text.clear();
            analysis.windows.clear();
            for (Token& token : analysis.tokens)
                token.text = "x";
        } else {
            analysis.keep_sets[1].kept_mass = not_a_number;
        }
        save(analysis, in("a.h5"), true);
        const auto back = load_analysis(in("a.h5"));
        QVERIFY(samples::same(analysis, *back));
        QCOMPARE(summary(in("a.h5")).kind, std::string("trace"));
        QVERIFY(samples::same(summary(in("a.h5")).provenance, analysis.provenance));
        QVERIFY(!std::filesystem::exists(in("a.h5.part")));
        QVERIFY(!std::filesystem::exists(in("a.h5.lock")));
    }

    void an_existing_file_is_kept_without_force()
    {
        save(samples::analysis(4), in("kept.h5"), false);
        const auto refused = errors::of([&] { save(samples::analysis(9), in("kept.h5"), false); });
        QVERIFY2(refused.is(ErrorKind::usage, "exists already"), refused.text());
        QVERIFY2(refused.is(ErrorKind::usage, "--force"), refused.text());
        QCOMPARE(load_analysis(in("kept.h5"))->context, 4);
        save(samples::analysis(9), in("kept.h5"), true);
        QCOMPARE(load_analysis(in("kept.h5"))->context, 9);
    }

    void a_place_that_cannot_hold_a_file_is_refused_by_name_data()
    {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QString>("said");
        QTest::newRow("folder") << folder_.path() << "is a folder";
        QTest::newRow("no folder") << folder_.filePath("none/x.h5") << "there is no folder";
        QTest::newRow("device") << QString("/dev/full") << "device or a pipe";
    }

    void a_place_that_cannot_hold_a_file_is_refused_by_name()
    {
        QFETCH(QString, file);
        QFETCH(QString, said);
        const auto refused = errors::of([&] { save(samples::analysis(4), file.toStdString(), true); });
        QVERIFY2(refused.is(ErrorKind::input, said.toStdString()), refused.text());
        QVERIFY2(refused.is(ErrorKind::input, file.toStdString()), refused.text());
    }

    void a_full_disk_keeps_what_was_there()
    {
        save(samples::analysis(4), in("full.h5"), true);
        const errors::SmallFiles limit(20000);
        const auto refused = errors::of([&] { save(samples::analysis(3000), in("full.h5"), true); });
        QVERIFY2(refused.is(ErrorKind::input, "full.h5"), refused.text());
        QVERIFY2(refused.is(ErrorKind::input, "as it was"), refused.text());
        const auto fresh = errors::of([&] { save(samples::analysis(3000), in("fresh.h5"), false); });
        QVERIFY2(fresh.is(ErrorKind::input, "Nothing was written"), fresh.text());
        QVERIFY(!std::filesystem::exists(in("fresh.h5")));
        QVERIFY(!std::filesystem::exists(in("full.h5.part")));
        QCOMPARE(load_analysis(in("full.h5"))->context, 4);
    }

    void contradicting_arrays_never_reach_a_file()
    {
        Analysis broken = samples::analysis(6);
        broken.importance.pop_back();
        const auto refused = errors::of([&] { save(broken, in("broken.h5"), true); });
        QVERIFY2(refused.is(ErrorKind::internal, "do not fit"), refused.text());
        QVERIFY(!std::filesystem::exists(in("broken.h5")));
    }

    void logits_are_a_trace_without_an_analysis()
    {
        LogitsResult logits { samples::provenance(), 2, 3, { { 1, 0, 1, "a" }, { 2, 1, 2, "b" } },
            { -1, -2, -3, -4, -5, -6 } };
        save(logits, in("logits.h5"), false);
        QCOMPARE(summary(in("logits.h5")).kind, std::string("trace"));
        const auto refused = errors::of([&] { load_analysis(in("logits.h5")); });
        QVERIFY2(refused.is(ErrorKind::input, "logits and no analysis"), refused.text());
    }

    void files_that_are_no_traces_are_refused_in_words()
    {
        const auto said = [](const std::filesystem::path& file) { return errors::of([&] { load_analysis(file); }); };
        std::ofstream(in("text.h5")) << "not an HDF5 file";
        std::ofstream(in("empty.h5")) << "";
        save(samples::run(2, 2, 1, false), in("run.h5"), true);
        QVERIFY2(said(in("none.h5")).is(ErrorKind::input, "no such file"), said(in("none.h5")).text());
        QVERIFY2(said(folder_.path().toStdString()).is(ErrorKind::input, "a folder"), "folder");
        QVERIFY2(said(in("text.h5")).is(ErrorKind::input, "not an HDF5 file"), said(in("text.h5")).text());
        QVERIFY2(said(in("empty.h5")).is(ErrorKind::input, "not an HDF5 file"), said(in("empty.h5")).text());
        QVERIFY2(said(in("run.h5")).is(ErrorKind::input, "a trace is needed"), said(in("run.h5")).text());
    }

    void a_cut_or_damaged_trace_never_crashes_and_names_the_file()
    {
        save(samples::analysis(40), in("whole.h5"), true);
        const std::string whole = errors::bytes_of(in("whole.h5"));
        int refused = 0;
        for (std::size_t step = 0; step < 200; ++step) {
            std::string bytes = whole;
            if (step % 2 == 0)
                bytes.resize(whole.size() * step / 200);
            else
                bytes[(step * 7919) % bytes.size()] ^= static_cast<char>(1U << (step % 8));
            std::ofstream(in("damaged.h5"), std::ios::binary) << bytes;
            const auto said = errors::of([&] { load_analysis(in("damaged.h5")); });
            QVERIFY2(said.none() || said.is(ErrorKind::input, "damaged.h5"), said.text());
            refused += said.none() ? 0 : 1;
        }
        QVERIFY2(refused >= 100, qPrintable(QString::number(refused))); // every cut one
    }
};

KEEPSET_TEST(TestTrace)
#include "tst_trace.moc"
