#include "ui/attention_drawing.h"

#include "ui/session.h"

#include <algorithm>

namespace keepset::ui {

namespace {

    /// Up to here the whole map is made behind what is looked at, so that zooming out finds something.
    constexpr std::int64_t mostBackdropTokens = 16384;

    double area(const AttentionMap& map)
    {
        return static_cast<double>(map.request.query_end - map.request.query_begin)
            * static_cast<double>(map.request.key_end - map.request.key_begin);
    }

} // namespace

bool sameHead(const AttentionMapRequest& a, const AttentionMapRequest& b)
{
    return a.layer == b.layer && a.head == b.head && a.reduction == b.reduction;
}

AttentionDrawing::AttentionDrawing(Session* session, QObject* parent)
    : QObject(parent)
    , session_(session)
{
    connect(session_, &Session::attentionDrawn, this, &AttentionDrawing::take);
    connect(session_, &Session::attentionProgressed, this, [this](double share) {
        progress_ = share;
        Q_EMIT progressed();
    });
    connect(session_, &Session::attentionEnded, this, [this] {
        if (!wanted_)
            return;
        wanted_.reset(); // it failed: the window says so
        Q_EMIT changed();
    });
}

void AttentionDrawing::setAnalysis(std::shared_ptr<const Analysis> analysis)
{
    analysis_ = std::move(analysis);
    tiles_.clear();
    wanted_.reset();
    Q_EMIT changed();
}

void AttentionDrawing::look(const AttentionMapRequest& like, const MapView& view, QSize pixels)
{
    if (!analysis_ || !analysis_->attention || analysis_->context == 0)
        return;
    const std::int64_t context = analysis_->context;
    view_ = plot::requestFor(view, context, pixels, like);
    whole_ = plot::requestFor(wholeMap({ context, context }), context, pixels, like);
    fill();
}

/// What is looked at first, then what lies behind it.
void AttentionDrawing::fill()
{
    const auto served = [this](const auto& tile) { return plot::serves(*tile, view_); };
    const auto tile = std::find_if(tiles_.begin(), tiles_.end(), served);
    if (tile == tiles_.end())
        return request(view_);
    tiles_.erase(tile + 1, tiles_.end()); // a finer patch on all that is looked at would only be a patch
    if (wanted_ && *wanted_ != whole_)
        wanted_.reset(); // what is looked at is there
    if (!wanted_ && analysis_->context <= mostBackdropTokens && !plot::serves(*tiles_.front(), whole_))
        return request(whole_);
    Q_EMIT changed();
}

void AttentionDrawing::request(const AttentionMapRequest& request)
{
    if (wanted_ == request)
        return;
    wanted_ = request;
    progress_ = 0;
    session_->drawAttention(analysis_, request);
    Q_EMIT changed();
}

void AttentionDrawing::take(
    const std::shared_ptr<const Analysis>& analysis, const std::shared_ptr<const AttentionMap>& map)
{
    if (analysis != analysis_ || !wanted_ || map->request != *wanted_)
        return;
    wanted_.reset();
    place(map);
    fill();
    Q_EMIT drawn();
}

/// The largest map so far lies behind the newest, or the newest behind the finer one it was made for.
void AttentionDrawing::place(const std::shared_ptr<const AttentionMap>& map)
{
    if (!tiles_.empty() && !sameHead(tiles_.front()->request, map->request))
        tiles_.clear();
    if (!tiles_.empty() && area(*tiles_.front()) > area(*map)) {
        tiles_ = { tiles_.front(), map };
        return;
    }
    const bool behind = !tiles_.empty() && area(*tiles_.back()) < area(*map);
    tiles_ = behind ? plot::AttentionTiles { map, tiles_.back() } : plot::AttentionTiles { map };
}

} // namespace keepset::ui
