#include "core/sha256.h"

#include "core/error.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>

namespace keepset {

std::string sha256(std::span<const std::byte> bytes, const std::stop_token& stop)
{
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    bool good = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
    constexpr std::size_t block = 1U << 22U;
    for (std::size_t begin = 0; good && begin < bytes.size(); begin += block) {
        if (stop.stop_requested())
            throw Cancelled {};
        good = EVP_DigestUpdate(context.get(), bytes.data() + begin, std::min(block, bytes.size() - begin)) == 1;
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest {};
    unsigned length = 0;
    if (!good || EVP_DigestFinal_ex(context.get(), digest.data(), &length) != 1)
        throw Error(ErrorKind::internal, "SHA-256 is not available in the OpenSSL library.");
    constexpr const char* digits = "0123456789abcdef";
    std::string text;
    for (unsigned index = 0; index < length; ++index) {
        text += digits[digest[index] >> 4U];
        text += digits[digest[index] & 15U];
    }
    return text;
}

std::string sha256(const std::string& bytes, const std::stop_token& stop)
{
    return sha256(std::as_bytes(std::span(bytes)), stop);
}

} // namespace keepset
