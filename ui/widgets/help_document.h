#pragma once

class QTextDocument;

namespace keepset::ui {

struct Theme;

/// Gives a page of the manual, read from Markdown, the space around its lines and the rules of its tables, which
/// Markdown leaves to the reader.
void layOutHelp(QTextDocument& document, const Theme& theme);

} // namespace keepset::ui
