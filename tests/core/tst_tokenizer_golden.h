#pragma once

#include "core/error.h"
#include "core/tokenizer/tokenizer.h"
#include "core/tokens.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QString>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// What the tokenizer tests share: the golden files of tests/reference/tokenizer.py and tokenizer_kinds.py.
namespace tokenizer_golden {

inline const QString source = QStringLiteral(KEEPSET_SOURCE_DIR "/");
inline const QString folder = source + QStringLiteral("tests/reference/golden/tokenizer/");

inline QByteArray read_file(const QString& path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        qFatal("cannot read %s", qPrintable(path));
    return file.readAll();
}

inline QJsonObject read_json(const QString& path) { return QJsonDocument::fromJson(read_file(path)).object(); }

inline void write_file(const QString& path, const QByteArray& bytes)
{
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size())
        qFatal("cannot write %s", qPrintable(path));
}

/// A tokenizer.json with some of its parts replaced; "model.x" is a field of the model.
inline QJsonObject replaced(QJsonObject json, const QJsonObject& parts)
{
    for (auto part = parts.begin(); part != parts.end(); ++part) {
        if (part.key().startsWith(QStringLiteral("model."))) {
            QJsonObject model = json[QStringLiteral("model")].toObject();
            model[part.key().mid(6)] = part.value();
            json[QStringLiteral("model")] = model;
        } else {
            json[part.key()] = part.value();
        }
    }
    return json;
}

/// FNV-1a, 64 bits, over 32-bit little-endian numbers: the first 10 hex digits, as the scripts write it.
inline QString fnv(const std::vector<std::int64_t>& numbers)
{
    std::uint64_t value = 0xCBF29CE484222325U;
    for (const std::int64_t number : numbers) {
        for (unsigned shift = 0; shift < 32; shift += 8) {
            value ^= (static_cast<std::uint64_t>(number) >> shift) & 0xFFU;
            value *= 0x100000001B3U;
        }
    }
    return QStringLiteral("%1").arg(value, 16, 16, QLatin1Char('0')).left(10);
}

/// Ranges widened to whole characters, as the library gives them.
inline std::vector<std::int64_t> whole_ranges(std::span<const keepset::Token> tokens, const std::string& text)
{
    const auto inside = [&](std::int64_t at) {
        const auto offset = static_cast<std::size_t>(at);
        return offset < text.size() && (static_cast<unsigned char>(text[offset]) & 0xC0U) == 0x80U;
    };
    std::vector<std::int64_t> edges;
    for (const keepset::Token& token : tokens) {
        std::int64_t begin = token.byte_begin;
        std::int64_t end = token.byte_end;
        while (inside(begin))
            --begin;
        while (inside(end))
            ++end;
        edges.push_back(begin);
        edges.push_back(end);
    }
    return edges;
}

inline QByteArray listed(const std::vector<keepset::Token>& tokens)
{
    QByteArray list;
    for (const keepset::Token& token : tokens)
        list += QByteArray::number(token.id) + " [" + QByteArray::number(static_cast<qlonglong>(token.byte_begin)) + ","
            + QByteArray::number(static_cast<qlonglong>(token.byte_end)) + ") ";
    return list.left(2000);
}

/// Letters from a linear congruential generator: the scripts' long_text().
inline std::string long_text(int length = 1000000)
{
    constexpr std::string_view letters = "etaoinshrdlucmfwypvbgkqjxz";
    std::uint64_t state = 1;
    std::string text;
    for (int i = 0; i < length; ++i) {
        state = (state * 1103515245U + 12345U) % (std::uint64_t { 1 } << 31U);
        text += letters[static_cast<std::size_t>((state >> 16U) % letters.size())];
    }
    return text;
}

/// The sentence with which a file is refused.
inline QString refusal_of(const QString& path)
{
    try {
        keepset::Tokenizer::load(path.toStdString());
    } catch (const keepset::Error& error) {
        return error.kind() == keepset::ErrorKind::input ? QString::fromStdString(error.sentence())
                                                         : QStringLiteral("kind");
    }
    return QStringLiteral("nothing was refused");
}

/// Texts of golden.json.
inline std::vector<std::string> stored_texts()
{
    std::vector<std::string> texts;
    for (const QJsonValue& text : read_json(folder + QStringLiteral("golden.json"))[QStringLiteral("texts")].toArray())
        texts.push_back(text.toString().toStdString());
    return texts;
}

/// The generator of tokenizer_kinds.py.
class Generator {
public:
    explicit Generator(std::uint64_t seed)
        : state_(seed)
    {
    }
    int below(qsizetype count)
    {
        state_ = (state_ * 1103515245U + 12345U) % (std::uint64_t { 1 } << 31U);
        return static_cast<int>((state_ >> 12U) % static_cast<std::uint64_t>(count));
    }

private:
    std::uint64_t state_;
};

/// A text of tokenizer_kinds.py's generated_texts(): pools and pieces as they stand in kinds.json.
inline std::string generated_text(std::uint64_t seed, const QJsonArray& pools, const QJsonArray& pieces)
{
    Generator draw(seed);
    draw.below(1);
    const QJsonArray chosen { pools[draw.below(pools.size())], pools[draw.below(pools.size())],
        pools[draw.below(pools.size())] };
    QString text;
    for (int left = 1 + draw.below(30); left > 0; --left) {
        if (draw.below(12) == 0) {
            text += pieces[draw.below(pieces.size())].toString();
            continue;
        }
        const QJsonArray pool = chosen[draw.below(3)].toArray();
        const QJsonArray range = pool[draw.below(pool.size())].toArray();
        const int first = range[0].toInt();
        const char32_t character = static_cast<char32_t>(first + draw.below(range[1].toInt() - first + 1));
        text += QString::fromUcs4(&character, 1);
    }
    return text.toStdString();
}

} // namespace tokenizer_golden
