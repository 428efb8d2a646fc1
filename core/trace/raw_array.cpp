#include "core/trace/raw_array.h"

#include "core/trace/h5.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace keepset::trace {

namespace {

    struct Type {
        const char* name;
        ArrayKind kind;
        std::size_t bytes;
    };
    constexpr Type types[] = { { "F32", ArrayKind::floating, 4 }, { "F64", ArrayKind::floating, 8 },
        { "F16", ArrayKind::floating, 2 }, { "BF16", ArrayKind::floating, 2 }, { "BOOL", ArrayKind::boolean, 1 },
        { "U8", ArrayKind::integer, 1 }, { "I8", ArrayKind::integer, 1 }, { "I16", ArrayKind::integer, 2 },
        { "U16", ArrayKind::integer, 2 }, { "I32", ArrayKind::integer, 4 }, { "U32", ArrayKind::integer, 4 },
        { "I64", ArrayKind::integer, 8 }, { "U64", ArrayKind::integer, 8 } };

    const Type* type_of(const std::string& dtype)
    {
        for (const Type& type : types) {
            if (dtype == type.name)
                return &type;
        }
        return nullptr;
    }

    template <typename T> T at(std::span<const std::byte> bytes, std::size_t index)
    {
        T value {};
        std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T)); // may lie at any address
        return value;
    }

    /// IEEE 754 half precision.
    float from_half(std::uint16_t half)
    {
        const unsigned exponent = half >> 10U & 31U;
        const unsigned fraction = half & 1023U;
        const float size = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
            : exponent < 31 ? std::ldexp(static_cast<float>(fraction + 1024U), static_cast<int>(exponent) - 25)
            : fraction == 0 ? INFINITY
                            : NAN;
        return (half >> 15U) != 0 ? -size : size;
    }

    float float_at(const std::string& dtype, std::span<const std::byte> bytes, std::size_t i)
    {
        if (dtype == "F32")
            return at<float>(bytes, i);
        if (dtype == "F64")
            return static_cast<float>(at<double>(bytes, i));
        if (dtype == "F16")
            return from_half(at<std::uint16_t>(bytes, i));
        return std::bit_cast<float>(static_cast<std::uint32_t>(at<std::uint16_t>(bytes, i)) << 16U); // BF16
    }

    std::int64_t integer_at(const std::string& dtype, std::span<const std::byte> bytes, std::size_t i)
    {
        if (dtype == "I64" || dtype == "U64") // beyond 2^63 nothing of ours goes: it is refused as what it becomes
            return at<std::int64_t>(bytes, i);
        if (dtype == "I32")
            return at<std::int32_t>(bytes, i);
        if (dtype == "U32")
            return at<std::uint32_t>(bytes, i);
        if (dtype == "I16")
            return at<std::int16_t>(bytes, i);
        if (dtype == "U16")
            return at<std::uint16_t>(bytes, i);
        return dtype == "I8" ? at<std::int8_t>(bytes, i) : at<std::uint8_t>(bytes, i);
    }

    /// Bytes of a part of the first axis, or of all.
    std::span<const std::byte> part_of(const RawArray& array, std::int64_t part)
    {
        if (part < 0)
            return array.bytes;
        const std::size_t size = array.bytes.size() / static_cast<std::size_t>(array.shape.front());
        return array.bytes.subspan(static_cast<std::size_t>(part) * size, size);
    }

} // namespace

std::string text_of(const std::vector<std::int64_t>& shape)
{
    std::string text = "[";
    for (const std::int64_t extent : shape)
        text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
    return text + "]";
}

ArrayInfo info_of(const RawArray& array, const std::string& name)
{
    const Type* const type = type_of(array.dtype);
    if (type == nullptr)
        throw h5::Failure(name + " has values of type " + array.dtype + ", which is not read here (float32 is)");
    return { type->kind, array.shape };
}

std::vector<float> floats_of(const RawArray& array, std::int64_t part)
{
    const Type type = *type_of(array.dtype);
    const std::span<const std::byte> bytes = part_of(array, part);
    std::vector<float> values(bytes.size() / type.bytes);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = type.kind == ArrayKind::floating ? float_at(array.dtype, bytes, i)
                                                     : static_cast<float>(integer_at(array.dtype, bytes, i));
    return values;
}

std::vector<std::int64_t> integers_of(const RawArray& array, std::int64_t part)
{
    const Type type = *type_of(array.dtype);
    const std::span<const std::byte> bytes = part_of(array, part);
    std::vector<std::int64_t> values(bytes.size() / type.bytes);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = integer_at(array.dtype, bytes, i);
    return values;
}

} // namespace keepset::trace
