#pragma once

#include "tests/kernels/importance_case.h"

#include <QTest>

namespace keepset::kernels::test {

/// Rows "type" and "rows" for every way that the map and the bridges on CUDA take products.
inline void type_rows()
{
    QTest::addColumn<ElementType>("type");
    QTest::addColumn<Rows>("rows");
    QTest::newRow("float32") << ElementType::float32 << Rows::any;
    QTest::newRow("bfloat16, tensor cores") << ElementType::bfloat16 << Rows::aligned;
    QTest::newRow("float16, tensor cores") << ElementType::float16 << Rows::aligned;
    QTest::newRow("bfloat16, any rows") << ElementType::bfloat16 << Rows::any;
    QTest::newRow("float16, any rows") << ElementType::float16 << Rows::any;
}

} // namespace keepset::kernels::test
