// Text in a buffer of its own, for places where nothing may be allocated, such as a signal's
// handler.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// What has no room any more is left out. Async-signal-safe.
template <std::size_t capacity>
class FixedText {
 public:
  FixedText& add(std::string_view text) noexcept {
    size_ += text.copy(bytes_.data() + size_, capacity - size_);
    return *this;
  }
  FixedText& add_number(std::uint64_t number, int base = 10) noexcept {
    char* const begin = bytes_.data() + size_;
    const auto [end, error] = std::to_chars(begin, bytes_.data() + capacity, number, base);
    if (error == std::errc()) size_ += static_cast<std::size_t>(end - begin);
    return *this;
  }
  FixedText& add_address(std::uint64_t address) noexcept {
    return add("0x").add_number(address, 16);
  }
  /// "1.204 s".
  FixedText& add_seconds(std::int64_t nanoseconds) noexcept {
    const auto milliseconds =
        static_cast<std::uint64_t>(nanoseconds < 0 ? 0 : nanoseconds / 1'000'000);
    add_number(milliseconds / 1000).add(".");
    const std::uint64_t thousandths = milliseconds % 1000;
    if (thousandths < 100) add("0");
    if (thousandths < 10) add("0");
    return add_number(thousandths).add(" s");
  }
  /// Without the control characters that would reach the terminal.
  FixedText& add_printable(std::string_view text) noexcept {
    for (const char c : text) {
      const bool is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
      add(is_control ? std::string_view("?") : std::string_view(&c, 1));
    }
    return *this;
  }

  std::string_view text() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<char, capacity> bytes_;
  std::size_t size_ = 0;
};

}  // namespace tutti::inline TUTTI_ABI::runtime
