#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace keepset {

/// Unicode normalisation forms (UAX 15).
enum class NormalForm : std::uint8_t { nfc, nfd, nfkc, nfkd };

/// A text after normalisation, and where each of its bytes comes from.
class NormalizedText {
public:
    /// `source` under each of `forms`, one after the other. `source` is UTF-8.
    NormalizedText(std::string_view source, const std::vector<NormalForm>& forms);

    const std::string& utf8() const { return utf8_; }
    /// Offset in the source of an offset in utf8(). Where a piece changed, its bytes are shared out in proportion, so
    /// that ranges still ascend and cover the source without gaps; unchanged bytes are met exactly.
    std::int64_t source_of(std::int64_t offset) const;

private:
    /// A piece that normalisation changed: [begin, end) of the result is [source_begin, source_end) before.
    struct Change {
        std::int64_t begin = 0;
        std::int64_t end = 0;
        std::int64_t source_begin = 0;
        std::int64_t source_end = 0;
    };

    std::vector<Change> apply(NormalForm form);
    void join(const std::vector<Change>& next, std::string_view source);

    std::string utf8_;
    std::vector<Change> changes_; ///< ascending, disjoint; between them bytes are one to one
};

} // namespace keepset
