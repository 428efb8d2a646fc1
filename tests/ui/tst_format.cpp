#include "tests/support/test_main.h"
#include "ui/format.h"

#include <QTest>

#include <limits>

using namespace keepset::ui;

class TestFormat : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void counts_have_thousands_separators()
    {
        QCOMPARE(formatCount(0), QStringLiteral("0"));
        QCOMPARE(formatCount(999), QStringLiteral("999"));
        QCOMPARE(formatCount(1024), QStringLiteral("1,024"));
        QCOMPARE(formatCount(-1234567), QStringLiteral("-1,234,567"));
    }

    void shares_become_percent()
    {
        QCOMPARE(formatPercent(0.618), QStringLiteral("61.8%"));
        QCOMPARE(formatPercent(0.8, 0), QStringLiteral("80%"));
        QCOMPARE(formatPercent(1), QStringLiteral("100.0%"));
        QCOMPARE(formatPercent(std::numeric_limits<double>::quiet_NaN()), QStringLiteral("–"));
    }

    void significant_digits_survive_every_size_data()
    {
        QTest::addColumn<double>("value");
        QTest::addColumn<QString>("shown");
        QTest::newRow("zero") << 0.0 << "0";
        QTest::newRow("small share") << 0.4856 << "0.486";
        QTest::newRow("rounds up to the next power") << 9.996 << "10.0";
        QTest::newRow("hundreds") << 212.67 << "213";
        QTest::newRow("thousands") << 1023.7 << "1,024";
        QTest::newRow("tiny") << 1.2345e-5 << "1.2e-05";
        QTest::newRow("negative") << -0.05 << "-0.0500";
        QTest::newRow("infinity") << std::numeric_limits<double>::infinity() << "–";
    }
    void significant_digits_survive_every_size()
    {
        QFETCH(double, value);
        QFETCH(QString, shown);
        QCOMPARE(formatSignificant(value), shown);
    }

    void durations_change_units_where_people_do()
    {
        QCOMPARE(formatDuration(0.42), QStringLiteral("0.4 s"));
        QCOMPARE(formatDuration(9.97), QStringLiteral("10 s"));
        QCOMPARE(formatDuration(59.7), QStringLiteral("1 min 00 s"));
        QCOMPARE(formatDuration(185), QStringLiteral("3 min 05 s"));
        QCOMPARE(formatDuration(7800), QStringLiteral("2 h 10 min"));
        QCOMPARE(formatDuration(-1), QStringLiteral("–"));
        QCOMPARE(formatDuration(std::numeric_limits<double>::quiet_NaN()), QStringLiteral("–"));
    }

    void bytes_are_decimal()
    {
        QCOMPARE(formatBytes(0), QStringLiteral("0 B"));
        QCOMPARE(formatBytes(999), QStringLiteral("999 B"));
        QCOMPARE(formatBytes(25086408), QStringLiteral("25 MB"));
        QCOMPARE(formatBytes(999999), QStringLiteral("1.0 MB"));
        QCOMPARE(formatBytes(1300000000), QStringLiteral("1.3 GB"));
    }

    void parameters_are_rounded_like_model_names()
    {
        QCOMPARE(formatParameters(134515008), QStringLiteral("135 M"));
        QCOMPARE(formatParameters(1236000000), QStringLiteral("1.24 B"));
        QCOMPARE(formatParameters(1234), QStringLiteral("1,234"));
    }

    void tokens_show_what_cannot_be_seen()
    {
        QCOMPARE(formatToken(QStringLiteral(" various")), QStringLiteral("“various”"));
        QCOMPARE(formatToken(QStringLiteral("  ")), QStringLiteral("“␣␣”"));
        QCOMPARE(formatToken(QStringLiteral("\n\n")), QStringLiteral("“↵↵”"));
        QCOMPARE(formatToken(QString(QChar(0x07))), QStringLiteral("“\uFFFD”"));
    }
};

KEEPSET_TEST(TestFormat)
#include "tst_format.moc"
