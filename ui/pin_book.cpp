#include "ui/pin_book.h"

#include "ui/selection_state.h"
#include "ui/settings.h"

namespace keepset::ui {

PinBook::PinBook(SelectionState* selection, QObject* parent)
    : QObject(parent)
    , selection_(selection)
{
}

const std::vector<Pin>& PinBook::pins() const { return selection_->pins(); }

void PinBook::setAnalysis(std::shared_ptr<const Analysis> analysis)
{
    before_.clear();
    analysis_ = std::move(analysis);
    kept_
        = analysis_ ? readMarks(QString::fromStdString(analysis_->provenance.text_sha256)) : std::vector<PinnedSpan>();
    std::vector<Pin> pins;
    for (const Pin& pin : analysis_ ? pins_in(analysis_->tokens, kept_) : std::vector<Pin>())
        pins = with_pin(std::move(pins), pin);
    selection_->setPins(std::move(pins));
}

void PinBook::mark(const std::vector<Pin>& spans)
{
    std::vector<Pin> pins = selection_->pins();
    for (const Pin& span : spans)
        pins = with_pin(std::move(pins), span);
    change(std::move(pins));
}

void PinBook::remove(std::size_t index)
{
    std::vector<Pin> pins = selection_->pins();
    if (index >= pins.size())
        return;
    pins.erase(pins.begin() + static_cast<std::ptrdiff_t>(index));
    change(std::move(pins));
}

void PinBook::clear() { change({}); }

void PinBook::undo()
{
    if (before_.empty())
        return;
    std::vector<Pin> pins = std::move(before_.back());
    before_.pop_back();
    take(std::move(pins));
}

void PinBook::change(std::vector<Pin> pins)
{
    if (!analysis_ || pins == selection_->pins())
        return;
    before_.push_back(selection_->pins());
    take(std::move(pins));
}

void PinBook::take(std::vector<Pin> pins)
{
    kept_ = spans_of(analysis_->tokens, pins, kept_);
    writeMarks(QString::fromStdString(analysis_->provenance.text_sha256), kept_);
    selection_->setPins(std::move(pins));
}

} // namespace keepset::ui

#include "moc_pin_book.cpp"
