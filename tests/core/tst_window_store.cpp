#include "core/sweep/window_store.h"
#include "tests/support/free_port.h"
#include "tests/support/test_main.h"

#include <QtTest>

using namespace keepset;

namespace {

GroupPlace place_of(int rank, int port)
{
    GroupPlace place;
    place.rank = rank;
    place.size = 2;
    place.host = "127.0.0.1";
    place.port = port;
    return place;
}

} // namespace

/// What the processes of a group tell one another.
class TestWindowStore : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_window_that_never_comes_holds_up_no_other()
    {
        const int port = free_port();
        WindowStore first(place_of(0, port), {});
        WindowStore second(place_of(1, port), {});
        first.publish({ 1 }, { 4, 5, 6 });
        QCOMPARE(second.take(), 0); // and nothing more is heard of it for long
        QCOMPARE(first.take(), 1);
        QVERIFY(first.arrived().empty());
        first.hand_in(1, { 11 });
        QCOMPARE(first.arrived(), std::vector<WindowStore::Bytes>({ { 11 } }));
        QCOMPARE(first.take(), 2);
        first.hand_in(2, { 12 });
        second.hand_in(0, { 10 });
        QCOMPARE(first.arrived(), std::vector<WindowStore::Bytes>({ { 10 }, { 12 } }));
        QVERIFY(first.arrived().empty());
    }
};

KEEPSET_TEST(TestWindowStore)
#include "tst_window_store.moc"
