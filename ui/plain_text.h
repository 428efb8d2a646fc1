#pragma once

#include <QString>

namespace keepset::ui {

/// A tool tip that shows `text` as it is, also where it looks like HTML, which Qt would otherwise obey.
QString literalToolTip(const QString& text);

} // namespace keepset::ui
