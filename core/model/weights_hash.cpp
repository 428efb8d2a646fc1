#include "core/model/weights_hash.h"

#include "core/error.h"
#include "core/policies.h"
#include "core/provenance.h"
#include "core/sha256.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

namespace keepset {

namespace {

    std::string hash_of_file(const MappedFile& map, const std::stop_token& stop)
    {
        std::string hash = sha256({ map.data(), map.bytes() }, stop);
        map.refuse_cut(); // of zeros that stand in for what is gone
        return hash;
    }

    /// Of one file its hash, of several the hash of their sorted lines "hash name".
    std::string joined(const std::vector<std::string>& hashes, const std::vector<std::filesystem::path>& files)
    {
        if (hashes.size() == 1)
            return hashes.front();
        std::vector<std::string> lines;
        for (std::size_t index = 0; index < hashes.size(); ++index)
            lines.push_back(hashes[index] + " " + files[index].filename().string() + "\n");
        std::ranges::sort(lines);
        std::string all;
        for (const std::string& line : lines)
            all += line;
        return sha256(all);
    }

} // namespace

struct WeightsHash::Impl {
    mutable std::mutex mutex;
    mutable std::condition_variable_any changed;
    std::vector<std::shared_ptr<MappedFile>> maps; // a shard each; empty again once it is hashed
    std::vector<std::filesystem::path> files;
    std::vector<std::string> hashes; // a shard each
    FileHash hash;
    std::size_t next = 0; // shard that nobody has begun
    std::size_t left = 0; // shards whose hash is not known
    std::int64_t bytes = 0;
    std::int64_t bytes_done = 0;
    std::string result;
    std::exception_ptr problem;
    std::stop_source stop;
    std::vector<std::jthread> workers;

    /// Shards one after the other until none is left.
    void work()
    {
        // Linux: of this thread alone. Whatever computes goes first, at ten to one; the lowest priority of all would
        // never come to an end on a machine that others keep busy.
        constexpr int low = 10;
        ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), low);
        std::unique_lock lock(mutex);
        while (next < maps.size() && !stop.stop_requested()) {
            const std::size_t index = next++;
            std::shared_ptr<MappedFile> map = std::move(maps[index]);
            lock.unlock();
            std::string text = hash_in_name(files[index]).value_or(std::string());
            if (text.empty())
                text = hash(*map, stop.get_token());
            lock.lock();
            bytes_done += static_cast<std::int64_t>(map->bytes());
            hashes[index] = std::move(text);
            if (--left == 0)
                result = joined(hashes, files);
            changed.notify_all();
        }
    }

    void work_and_catch()
    {
        try {
            work();
        } catch (...) {
            const std::lock_guard lock(mutex);
            problem = std::current_exception();
            changed.notify_all();
        }
    }

    std::optional<std::string> ready() const // under the lock
    {
        if (problem)
            std::rethrow_exception(problem);
        return result.empty() ? std::nullopt : std::optional(result);
    }
};

WeightsHash::WeightsHash(const WeightFiles& weights, FileHash hash)
    : impl_(std::make_unique<Impl>())
{
    impl_->maps.assign(weights.maps.begin(), weights.maps.end());
    impl_->files = weights.files;
    impl_->hashes.resize(weights.maps.size());
    impl_->hash = hash ? std::move(hash) : FileHash(hash_of_file);
    impl_->left = weights.maps.size();
    impl_->bytes = weights.bytes;
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    const std::size_t threads = std::min(weights.maps.size(), std::max<std::size_t>(1, cores / 2));
    for (std::size_t index = 0; index < threads; ++index)
        impl_->workers.emplace_back([impl = impl_.get()] { impl->work_and_catch(); });
}

WeightsHash::~WeightsHash() { impl_->stop.request_stop(); }

std::optional<std::string> WeightsHash::ready() const
{
    const std::lock_guard lock(impl_->mutex);
    return impl_->ready();
}

std::string WeightsHash::wait(const Task& task) const
{
    const auto begin = std::chrono::steady_clock::now();
    std::unique_lock lock(impl_->mutex);
    for (;;) {
        if (const std::optional<std::string> text = impl_->ready())
            return *text;
        if (task.stop.stop_requested())
            throw Cancelled {};
        impl_->changed.wait_for(
            lock, task.stop, std::chrono::milliseconds(100), [&] { return impl_->problem || impl_->left == 0; });
        if (!task.progress)
            continue;
        const std::int64_t done = impl_->bytes_done;
        lock.unlock();
        const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        task.progress({ "hashing the weights", "bytes", done, impl_->bytes, elapsed, not_a_number });
        lock.lock();
    }
}

std::optional<std::string> hash_in_name(const std::filesystem::path& file)
{
    std::error_code error;
    if (!std::filesystem::is_symlink(file, error))
        return std::nullopt;
    const std::filesystem::path blob = std::filesystem::canonical(file, error);
    const std::string name = blob.filename().string();
    constexpr std::size_t digits = 64; // 40 are the SHA-1 of a small file that git itself keeps
    if (error || blob.parent_path().filename() != "blobs" || name.size() != digits
        || name.find_first_not_of("0123456789abcdef") != std::string::npos)
        return std::nullopt;
    return name;
}

void take_weights_hash(Provenance& provenance)
{
    if (provenance.model_sha256.empty() && provenance.weights_hash)
        provenance.model_sha256 = provenance.weights_hash->ready().value_or(std::string());
}

void know_weights(Provenance& provenance, const Task& task)
{
    if (provenance.model_sha256.empty() && provenance.weights_hash)
        provenance.model_sha256 = provenance.weights_hash->wait(task);
}

} // namespace keepset
