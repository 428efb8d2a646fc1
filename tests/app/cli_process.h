#pragma once

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QRegularExpression>
#include <QtTest>

#include <csignal>
#include <sys/resource.h>

/// What the tests of keepset-cli need to run it and to look at what it says.
namespace cli {

inline QString source(const QString& path) { return QStringLiteral(KEEPSET_SOURCE_DIR "/") + path; }
inline QString demo_model() { return source("resources/demo/model"); }
inline QString demo_text() { return source("resources/demo/demo.txt"); }
/// Random weights, one token a byte: opens in no time.
inline QString tiny_model() { return source("tests/reference/golden/gqa7"); }

struct Result {
    int status = -1; ///< exit status; -1 where it crashed or did not end
    QByteArray out;
    QByteArray err;

    bool said(const QString& words) const { return QString::fromUtf8(err).contains(words); }
    /// One line on stderr that reads as a sentence, nothing on stdout, and nothing of the program's own insides.
    bool is_one_sentence() const
    {
        static const QRegularExpression line("^keepset-cli: [^\n]+[.?)\"]\n$");
        return out.isEmpty() && line.match(QString::fromUtf8(err)).hasMatch() && !shows_insides();
    }
    /// The parser's complaint and where to find help.
    bool is_usage() const
    {
        static const QRegularExpression lines("^keepset-cli: [^\n]+\nTry 'keepset-cli --help'.\n$");
        return out.isEmpty() && lines.match(QString::fromUtf8(err)).hasMatch() && !shows_insides();
    }
    bool shows_insides() const
    {
        for (const char* word : { "terminate", "what():", "Exception raised from", "HDF5-DIAG", "frame #", "json.exc" })
            if (err.contains(word) || out.contains(word))
                return true;
        return false;
    }
    /// For a failure's message.
    QByteArray text() const { return "status " + QByteArray::number(status) + "\n" + out.left(400) + "\n" + err; }
};

inline Result ended(QProcess& process)
{
    Result result;
    const bool over = process.state() == QProcess::NotRunning || process.waitForFinished(120000);
    if (!over || process.exitStatus() != QProcess::NormalExit)
        result.status = -1;
    else
        result.status = process.exitCode();
    result.out = process.readAllStandardOutput();
    result.err = process.readAllStandardError();
    return result;
}

/// Runs it to its end; no file of it may grow beyond `largest_file` bytes (0: no limit), as on a full disk.
/// Sends a signal to a process that still runs. One that has ended has number 0, which would mean this test and all
/// that were started with it.
inline bool send(const QProcess& process, int number)
{
    const auto id = static_cast<pid_t>(process.processId());
    return id > 0 && ::kill(id, number) == 0;
}

inline Result run(const QStringList& arguments, rlim_t largest_file = 0, const QByteArray& input = {})
{
    QProcess process;
    if (largest_file > 0)
        process.setChildProcessModifier([largest_file] {
            const rlimit limit { largest_file, largest_file };
            setrlimit(RLIMIT_FSIZE, &limit);
        });
    process.start(KEEPSET_CLI, arguments);
    process.write(input);
    process.closeWriteChannel();
    return ended(process);
}

inline bool write(const QString& path, const QByteArray& bytes)
{
    QFile file(path);
    return file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size();
}

inline QByteArray read(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// A copy of the tiny model in `folder`, to be damaged.
inline bool copy_tiny_model(const QString& folder)
{
    bool good = QDir().mkpath(folder);
    for (const char* name : { "config.json", "tokenizer.json", "model.safetensors" })
        good = QFile::copy(tiny_model() + "/" + name, folder + "/" + name) && good;
    return good;
}

} // namespace cli
