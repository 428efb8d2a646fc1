#include "core/audit_places.h"
#include "core/engine.h"
#include "tests/support/test_main.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <clocale>
#include <cmath>
#include <ctime>
#include <fstream>

using namespace keepset;

namespace {

ImportedTable table_of(const QByteArray& bytes)
{
    const QTemporaryDir folder;
    const std::string path = (folder.path() + "/table.csv").toStdString();
    std::ofstream(path, std::ios::binary).write(bytes.data(), bytes.size());
    return import_table(path);
}

/// What is said of a table that is refused; empty where it is read.
QString refusal_of(const QByteArray& bytes)
{
    try {
        table_of(bytes);
    } catch (const Error& error) {
        return error.kind() == ErrorKind::input ? QString::fromStdString(error.sentence()) : QStringLiteral("kind");
    }
    return {};
}

QByteArray utf16(const QString& text, bool big_endian)
{
    QByteArray bytes = big_endian ? QByteArray("\xFE\xFF", 2) : QByteArray("\xFF\xFE", 2);
    for (const QChar unit : text) {
        const char low = static_cast<char>(unit.unicode() & 0xFF);
        const char high = static_cast<char>(unit.unicode() >> 8);
        bytes += big_endian ? high : low;
        bytes += big_endian ? low : high;
    }
    return bytes;
}

Check check_of(const QByteArray& bytes, const std::string& name)
{
    for (const Check& check : audit(table_of(bytes)).checks) {
        if (check.name == name)
            return check;
    }
    return {};
}

} // namespace

/// Tables of other people: read right where they say one thing, else one sentence about what is meant.
class TestImportTable : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tables_of_spreadsheets_are_read_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        const QString plain = "method,sparsity,perplexity\ndense,0,10.5\nh2o,0.9,12.25\n";
        QTest::newRow("plain") << plain.toUtf8();
        QTest::newRow("BOM") << QByteArray("\xEF\xBB\xBF") + plain.toUtf8();
        QTest::newRow("UTF-16, little endian") << utf16(plain, false);
        QTest::newRow("UTF-16, big endian") << utf16(plain, true);
        QTest::newRow("semicolons") << QByteArray("method;sparsity;perplexity\ndense;0;10.5\nh2o;0.9;12.25\n");
        QTest::newRow("semicolons and decimal commas")
            << QByteArray("method;sparsity;perplexity\r\ndense;0;10,5\r\nh2o;0,9;12,25\r\n");
        QTest::newRow("three decimals with a comma")
            << QByteArray("method;sparsity;perplexity\ndense;0;10,500\nh2o;0,9;12,250\n");
        QTest::newRow("quoted decimal commas")
            << QByteArray("method,sparsity,perplexity\ndense,0,\"10,5\"\nh2o,\"0,9\",\"12,25\"\n");
        QTest::newRow("sep=;") << QByteArray("sep=;\nmethod;sparsity;perplexity\ndense;0;10,5\nh2o;0,9;12,25\n");
        QTest::newRow("sep=,") << QByteArray("SEP=,\r\nmethod,sparsity,perplexity\r\ndense,0,10.5\r\nh2o,0.9,12.25");
        QTest::newRow("sep=|") << QByteArray("sep=|\nmethod|sparsity|perplexity\ndense|0|10.5\nh2o|0.9|12.25\n");
        QTest::newRow("tabs") << QByteArray("method\tsparsity\tperplexity\ndense\t0\t10.5\nh2o\t0.9\t12.25\n");
        QTest::newRow("units in the header")
            << QByteArray("Method , Sparsity (%) , PPL\ndense , 0 , 10.5\nh2o , 90 , 12.25\n");
        QTest::newRow("signs beside plain percents")
            << QByteArray("policy,sparsity,ppl\ndense,0,10.5\nh2o,90 %,12.25\nh2o,50,11\n");
        QTest::newRow("a no-break space before the sign")
            << QByteArray("method,sparsity,perplexity\ndense,0\xC2\xA0%,10.5\nh2o,90\xE2\x80\xAF%,12.25\n");
        QTest::newRow("kvpress") << QByteArray("method,compression_ratio,perplexity\ndense,0,10.5\nh2o,0.9,12.25\n");
        QTest::newRow("empty rows below") << plain.toUtf8() + ",,\n , ,\n";
        QTest::newRow("a quoted line break")
            << QByteArray("method,note,sparsity,perplexity\r\ndense,\"a\r\n\"\"b\"\"; c\",0,10.5\r\nh2o,,0.9,12.25");
    }
    void tables_of_spreadsheets_are_read()
    {
        QFETCH(QByteArray, bytes);
        QCOMPARE(refusal_of(bytes), QString());
        const ImportedTable table = table_of(bytes);
        QVERIFY(table.rows.size() >= 2);
        QCOMPARE(table.rows[0].method, std::string("dense"));
        QCOMPARE(table.rows[0].sparsity, 0.0);
        QCOMPARE(table.rows[0].perplexity, 10.5);
        QCOMPARE(table.rows[1].method, std::string("h2o"));
        QCOMPARE(table.rows[1].sparsity, 0.9);
        QCOMPARE(table.rows[1].perplexity, 12.25);
    }

    void what_may_mean_two_things_is_asked_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("words");
        const QByteArray header = "method,sparsity,perplexity\n";
        QTest::newRow("a share beside a percent sign")
            << header + "dense,0,10\nh2o,0.5,11\nh2o,90%,13\n"
            << "line 3: the sparsity 0.5 may be a share or a percentage: line 4 has 90%. Write every sparsity as";
        QTest::newRow("a share beside a number above 1")
            << header + "h2o,0,10\nh2o,0.5,11\nh2o,1,13\nh2o,5,14\n"
            << "line 3: the sparsity 0.5 may be a share or a percentage: line 5 has 5.";
        QTest::newRow("shares under a header in percent")
            << QByteArray("method,sparsity (%),perplexity\nh2o,0.5,10\nh2o,0.9,11\n")
            << "line 2: the header says percent, and no sparsity is above 1: is 0.5 a share or 0.5%?";
        QTest::newRow("the kept share by its name")
            << QByteArray("method,kept,perplexity\nh2o,0.5,10\n")
            << "no column 'sparsity'; found: 'method', 'kept', 'perplexity'. Sparsity is the share that is evicted: "
               "where 'kept' is the share kept, write 1 minus it.";
        QTest::newRow("keep_ratio") << QByteArray("method,keep_ratio,ppl\nh2o,0.5,10\n") << "where 'keep_ratio' is the";
        QTest::newRow("everything kept") << header + "dense,1.0,10\nh2o,0.5,11\n"
                                         << "line 2: the sparsity 1 is out of range, from 0 to below 1. Sparsity is "
                                            "the share that is evicted: where the column is the share kept";
        QTest::newRow("thousands or decimals") << header + "h2o,50,\"1,234\"\n"
                                               << "'1,234' may be thousands or have a decimal comma";
        QTest::newRow("thousands beside decimal points") << header + "h2o,0.5,\"1,234\"\n"
                                                         << "'1,234' and '0.5' have different decimal marks";
        QTest::newRow("thousands and decimals") << header + "h2o,0.5,\"1,234.5\"\n"
                                                << "line 2: the perplexity '1,234.5' is not a number as it stands: "
                                                   "write it without thousands separators.";
        QTest::newRow("two decimal marks") << QByteArray("method;sparsity;perplexity\na;0,5;10,5\nb;0,5;1.234\n")
                                           << "'0,5' and '1.234' have different decimal marks";
        QTest::newRow("decimal commas between commas")
            << header + "dense,0,10,5\n"
            << "line 2: 4 fields where the header has 3. Where numbers have a decimal comma, put them in quotes";
        QTest::newRow("repeated with a seed")
            << QByteArray("method,seed,sparsity,perplexity\nh2o,1,0.5,11\nh2o,2,0.5,11.1\n")
            << "line 3: 'h2o' at this sparsity was already given in line 2. The column 'seed' is not read: keep one "
               "row for each method and sparsity, such as the mean, or write the seed into the method's name.";
        QTest::newRow("repeated as percent and share") << header + "h2o,50%,11\nh2o,50.0%,12\n"
                                                       << "already given in line 2";
        QTest::newRow("several rows without a number")
            << header + "a,0,1\nb,0.5,OOM\nc,x,3\nd,0.5,-\ne,0.5,\nf,0.5,n/a\n"
            << "line 3: the perplexity 'OOM' is not a number; line 4: the sparsity 'x' is not a number; line 5: the "
               "perplexity '-' is not a number; and 2 more lines.";
        QTest::newRow("UTF-16 without its mark")
            << utf16("method,sparsity,perplexity\n", false).mid(2) << "is not a text file in UTF-8 or UTF-16";
        QTest::newRow("half a unit") << utf16("method", false) + "x"
                                     << "is not a text file in UTF-8 or UTF-16";
        QTest::newRow("no separator") << QByteArray("method sparsity perplexity\na 0 1\n")
                                      << "separated by commas, semicolons or tabs";
    }
    void what_may_mean_two_things_is_asked()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, words);
        const QString refusal = refusal_of(bytes);
        QVERIFY2(refusal.contains(words), qPrintable(refusal));
    }

    void a_table_in_which_every_curve_falls_is_asked_whether_it_has_the_kept_share()
    {
        const QByteArray header = "method,sparsity,perplexity\n";
        const Check kept
            = check_of(header + "h2o,0.1,60\nh2o,0.5,20\nh2o,0.9,11\ncab,0.1,50\ncab,0.9,10.5\n", "monotone");
        QVERIFY(kept.status == CheckStatus::warning);
        QVERIFY2(kept.detail.find("share that is KEPT?") != std::string::npos
                && kept.detail.find("H2O from 10% to 50%") != std::string::npos,
            kept.detail.c_str());
        const Check one_rises = check_of(header + "h2o,0.1,60\nh2o,0.9,11\ncab,0.1,10\ncab,0.9,50\n", "monotone");
        QVERIFY(one_rises.status == CheckStatus::warning);
        QVERIFY2(one_rises.detail.find("KEPT") == std::string::npos, one_rises.detail.c_str());
    }

    void every_row_that_is_not_finite_is_named()
    {
        const QByteArray header = "method,sparsity,perplexity\n";
        const auto detail = [&](const QByteArray& rows) {
            const Check check = check_of(header + rows, "finite");
            return check.status == CheckStatus::fail ? QString::fromStdString(check.detail) : QString();
        };
        QVERIFY(detail("h2o,0.5,inf\n").startsWith("The perplexity of H2O at 50% is no finite number"));
        QVERIFY(detail("h2o,0.5,inf\ncab,0.9,nan\n")
                    .startsWith("The perplexities of H2O at 50% and CAB at 90% are no finite numbers"));
        QVERIFY(detail("a,.1,inf\na,.2,nan\na,.3,-inf\na,.4,Infinity\na,.5,NaN\nb,.5,3\n")
                    .startsWith("The perplexities of a at 10%, a at 20%, a at 30% and 2 more rows are"));
    }

    void numbers_mean_the_same_in_every_locale()
    {
        const std::string before = std::setlocale(LC_ALL, nullptr);
        bool found = false;
        for (const char* name : { "de_DE.UTF-8", "fr_FR.UTF-8", "ru_RU.UTF-8" })
            found = found || std::setlocale(LC_ALL, name) != nullptr;
        const ImportedTable table = table_of("method,sparsity,perplexity\nh2o,0.5,9.75\n");
        std::setlocale(LC_ALL, before.c_str());
        QCOMPARE(table.rows[0].sparsity, 0.5);
        QCOMPARE(table.rows[0].perplexity, 9.75);
        if (!found)
            QSKIP("no locale with a decimal comma is installed; read under the present one");
    }

    void a_large_table_takes_time_in_proportion_to_its_rows()
    {
        const auto processor_time = [](int rows) {
            QByteArray bytes = "method,sparsity,perplexity\n";
            for (int row = 0; row < rows; ++row)
                bytes += "random(seed=" + QByteArray::number(row / 10) + "),0." + QByteArray::number(row % 10) + ",9\n";
            const std::clock_t begin = std::clock(); // other work may share the machine
            table_of(bytes);
            return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
        };
        const double small = std::min({ processor_time(5'000), processor_time(5'000), processor_time(5'000) });
        const double large = processor_time(80'000); // 16 times the rows: quadratic would be 256 times the time
        QVERIFY2(large < 64 * small, qPrintable(QString("%1 s, %2 s").arg(small).arg(large)));
    }

    void curves_ascend_and_dense_is_a_line_of_its_own()
    {
        const ImportedTable table
            = table_of("method,sparsity,perplexity\nh2o,0.9,12\ncab,0.5,9\nFull,0,8\nh2o,0.5,9.5\n");
        const std::vector<ImportedCurve> curves = curves_of(table);
        QCOMPARE(curves.size(), std::size_t { 2 });
        QCOMPARE(curves[0].method, std::string("h2o"));
        QCOMPARE(curves[0].rows[0].sparsity, 0.5);
        QCOMPARE(curves[0].rows[1].perplexity, 12.0);
        QCOMPARE(curves[1].rows.size(), std::size_t { 1 });
        QCOMPARE(dense_perplexity(table), 8.0);
        QVERIFY(std::isnan(dense_perplexity(table_of("method,sparsity,perplexity\nh2o,0.5,9\n"))));
    }

    void what_the_audit_finds_has_its_place()
    {
        // Baseline: cab at 0. Distinct: cab and h2o at both sparsities. Monotone: recent falls to 0.9.
        const ImportedTable table = table_of("method,sparsity,perplexity\ndense,0,8\nh2o,0,8\ncab,0,9.5\nh2o,0.5,10\n"
                                             "cab,0.5,10\nh2o,0.9,12\ncab,0.9,12\nrecent,0.5,20\nrecent,0.9,19\n");
        const std::vector<AuditPlace> expected { { "baseline", CheckStatus::fail, "cab", 0 },
            { "distinct", CheckStatus::fail, "h2o", 0.5 }, { "distinct", CheckStatus::fail, "cab", 0.5 },
            { "distinct", CheckStatus::fail, "h2o", 0.9 }, { "distinct", CheckStatus::fail, "cab", 0.9 },
            { "monotone", CheckStatus::warning, "recent", 0.9 } };
        QCOMPARE(places_of(table), expected);
        QVERIFY(
            places_of(table_of("method,sparsity,perplexity\ndense,0,8\nh2o,0,8\nh2o,0.5,9\ncab,0.5,9.5\n")).empty());
        QVERIFY(places_of(table_of("method,sparsity,perplexity\ndense,0,8\nh2o,0,nan\nh2o,0.5,9\n")).empty());
    }
};

KEEPSET_TEST(TestImportTable)
#include "tst_import_table.moc"
