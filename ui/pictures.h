#pragma once

#include <QString>

class QApplication;
class QPixmap;
class QWidget;

namespace keepset::ui {

struct StartRequest;

/// Pictures of the window at work, for the README and for machines without a display: every page, light and dark, at
/// one and two pixels a point. Opens what is asked for (nothing: the demo), sweeps shortly where no run is opened, and
/// writes PNG files into `folder`. Returns the exit status; says on stderr what went wrong.
int takePictures(QApplication& application, const StartRequest& request, const QString& folder);

/// A picture of a widget at `scale` pixels a point, drawn at that resolution.
QPixmap pictureOf(QWidget* widget, int scale);

} // namespace keepset::ui
