// Values that are written as lines of text, as Python 2 did by default.
#include <charconv>
#include <string>
#include <system_error>
#include <utility>

#include "pickle/machine.h"
#include "pickle/utf8.h"

namespace tutti::inline TUTTI_ABI::pickle {

namespace {

// Python reads no more digits either, since that takes time of their number squared.
constexpr std::size_t most_digits = 4300;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The number that `count` hexadecimal digits at the beginning of `text` make, which is shortened by
// them; -1 if there are none.
std::int64_t take_hex(std::string_view& text, std::size_t count) {
  if (text.size() < count) return -1;
  std::int64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int digit = hex_digit(text[i]);
    if (digit < 0) return -1;
    number = number * 16 + digit;
  }
  text.remove_prefix(count);
  return number;
}

}  // namespace

void Tree::Machine::decimal(std::string_view digits) {
  if (digits.ends_with('L')) digits.remove_suffix(1);
  std::int64_t small = 0;
  const char* end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, small);
  if (at != end || error == std::errc::invalid_argument) fail("an int is not a number");
  if (error == std::errc()) {
    push_int(small);
    return;
  }
  const bool is_negative = digits.front() == '-';
  if (is_negative) digits.remove_prefix(1);
  if (digits.size() > most_digits) fail("an int has more than 4300 digits");
  // Bytes of the number without its sign, the lowest first.
  std::string bytes;
  for (const char digit : digits) {
    unsigned carry = static_cast<unsigned>(digit - '0');
    for (char& byte : bytes) {
      carry += static_cast<unsigned char>(byte) * 10u;
      byte = static_cast<char>(carry);
      carry >>= 8;
    }
    if (carry != 0) bytes.push_back(static_cast<char>(carry));
  }
  bytes.push_back('\0');
  if (is_negative) {
    unsigned carry = 1;
    for (char& byte : bytes) {
      carry += static_cast<unsigned char>(~byte);
      byte = static_cast<char>(carry);
      carry >>= 8;
    }
  }
  push_big(keep(std::move(bytes)));
}

void Tree::Machine::float_line() {
  const std::string_view line = take_line();
  Node node;
  node.type = Type::floating;
  const auto [at, error] = std::from_chars(line.data(), line.data() + line.size(), node.floating);
  if (at != line.data() + line.size() || error == std::errc::invalid_argument) {
    fail("a float is not a number");
  }
  push(node);
}

// As Python 2's repr() wrote it.
void Tree::Machine::string_line() {
  std::string_view line = take_line();
  if (line.size() < 2 || line.front() != line.back() ||
      (line.front() != '\'' && line.front() != '"')) {
    fail("a string is not in quotes");
  }
  line = line.substr(1, line.size() - 2);
  std::string text;
  while (!line.empty()) {
    const char c = line.front();
    line.remove_prefix(1);
    if (c != '\\' || line.empty()) {
      text.push_back(c);
      continue;
    }
    const char escaped = line.front();
    line.remove_prefix(1);
    constexpr std::string_view codes = "abfnrtv";
    constexpr std::string_view meanings = "\a\b\f\n\r\t\v";
    if (const std::size_t at = codes.find(escaped); at != std::string_view::npos) {
      text.push_back(meanings[at]);
    } else if (escaped == 'x') {
      const std::int64_t code = take_hex(line, 2);
      if (code < 0) fail("a string has a wrong escape");
      text.push_back(static_cast<char>(code));
    } else {
      text.push_back(escaped);
    }
  }
  push_python2_string(keep(std::move(text)));
}

// Latin-1, except for \uXXXX and \UXXXXXXXX.
void Tree::Machine::unicode_line() {
  std::string_view line = take_line();
  std::string text;
  while (!line.empty()) {
    const auto c = static_cast<unsigned char>(line.front());
    line.remove_prefix(1);
    if (c == '\\' && !line.empty() && (line.front() == 'u' || line.front() == 'U')) {
      const std::size_t digits = line.front() == 'u' ? 4 : 8;
      line.remove_prefix(1);
      const std::int64_t code = take_hex(line, digits);
      if (code < 0 || code > 0x10FFFF) fail("a str has a wrong escape");
      append_utf8(text, static_cast<char32_t>(code));
    } else {
      append_utf8(text, c);
    }
  }
  push_text(keep(std::move(text)));
}

std::uint64_t Tree::Machine::line_number() {
  const std::string_view line = take_line();
  std::uint64_t number = 0;
  const auto [at, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (at != line.data() + line.size() || error != std::errc()) fail("a number is none");
  return number;
}

}  // namespace tutti::inline TUTTI_ABI::pickle
