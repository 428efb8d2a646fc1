#include "tests/app/run_results.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>

/// A sweep shared by several commands, and its files put together.
class TestCliShards : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;

    QString in(const QString& name) const { return folder_.filePath(name); }
    cli::Result sweep(const QStringList& more) const
    {
        return cli::run(QStringList { "sweep", cli::tiny_model(), "--text", cli::demo_text(), "--context", "64",
                            "--target", "16", "--windows", "7", "--policies", "h2o,random", "--sparsity", "0.5,0.9",
                            "--threads", "1", "--quiet", "--per-token" }
            + more);
    }

private Q_SLOTS:
    void initTestCase()
    {
        const cli::Result whole = sweep({ "--out", in("whole.h5") });
        QVERIFY2(whole.status == 0, whole.text());
        for (const QString shard : { "1", "2", "3" }) {
            const cli::Result part = sweep({ "--shard", shard + "/3", "--out", in(shard + ".h5") });
            QVERIFY2(part.status == 0, part.text());
            const auto told = QByteArray(shard == "1" ? "3 of 3" : "2 of 2") + " windows of shard " + shard.toUtf8();
            QVERIFY2(part.out.contains(told + "/3"), part.text());
        }
    }

    void shards_put_together_are_the_whole_sweep()
    {
        const cli::Result merged = cli::run({ "merge", in("3.h5"), in("1.h5"), in("2.h5"), "--out", in("merged.h5") });
        QVERIFY2(merged.status == 0 && merged.err.isEmpty(), merged.text());
        QVERIFY2(merged.out.contains("7 of 7 windows\n"), merged.text());
        QVERIFY(cli::results(in("merged.h5")) == cli::results(in("whole.h5")));
        const cli::Result audited = cli::run({ "audit", in("merged.h5") });
        QVERIFY2(audited.status == 0, audited.text());
    }

    void a_missing_shard_is_told_and_can_be_done_by_going_on()
    {
        const cli::Result part = cli::run({ "merge", in("1.h5"), in("3.h5"), "--out", in("part.h5") });
        QVERIFY2(
            part.status == 0 && part.said("5 of 7 windows are there; sweep --resume does the others"), part.text());
        const cli::Result rest = sweep({ "--out", in("part.h5"), "--resume" });
        QVERIFY2(rest.status == 0, rest.text());
        QVERIFY(cli::results(in("part.h5")) == cli::results(in("whole.h5")));
    }

    void a_shard_is_gone_on_with_as_the_same_shard_only()
    {
        const cli::Result other = sweep({ "--out", in("2.h5"), "--resume", "--shard", "3/3" });
        QVERIFY2(other.status == 2 && other.said("the shard is 2/3 in the file and 3/3 here"), other.text());
        const cli::Result same = sweep({ "--out", in("2.h5"), "--resume", "--shard", "2/3" });
        QVERIFY2(same.status == 0, same.text());
    }

    void what_is_no_shard_is_refused_data()
    {
        QTest::addColumn<QString>("shard");
        QTest::addColumn<QString>("said");
        QTest::newRow("one number") << "2"
                                    << "must be I/N, such as 2/8, not '2'";
        QTest::newRow("0") << "0/3"
                           << "positive whole number, not '0'";
        QTest::newRow("none") << "1/0"
                              << "positive whole number, not '0'";
        QTest::newRow("beyond") << "4/3"
                                << "there is no shard 4 of 3";
        QTest::newRow("words") << "a/b"
                               << "positive whole number, not 'a'";
        QTest::newRow("three") << "1/2/3"
                               << "positive whole number, not '2/3'";
        QTest::newRow("more than windows") << "8/8"
                                           << "Shard 8/8 has no window: there are 7 windows in all";
    }

    void what_is_no_shard_is_refused()
    {
        QFETCH(QString, shard);
        QFETCH(QString, said);
        const cli::Result refused = sweep({ "--shard", shard, "--out", in("refused.h5") });
        QVERIFY2(refused.status == 2 && refused.is_one_sentence() && refused.said(said), refused.text());
        QVERIFY(!QFile::exists(in("refused.h5")));
    }

    void files_that_cannot_be_put_together_are_left_as_they_are()
    {
        const QByteArray before = cli::read(in("1.h5"));
        const cli::Result onto = cli::run({ "merge", in("1.h5"), in("2.h5"), "--out", in("1.h5"), "--force" });
        QVERIFY2(onto.status == 2 && onto.is_one_sentence(), onto.text());
        const cli::Result there = cli::run({ "merge", in("1.h5"), "--out", in("2.h5") });
        QVERIFY2(there.status == 2 && there.is_one_sentence(), there.text());
        const cli::Result none = cli::run({ "merge", in("1.h5"), in("none.h5"), "--out", in("x.h5") });
        QVERIFY2(none.status == 3 && none.is_one_sentence() && none.said("none.h5"), none.text());
        const cli::Result table = cli::run({ "merge", in("1.h5"), cli::demo_text(), "--out", in("x.h5") });
        QVERIFY2(table.status == 3 && table.is_one_sentence() && table.said("demo.txt"), table.text());
        QVERIFY(cli::read(in("1.h5")) == before && !QFile::exists(in("x.h5")));
    }
};

KEEPSET_TEST(TestCliShards)
#include "tst_cli_shards.moc"
