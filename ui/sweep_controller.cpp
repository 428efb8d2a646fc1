#include "ui/sweep_controller.h"

#include "core/sweep_cost.h"
#include "ui/format.h"
#include "ui/pages/run_list.h"
#include "ui/pages/sweep_form.h"
#include "ui/pages/sweep_page.h"
#include "ui/selection_state.h"
#include "ui/session.h"
#include "ui/settings.h"
#include "ui/sweep_files.h"

#include <QClipboard>
#include <QFileInfo>
#include <QGuiApplication>
#include <QMessageBox>
#include <QPushButton>

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace keepset::ui {

SweepController::SweepController(
    Session* session, SweepPage* page, SelectionState* selection, std::function<std::int64_t()> offset, QWidget* window)
    : QObject(window)
    , session_(session)
    , page_(page)
    , form_(page->form())
    , selection_(selection)
    , offset_(std::move(offset))
    , window_(window)
    , follower_(session)
{
    connectPage();
    connectList();
    connectSession();
    form_->setObstacle(tr("Open a model and a text first."));
    listing_.setInterval(2000);
    connect(&listing_, &QTimer::timeout, this, &SweepController::list);
    list();
}

SweepController::~SweepController()
{
    if (gpuGroup_.state() != QProcess::NotRunning) {
        gpuGroup_.terminate(); // every window that is done is in its file
        gpuGroup_.waitForFinished();
    }
}

void SweepController::connectPage()
{
    connect(form_, &SweepForm::startRequested, this, &SweepController::start);
    connect(selection_, &SelectionState::pinsChanged, this, &SweepController::estimate);
    connect(form_, &SweepForm::goOnRequested, this, &SweepController::goOn);
    connect(form_, &SweepForm::pauseRequested, this, [this] {
        session_->pauseSweep();
        Q_EMIT told(tr("pausing behind the window under way"));
    });
    connect(form_, &SweepForm::stopRequested, this, [this] {
        session_->cancel(Session::Kind::sweep);
        if (gpuGroup_.state() != QProcess::NotRunning)
            gpuGroup_.terminate();
    });
    connect(form_, &SweepForm::copyRequested, this, [this] {
        QGuiApplication::clipboard()->setText(command());
        Q_EMIT told(tr("copied the command"));
    });
    connect(form_, &SweepForm::gpusRequested, this, &SweepController::startOnGpus);
    connect(form_, &SweepForm::changed, this, &SweepController::estimate);
}

void SweepController::connectSession()
{
    connect(session_, &Session::runChanged, this, &SweepController::takeWindow);
    connect(session_, &Session::sweepEnded, this, &SweepController::end);
    connect(session_, &Session::runOpened, this, [this](const std::shared_ptr<const Run>& run, const QString& path) {
        const QString whole = QFileInfo(path).absoluteFilePath();
        if (!opened_.contains(whole))
            opened_ << whole;
        show(run, whole, false);
        follower_.follow(whole); // tells whether somebody writes it
        list();
        Q_EMIT pageWanted();
    });
    connect(session_, &Session::runFollowed, this, &SweepController::takeFollowed);
    connect(session_, &Session::cancelled, this, &SweepController::estimate); // counting may have been stopped
    connect(session_, &Session::comparisonReady, this, &SweepController::layOver);
    connect(session_, &Session::runsListed, this, &SweepController::takeList);
    connect(session_, &Session::sweepMemoryEstimated, this, [this](const MemoryNeed& need) {
        cost_.memory = need;
        estimate();
    });
    connect(
        session_, &Session::errorOccurred, this, [this](const QString& sentence, const QString&, Session::Kind kind) {
            if (kind == Session::Kind::sweep)
                page_->setError(sentence);
            else if (kind == Session::Kind::look || kind == Session::Kind::text || kind == Session::Kind::model)
                goingOn_.reset();
            else if (kind == Session::Kind::follow)
                follower_.stop();
        });
    connect(&gpuGroup_, &QProcess::finished, this, &SweepController::endOfGpus);
    connect(&gpuGroup_, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart)
            endOfGpus();
    });
}

// ---- what a sweep would be made of -----------------------------------------------------------------------------

void SweepController::setModel(const ModelInfo& model, const OpenOptions& options)
{
    model_ = model;
    options_ = options;
    memoryFor_ = 0;
    cost_.memory.reset();
    tokens_.reset();
    propose();
    tryToGoOn();
}

void SweepController::setText(const Text& text, const QString& path, const QString& sha256)
{
    text_ = text;
    textPath_ = path;
    textHash_ = sha256;
    tokens_.reset();
    propose();
    tryToGoOn();
}

void SweepController::setTokens(qint64 tokens, bool all)
{
    tokens_ = tokens;
    allCounted_ = all;
    propose();
}

/// A form that fits the model and the text; what the user typed stays.
void SweepController::propose()
{
    form_->setObstacle(model_ && text_ ? QString() : tr("Open a model and a text first."));
    SweepRequest request;
    request.policies = parse_policies("dense,h2o,cab,h2o(local=0.3),random(sink=4,recent=0.1)");
    request.sparsities = { 0, 0.5, 0.8, 0.9, 0.95 };
    constexpr std::int64_t most = 32; // enough for intervals, and minutes instead of hours
    request.windows = most;
    const auto known = tokens_ && allCounted_ ? std::optional<std::int64_t>(*tokens_) : std::nullopt;
    if (model_)
        fitSizes(request, *model_, known);
    if (model_ && known)
        request.windows = std::clamp<std::int64_t>(windows_in(request, *known, model_->adds_bos), 1, most);
    form_->propose(request);
    estimate();
}

void SweepController::estimate()
{
    auto request = form_->request();
    if (!model_ || !text_ || !request) {
        form_->setEstimate({}, {});
        return;
    }
    request->offset = offset_();
    cost_.asked = request->windows;
    cost_.available.reset();
    cost_.counting = session_->busyWith(Session::Kind::count);
    if (tokens_ && allCounted_)
        cost_.available = windows_in(*request, *tokens_, model_->adds_bos);
    const std::int64_t windows = request->windows > 0 ? request->windows : cost_.available.value_or(0);
    cost_.seconds = expected_seconds(*request, windows, measuredRate(*model_));
    QStringList warnings;
    if (cost_.available && *cost_.available < std::max<std::int64_t>(1, request->windows))
        warnings << tr("The text has room for %1 windows of %2 + %3 tokens.")
                        .arg(
                            formatCount(*cost_.available), formatCount(request->context), formatCount(request->target));
    if (const std::size_t marks = readMarks(textHash_).size(); marks > 0)
        warnings << tr("What is marked in the text counts under every policy: spans %1.").arg(marks);
    for (const std::string& sentence : advice(*request, windows))
        warnings << QString::fromStdString(sentence);
    form_->setEstimate(costWords(cost_), warnings);
    const std::int64_t tokens = request->context + request->target;
    if (memoryFor_ != tokens)
        session_->estimateSweepMemory(*model_, options_, tokens);
    memoryFor_ = tokens;
}

SweepPlace SweepController::place() const
{
    SweepPlace place;
    place.model = model_->path;
    place.text = textPath_.isEmpty() ? text_->name : textPath_.toStdString();
    place.options = options_;
    return place;
}

/// With all that does not stand in the form, and a new file.
SweepRequest SweepController::complete(SweepRequest request) const
{
    request.importance = selection_->importance();
    request.gqa = selection_->gqa();
    request.sliding = selection_->sliding();
    request.offset = offset_();
    request.pins = readMarks(textHash_);
    request.out = newRunFile(QString::fromStdString(model_->name), QString::fromStdString(text_->name)).toStdString();
    request.command = sweep_command(request, place());
    return request;
}

QString SweepController::command() const
{
    const auto request = form_->request();
    return request && model_ && text_ ? QString::fromStdString(complete(*request).command) : QString();
}

// ---- the sweep under way ---------------------------------------------------------------------------------------

bool SweepController::running() const { return underWay_ || gpuGroup_.state() != QProcess::NotRunning; }

bool SweepController::start()
{
    Q_EMIT pageWanted();
    const auto request = form_->request();
    if (!model_ || !text_ || !request || running())
        return false;
    if (textPath_.isEmpty())
        textPath_ = keepText(*text_).value_or(QString());
    follower_.stop();
    run_.reset();
    page_->setRun(nullptr, SweepPage::Activity::running);
    begin(complete(*request));
    return true;
}

void SweepController::begin(const SweepRequest& request)
{
    sweep_ = request;
    sweep_.text = {};
    path_ = QString::fromStdString(request.out);
    underWay_ = true;
    stopping_ = false;
    doneAtFirst_ = -1;
    SweepRequest whole = request;
    whole.text = *text_;
    session_->sweep(whole);
    page_->setActivity(SweepPage::Activity::running);
    page_->setSweeping(true);
    page_->runs()->setShown(path_);
    listing_.start();
    Q_EMIT runningChanged();
}

void SweepController::takeWindow(const std::shared_ptr<const Run>& run, bool finished)
{
    measure(*run);
    if (path_.toStdString() != sweep_.out)
        return; // the user looks at another run
    run_ = run;
    page_->setRun(run, finished ? SweepPage::Activity::none : SweepPage::Activity::running);
    Q_EMIT shown(run, QString());
    if (finished)
        Q_EMIT told(tr("%1 of %2 windows done").arg(run->windows_done()).arg(run->windows_of_shard()));
}

/// What a window took, for the next estimate: between windows, so that loading and checks do not count.
void SweepController::measure(const Run& run)
{
    const std::int64_t done = run.windows_done();
    if (doneAtFirst_ < 0) {
        doneAtFirst_ = done;
        since_.start();
        list(); // it has a file now
    } else if (model_ && done > doneAtFirst_) {
        const double seconds = static_cast<double>(since_.elapsed()) / 1000;
        rememberRate(*model_, seconds_per_work(sweep_, done - doneAtFirst_, seconds));
    }
}

void SweepController::end()
{
    underWay_ = false;
    listing_.stop();
    page_->setSweeping(running());
    if (path_.toStdString() == sweep_.out) {
        page_->setActivity(SweepPage::Activity::none);
        if (run_ && !run_->finished()) {
            follower_.follow(path_); // another process may go on with it
            Q_EMIT told(tr("the sweep stands at %1 of %2 windows; Go on continues")
                            .arg(run_->windows_done())
                            .arg(run_->windows_of_shard()));
        }
    }
    list();
    estimate();
    Q_EMIT runningChanged();
}

bool SweepController::mayEnd(const QString& by)
{
    if (!running() || stopping_)
        return true;
    QMessageBox question(QMessageBox::Question, tr("A sweep is under way"),
        tr("%1 stops the sweep that is under way. Every window that is done stays in its file, and it can go on later.")
            .arg(by),
        QMessageBox::NoButton, window_);
    question.setObjectName(QStringLiteral("endSweepQuestion"));
    auto* stop = question.addButton(tr("Stop the sweep"), QMessageBox::AcceptRole);
    stop->setObjectName(QStringLiteral("endSweep"));
    auto* keep = question.addButton(tr("Keep sweeping"), QMessageBox::RejectRole);
    keep->setObjectName(QStringLiteral("keepSweeping"));
    question.setDefaultButton(keep);
    question.exec();
    if (question.clickedButton() != stop)
        return false;
    if (running()) { // it may have ended meanwhile
        stopping_ = true;
        session_->cancel(Session::Kind::sweep);
        if (gpuGroup_.state() != QProcess::NotRunning)
            gpuGroup_.terminate();
    }
    return true;
}

// ---- going on --------------------------------------------------------------------------------------------------

void SweepController::goOn()
{
    if (!run_ || running())
        return;
    goingOn_ = { run_, path_ };
    wantWhatIsMissing();
    tryToGoOn();
}

bool SweepController::isOpen(const Run& run) const
{
    const auto named = place_of_command(run.provenance.command);
    std::error_code ignored;
    const bool sameModel = model_
        && (model_->name == run.provenance.model_name
            || (named && std::filesystem::equivalent(named->model, model_->path, ignored)));
    return sameModel && text_ && textHash_.toStdString() == run.provenance.text_sha256;
}

/// Where the run's model or text is not open, its command says where they are.
void SweepController::wantWhatIsMissing()
{
    const Run& run = *goingOn_->run;
    if (isOpen(run))
        return;
    const auto named = place_of_command(run.provenance.command);
    std::error_code ignored;
    const bool there = named && std::filesystem::exists(named->model, ignored)
        && std::filesystem::is_regular_file(named->text, ignored);
    if (!there) {
        goingOn_.reset();
        Q_EMIT failed(tr("This sweep is of the model %1 and the text %2, which are not open.")
                          .arg(QString::fromStdString(run.provenance.model_name),
                              QString::fromStdString(run.provenance.text_name)),
            tr("Open both and press Go on again."));
        return;
    }
    if (!text_ || textHash_.toStdString() != run.provenance.text_sha256)
        Q_EMIT textWanted(QString::fromStdString(named->text));
    if (!model_ || !std::filesystem::equivalent(named->model, model_->path, ignored))
        Q_EMIT modelWanted(QString::fromStdString(named->model));
}

void SweepController::tryToGoOn()
{
    if (!goingOn_ || !isOpen(*goingOn_->run) || running())
        return;
    const GoingOn now = *goingOn_;
    goingOn_.reset();
    SweepRequest request = request_of(*now.run);
    request.out = now.path.toStdString();
    request.resume = true;
    request.command = now.run->provenance.command;
    follower_.stop();
    run_ = now.run;
    begin(request);
}

} // namespace keepset::ui
