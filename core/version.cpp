#include "core/version.h"

// Alone in its file, so that a new commit compiles this and nothing else again.
namespace keepset {

std::string version() { return KEEPSET_VERSION; }
std::string commit() { return KEEPSET_COMMIT; }

} // namespace keepset
