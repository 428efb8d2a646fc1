#include "tests/support/test_main.h"

#include <QTest>
#ifdef QT_WIDGETS_LIB
#include <QApplication>
using Application = QApplication;
#else
#include <QCoreApplication>
using Application = QCoreApplication;
#endif

#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace {

using keepset::testing::TestFactory;

// Filled before main by the test files; a function's static, because their order is not known.
std::map<std::string, TestFactory>& entries()
{
    static std::map<std::string, TestFactory> entries;
    return entries;
}

int list_tests()
{
    std::printf("One of these, then Qt Test's functions and options (-help):\n");
    for (const auto& entry : entries()) {
        std::printf("%s\n", entry.first.c_str());
    }
    return 2;
}

} // namespace

keepset::testing::TestEntry::TestEntry(const char* file, TestFactory factory)
{
    entries().emplace(std::filesystem::path(file).stem().string(), factory);
}

int main(int argc, char** argv)
{
    const auto entry = argc > 1 ? entries().find(argv[1]) : entries().end();
    if (entry == entries().end()) {
        return list_tests();
    }
    // Qt Test sees the arguments without the name.
    std::vector<char*> arguments { argv[0] };
    arguments.insert(arguments.end(), argv + 2, argv + argc + 1);
    int count = argc - 1;
    const Application application(count, arguments.data());
#ifdef QT_WIDGETS_LIB
    QCoreApplication::setAttribute(Qt::AA_Use96Dpi);
#endif
    const auto test = entry->second();
    return QTest::qExec(test.get(), count, arguments.data());
}
