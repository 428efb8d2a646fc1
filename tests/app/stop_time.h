#pragma once

#include "tests/app/cli_process.h"

#include <QElapsedTimer>

#include <unistd.h>

/// How long a program goes on after a signal.
namespace cli {

/// A stop is answered in a fifth of a second of work, which tst_stop measures inside of the library. A process needs
/// some more to give its memory back and to end. Both are measured in the process's own processor time, so that a core
/// that is shared by many tests decides nothing; the program runs with one thread. Sanitizers make it about three times
/// slower.
#ifdef __SANITIZE_ADDRESS__
constexpr double own_seconds = 3 * (0.2 + 0.4);
#else
constexpr double own_seconds = 0.2 + 0.4;
#endif
/// What waiting for a core may make of it on the busiest machine; far less than the stopped work takes there.
constexpr double patience_s = 60;

inline double seconds_of(const timeval& time)
{
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

/// Processor time of the children that have ended.
inline double children_seconds()
{
    rusage usage {};
    getrusage(RUSAGE_CHILDREN, &usage);
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

/// Processor time of a process so far, in steps of 10 ms.
inline double process_seconds(qint64 process)
{
    const QList<QByteArray> fields = read(QString("/proc/%1/stat").arg(process)).split(')').last().trimmed().split(' ');
    return fields.size() < 13
        ? 0
        : (fields[11].toDouble() + fields[12].toDouble()) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// A signal that comes before the program waits for it would end it as any other; from then on it waits for the
/// program.
inline bool blocks_signals(const QProcess& process)
{
    const QByteArray status = read(QString("/proc/%1/status").arg(process.processId()));
    const QByteArray line = status.mid(status.indexOf("SigBlk:") + 7, 20).trimmed().split('\n')[0];
    return (line.toULongLong(nullptr, 16) >> (SIGTERM - 1) & 1U) != 0;
}

struct Stopped {
    Result result;
    double own_s = 0; ///< processor time after the signal
    double all_s = 0;

    bool in_time() const { return own_s < own_seconds && all_s < patience_s; }
    QByteArray text() const
    {
        return QByteArray::number(own_s * 1000, 'f', 0) + " ms of work after the signal, "
            + QByteArray::number(all_s * 1000, 'f', 0) + " ms in all; " + result.text();
    }
};

/// Sends a signal and waits for the end. No other child may end meanwhile.
inline Stopped stop(QProcess& process, int number = SIGTERM)
{
    Stopped stopped;
    const double others = children_seconds();
    const double before = process_seconds(process.processId());
    QElapsedTimer timer;
    timer.start();
    send(process, number);
    send(process, SIGCONT); // where it was halted
    stopped.result = ended(process);
    stopped.all_s = static_cast<double>(timer.elapsed()) / 1000;
    stopped.own_s = children_seconds() - others - before;
    return stopped;
}

} // namespace cli
