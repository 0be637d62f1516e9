#include "pickle/repr.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <vector>

#include "pickle/utf8.h"

namespace tutti::inline TUTTI_ABI::pickle {

namespace {

constexpr char digits[] = "0123456789abcdef";

void append_hex(std::string& text, std::uint32_t number, int width) {
  for (int shift = 4 * (width - 1); shift >= 0; shift -= 4) text += digits[number >> shift & 15];
}

// As both text and bytes escape it.
void append_ascii(std::string& repr, char32_t c, char quote) {
  if (c == static_cast<unsigned char>(quote) || c == '\\') {
    repr += '\\';
    repr += static_cast<char>(c);
  } else if (c == '\n') {
    repr += "\\n";
  } else if (c == '\r') {
    repr += "\\r";
  } else if (c == '\t') {
    repr += "\\t";
  } else if (c < ' ' || c == 0x7F) {
    repr += "\\x";
    append_hex(repr, c, 2);
  } else {
    repr += static_cast<char>(c);
  }
}

char quote_for(std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  return has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
}

}  // namespace

std::string repr_of_text(std::string_view text) {
  const char quote = quote_for(text);
  std::string repr(1, quote);
  while (!text.empty()) {
    const std::string_view before = text;
    const std::optional<char32_t> point = take_code_point(text);
    if (!point) {
      repr += "\\x";
      append_hex(repr, static_cast<unsigned char>(before.front()), 2);
      text = before.substr(1);
    } else if (*point < 0x80) {
      append_ascii(repr, *point, quote);
    } else if (*point <= 0xA0) {
      repr += "\\x";
      append_hex(repr, *point, 2);
    } else if (*point >= 0xD800 && *point < 0xE000) {
      repr += "\\u";
      append_hex(repr, *point, 4);
    } else {
      repr += before.substr(0, before.size() - text.size());
    }
  }
  return repr + quote;
}

std::string repr_of_bytes(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const char quote = quote_for(text);
  std::string repr = std::string("b") + quote;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      append_ascii(repr, byte, quote);
    } else {
      repr += "\\x";
      append_hex(repr, byte, 2);
    }
  }
  return repr + quote;
}

std::string repr_of_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  // The shortest digits that read back as the same; written out where Python does, from 1e-4 to
  // 1e16.
  char room[64];
  const double size = std::abs(value);
  const bool is_plain = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto format = is_plain ? std::chars_format::fixed : std::chars_format::scientific;
  std::string repr(room, std::to_chars(room, room + sizeof room, value, format).ptr);
  if (is_plain && repr.find('.') == std::string::npos) repr += ".0";
  return repr;
}

std::string repr_of_big(std::span<const std::byte> bytes) {
  const bool is_negative = !bytes.empty() && (bytes.back() & std::byte{0x80}) != std::byte{0};
  // The number without its sign, in words of 32 bits, the lowest first.
  std::vector<std::uint32_t> words((bytes.size() + 3) / 4 + 1);
  std::uint32_t carry = is_negative ? 1 : 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto byte = std::to_integer<std::uint32_t>(bytes[i]);
    if (is_negative) {
      byte = (byte ^ 0xFF) + carry;
      carry = byte >> 8;
      byte &= 0xFF;
    }
    words[i / 4] |= byte << 8 * (i % 4);
  }
  if (carry != 0) words[bytes.size() / 4] |= carry << 8 * (bytes.size() % 4);
  while (words.size() > 1 && words.back() == 0) words.pop_back();

  std::string repr;
  constexpr std::size_t most_bytes = 1785;  // Of 4300 digits.
  if (bytes.size() > most_bytes) {
    for (const std::uint32_t word : words) {
      for (int shift = 0; shift < 32; shift += 4) repr += digits[word >> shift & 15];
    }
    while (repr.size() > 1 && repr.back() == '0') repr.pop_back();
    repr += "x0";
  } else {
    constexpr std::uint64_t billion = 1'000'000'000;
    while (!words.empty()) {
      std::uint64_t rest = 0;
      for (std::size_t i = words.size(); i-- > 0;) {
        rest = rest << 32 | words[i];
        words[i] = static_cast<std::uint32_t>(rest / billion);
        rest %= billion;
      }
      while (!words.empty() && words.back() == 0) words.pop_back();
      for (int digit = 0; digit < 9; ++digit, rest /= 10) repr += digits[rest % 10];
    }
    while (repr.size() > 1 && repr.back() == '0') repr.pop_back();
  }
  if (is_negative) repr += '-';
  std::reverse(repr.begin(), repr.end());
  return repr;
}

}  // namespace tutti::inline TUTTI_ABI::pickle
