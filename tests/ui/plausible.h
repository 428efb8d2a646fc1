#pragma once

#include "core/analysis.h"
#include "core/run.h"

#include <QWidget>

#include <memory>
#include <string>

/// Plain results that look like real ones, for tests of pages, and pictures of widgets.
namespace keepset::test {

/// Layers × heads × context with a first token that holds most, a few heavy hitters and a slope; every row sums to
/// context.
std::shared_ptr<const Analysis> plausibleAnalysis(std::int64_t layers, std::int64_t heads, std::int64_t context);
/// dense, h2o, cab, the control, streaming-llm and recent over five sparsities; `done` of 8 windows have values.
std::shared_ptr<const Run> plausibleRun(std::int64_t done = 8);
/// Saves the widget as <build>/pictures/<name>-{light,dark}-{1x,2x}.png. The application's theme stays light.
void savePictures(QWidget& widget, const std::string& name);

} // namespace keepset::test
