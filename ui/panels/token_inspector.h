#pragma once

#include "core/selection.h"
#include "core/token_readers.h"

#include <QWidget>

#include <array>
#include <memory>
#include <optional>

class QLabel;
class QVBoxLayout;

namespace keepset::ui {

class KeepSetState;
class LabelMap;
class RowState;
class SelectionState;
class Session;
class WrappedLabel;

/// Everything about the chosen token: its numbers, why each policy keeps or evicts it, and its label in every layer and
/// kv head.
class TokenInspector : public QWidget {
    Q_OBJECT

public:
    TokenInspector(
        SelectionState* selection, RowState* rows, KeepSetState* keepSets, Session* session, QWidget* parent = nullptr);

protected:
    void changeEvent(QEvent* event) override;

private:
    struct Side {
        WrappedLabel* why = nullptr;
        QLabel* mapTitle = nullptr;
        LabelMap* map = nullptr;
        QLabel* keptName = nullptr;
        QLabel* kept = nullptr;
    };
    void build();
    void addReaders(QVBoxLayout* inner);
    void addMaps(QVBoxLayout* inner);
    void showToken();
    void showSide(int index, const std::optional<Explanation>& why);
    void showMap(int side);
    void needKeepSets();
    void requestReaders();
    void showReaders();

    SelectionState* selection_;
    RowState* rows_;
    KeepSetState* keepSets_;
    Session* session_;
    QWidget* details_ = nullptr;
    QLabel* hint_ = nullptr;
    QLabel* text_ = nullptr;
    QLabel* position_ = nullptr;
    QLabel* identity_ = nullptr;
    QLabel* importance_ = nullptr;
    QLabel* rank_ = nullptr;
    QLabel* cutOffName_ = nullptr;
    QLabel* cutOff_ = nullptr;
    WrappedLabel* readers_ = nullptr; ///< its links choose the tokens
    std::optional<TokenReaders> found_; ///< what it shows, if it does
    std::array<Side, 2> sides_;
};

} // namespace keepset::ui
