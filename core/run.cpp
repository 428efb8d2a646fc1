#include "core/run.h"

namespace keepset {

bool window_done(const Run& run, std::int64_t window)
{
    const auto index = static_cast<std::size_t>(window);
    return index < run.done.size() && run.done[index] != 0;
}

std::int64_t Run::windows_done() const { return points.empty() ? 0 : points.front().windows; }
bool Run::finished() const { return windows > 0 && windows_done() == windows; }

} // namespace keepset
