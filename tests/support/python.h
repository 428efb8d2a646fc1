#pragma once

#include <QProcess>
#include <QString>
#include <QStringList>

/// Scripts of tests/reference, for checks of files without our code. KEEPSET_PYTHON names the Python.
namespace python {

inline QString program()
{
    const QByteArray chosen = qgetenv("KEEPSET_PYTHON");
    return chosen.isEmpty() ? QStringLiteral("python3") : QString::fromUtf8(chosen);
}

inline bool has_h5py() { return QProcess::execute(program(), { "-c", "import h5py" }) == 0; }

/// Its words where it failed, or "ok".
inline QString run(const QString& script, const QStringList& arguments)
{
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(
        program(), QStringList { QStringLiteral(KEEPSET_SOURCE_DIR "/tests/reference/") + script } + arguments);
    if (!process.waitForStarted() || !process.waitForFinished(120000))
        return "did not run: " + process.errorString();
    return process.exitCode() == 0 ? QStringLiteral("ok") : QString::fromUtf8(process.readAll());
}

} // namespace python
