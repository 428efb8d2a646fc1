#pragma once

#include <QElapsedTimer>

#include <optional>
#include <vector>

namespace keepset::ui {

/// The views that were looked at before. Notches of the wheel that follow one another are one step.
template <typename View> class ZoomHistory {
public:
    void push(const View& before)
    {
        add(before);
        turn_.invalidate();
    }
    void pushNotch(const View& before)
    {
        if (views_.empty() || !turn_.isValid() || turn_.elapsed() > sameTurnMs)
            add(before);
        turn_.start();
    }
    /// The view before, which is forgotten.
    std::optional<View> back()
    {
        if (views_.empty())
            return std::nullopt;
        const View before = views_.back();
        views_.pop_back();
        turn_.invalidate();
        return before;
    }
    void clear() { views_.clear(); }
    bool empty() const { return views_.empty(); }
    /// The whole is another one by now.
    void setWhole(const View& whole) { views_.front() = whole; }

private:
    static constexpr qint64 sameTurnMs = 700;
    static constexpr std::size_t longest = 100;

    void add(const View& before)
    {
        if (views_.size() == longest)
            views_.erase(views_.begin() + 1); // the first is the whole
        views_.push_back(before);
    }

    std::vector<View> views_;
    QElapsedTimer turn_; ///< since the last notch
};

} // namespace keepset::ui
