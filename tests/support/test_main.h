// One test program a folder: a test file ends with KEEPSET_TEST(TestThing) where QTEST_GUILESS_MAIN would stand, and
// its class runs under the file's name:   tst_core tst_policy [functions and options of Qt Test]
#pragma once

#include <QObject>

#include <memory>

namespace keepset::testing {

/// Makes a fresh object of a test class.
using TestFactory = std::unique_ptr<QObject> (*)();

/// Enters a class into its program under the name of the file it stands in, without folder and ending.
struct TestEntry {
    TestEntry(const char* file, TestFactory factory);
};

} // namespace keepset::testing

#define KEEPSET_TEST(Class)                                                                                            \
    namespace {                                                                                                        \
        const keepset::testing::TestEntry entry_of_##Class(                                                            \
            __FILE__, []() -> std::unique_ptr<QObject> { return std::make_unique<Class>(); });                         \
    }
