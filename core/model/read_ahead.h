#pragma once

#include <filesystem>
#include <thread>
#include <vector>

namespace keepset {

/// Has the system read files from the disk, in order and in large pieces, while someone else looks at their maps: a map
/// that is read page by page waits for the disk at every turn. Stops when it goes out of scope. Files that cannot be
/// read are passed over: whoever needs them says so.
class ReadAhead {
public:
    explicit ReadAhead(std::vector<std::filesystem::path> files);

private:
    std::jthread worker_;
};

} // namespace keepset
