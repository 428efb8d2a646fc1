#include "core/compare_runs.h"

#include "core/words.h"

namespace keepset {

namespace {

    std::string instead(const std::string& what, const std::string& theirs, const std::string& ours)
    {
        return what + " " + theirs + " instead of " + ours;
    }

    /// What has a name and a hash: the text, the model.
    struct Named {
        std::string what;
        std::string Provenance::*name;
        std::string Provenance::*hash;
    };

    void say_named(const Provenance& shown, const Provenance& other, const Named& named, RunComparison& found)
    {
        const std::string& ours = shown.*named.name;
        const std::string& theirs = other.*named.name;
        const bool known = !(shown.*named.hash).empty() && !(other.*named.hash).empty();
        const bool differs = known ? shown.*named.hash != other.*named.hash : ours != theirs;
        if (differs)
            found.differs.push_back(
                ours == theirs ? "another " + named.what + " named " + ours : instead(named.what, theirs, ours));
    }

} // namespace

RunComparison compare_runs(const Run& shown, const Run& other)
{
    RunComparison found;
    if (other.windows_done() == 0)
        found.refusal = "It has no window that is done yet.";
    else if (shown.provenance.tokenizer_sha256 != other.provenance.tokenizer_sha256)
        found.refusal = "It was made with another tokenizer, so its perplexity is one of other tokens.";
    say_named(shown.provenance, other.provenance, { "text", &Provenance::text_name, &Provenance::text_sha256 }, found);
    say_named(
        shown.provenance, other.provenance, { "model", &Provenance::model_name, &Provenance::model_sha256 }, found);
    const auto say = [&](const std::string& what, const std::string& ours, const std::string& theirs) {
        if (ours != theirs)
            found.differs.push_back(instead(what, theirs, ours));
    };
    say("dtype", shown.provenance.dtype, other.provenance.dtype);
    say("protocol", name_of(shown.protocol), name_of(other.protocol));
    say("context", grouped(shown.context), grouped(other.context));
    say("target", grouped(shown.target), grouped(other.target));
    say("offset", grouped(shown.offset), grouped(other.offset));
    say("windows", grouped(shown.windows_done()), grouped(other.windows_done()));
    say("keep set per", name_of(shown.granularity), name_of(other.granularity));
    say("importance", name_of(shown.importance), name_of(other.importance));
    say("gqa", name_of(shown.gqa), name_of(other.gqa));
    say("layers that evict", std::to_string(shown.layers_that_evict()), std::to_string(other.layers_that_evict()));
    say("positions", name_of(shown.positions), name_of(other.positions));
    say("rounding", name_of(shown.rounding), name_of(other.rounding));
    say("pinned bytes", shown.pins.empty() ? "none" : shown.pins, other.pins.empty() ? "none" : other.pins);
    return found;
}

} // namespace keepset
