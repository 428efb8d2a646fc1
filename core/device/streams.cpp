#include "core/device/streams.h"

#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <map>
#include <mutex>
#include <utility>

namespace keepset {

namespace {

    std::vector<c10::Stream> streams_of(const std::vector<at::Device>& devices, std::size_t slot)
    {
        static std::mutex mutex;
        static std::map<std::pair<at::DeviceIndex, std::size_t>, c10::Stream> known;
        const std::lock_guard lock(mutex);
        std::vector<c10::Stream> streams;
        for (const at::Device& device : devices) {
            if (!device.is_cuda())
                continue;
            const auto* const guard = c10::impl::getDeviceGuardImpl(device.type());
            guard->synchronizeDevice(device.index());
            const std::pair key(device.index(), slot);
            auto found = known.find(key);
            if (found == known.end())
                found = known.emplace(key, guard->getStreamFromGlobalPool(device)).first;
            streams.push_back(found->second);
        }
        return streams;
    }

} // namespace

void* current_stream(at::Device device)
{
    if (!device.is_cuda())
        return nullptr;
    return c10::impl::getDeviceGuardImpl(device.type())->getStream(device).native_handle();
}

OwnStreams::OwnStreams(const std::vector<at::Device>& devices, std::size_t slot)
    : guard_(streams_of(devices, slot))
{
}

} // namespace keepset
