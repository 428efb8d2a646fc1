#include "core/sweep/pack_window.h"

#include "core/error.h"
#include "core/trace/run_arrays.h"
#include "core/trace/run_file.h"

#include <nlohmann/json.hpp>

namespace keepset {

namespace {

    using Json = nlohmann::json;

} // namespace

std::vector<std::uint8_t> pack_window(const Run& run, std::int64_t window)
{
    Json packed { { "window", window } };
    trace::for_run_arrays([&](const auto& array) { packed[array.path] = trace::column_of(run, array, window); });
    if (!run.token_nll.empty())
        packed["token_nll"] = trace::token_nll_of(run, window);
    return Json::to_cbor(packed);
}

std::int64_t unpack_window(const std::vector<std::uint8_t>& packed, Run& run)
{
    try {
        const Json from = Json::from_cbor(packed);
        const auto window = from.at("window").get<std::int64_t>();
        if (window < 0 || window >= run.windows)
            throw Error(ErrorKind::internal, "a window that the sweep does not have was handed in");
        trace::for_run_arrays([&]<typename T>(const trace::RunArray<T>& array) {
            std::vector<T> column;
            from.at(array.path).get_to(column);
            trace::set_column(run, array, window, column);
        });
        if (!run.token_nll.empty())
            trace::set_token_nll(run, window, from.at("token_nll").get<std::vector<float>>());
        run.done.at(static_cast<std::size_t>(window)) = 1;
        return window;
    } catch (const Json::exception& problem) {
        throw Error(ErrorKind::internal, std::string("a window that was handed in cannot be read: ") + problem.what());
    }
}

std::vector<std::uint8_t> pack_settings(const Run& run)
{
    Json packed = Json::array();
    for (const trace::Setting& setting : trace::settings_of(run))
        packed.push_back({ setting.name, setting.value });
    return Json::to_cbor(packed);
}

std::string other_setting(const std::vector<std::uint8_t>& packed, const Run& run)
{
    const Json theirs = Json::from_cbor(packed);
    const std::vector<trace::Setting> ours = trace::settings_of(run);
    for (std::size_t index = 0; index < std::min(ours.size(), theirs.size()); ++index) {
        const trace::Setting their { theirs[index].at(0).get<std::string>(), theirs[index].at(1).get<std::string>() };
        const bool known = !their.value.empty() && !ours[index].value.empty();
        if (known && their.value != ours[index].value)
            return their.name + " is " + their.value + " at rank 0 and " + ours[index].value + " here";
    }
    return theirs.size() == ours.size() ? "" : "the number of points is another";
}

} // namespace keepset
