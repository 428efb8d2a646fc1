#pragma once

#include "ui/plot/attention_tiles.h"

#include <QObject>

#include <memory>
#include <optional>

namespace keepset::ui {

class Session;

/// Keeps the tiles of an attention map in step with what is looked at. They are made on the Session's drawing thread;
/// until a finer one is there the coarser one stays, and one that nobody looks at any more is dropped.
class AttentionDrawing : public QObject {
    Q_OBJECT

public:
    explicit AttentionDrawing(Session* session, QObject* parent = nullptr);

    /// Null: none. Tiles of the one before are dropped.
    void setAnalysis(std::shared_ptr<const Analysis> analysis);
    /// Layer, head and reduction of `like` are looked at, at a view shown with `pixels`: asks for what is missing.
    void look(const AttentionMapRequest& like, const MapView& view, QSize pixels);
    /// Of one layer, head and reduction, not always those looked at; the coarsest first; empty: none yet.
    const plot::AttentionTiles& tiles() const { return tiles_; }
    /// What is being made.
    const std::optional<AttentionMapRequest>& wanted() const { return wanted_; }
    /// Share of wanted() that is done.
    double progress() const { return progress_; }

Q_SIGNALS:
    void changed(); ///< of tiles() or wanted()
    void progressed();
    void drawn(); ///< a new tile is there

private:
    void fill();
    void request(const AttentionMapRequest& request);
    void take(const std::shared_ptr<const Analysis>& analysis, const std::shared_ptr<const AttentionMap>& map);
    void place(const std::shared_ptr<const AttentionMap>& map);

    Session* session_;
    std::shared_ptr<const Analysis> analysis_;
    plot::AttentionTiles tiles_;
    std::optional<AttentionMapRequest> wanted_;
    double progress_ = 0;
    AttentionMapRequest view_; ///< what is looked at
    AttentionMapRequest whole_; ///< all of it, as fine as the pixels
};

/// Whether two requests are of one layer, head and reduction.
bool sameHead(const AttentionMapRequest& a, const AttentionMapRequest& b);

} // namespace keepset::ui
