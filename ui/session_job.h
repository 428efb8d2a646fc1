#pragma once

#include "ui/session.h"

#include <stop_token>

namespace keepset::ui {

/// A request on its way: inside of Session.
struct Session::Job {
    Kind kind;
    QString what; ///< phrase in the gerund
    std::stop_source stop;
    bool pausing = false; ///< stop when the next window is announced
};

} // namespace keepset::ui
