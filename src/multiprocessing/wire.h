// How a message begins on the wire: with its length, as CPython's Connections have it.
//
//     0 … 0x7fffffff   4 bytes with sign, the highest first
//     longer           -1 in 4 bytes, then 8 bytes without sign
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::connection {

inline constexpr std::size_t short_header = 4;
inline constexpr std::size_t long_header = 12;
inline constexpr std::uint64_t longest_of_short = 0x7fffffff;
inline constexpr std::uint32_t long_follows = 0xffffffff;

template <typename Number>
void write_big_endian(std::byte* to, Number number) {
  for (std::size_t i = sizeof number; i-- > 0; number = static_cast<Number>(number >> 8)) {
    to[i] = static_cast<std::byte>(number & 0xff);
  }
}

template <typename Number>
Number read_big_endian(const std::byte* from) {
  Number number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) {
    number = static_cast<Number>(number << 8 | static_cast<Number>(from[i]));
  }
  return number;
}

struct Header {
  std::array<std::byte, long_header> bytes;
  std::size_t size;
};

inline Header header_for(std::uint64_t length) {
  Header header;
  if (length <= longest_of_short) {
    write_big_endian(header.bytes.data(), static_cast<std::uint32_t>(length));
    header.size = short_header;
  } else {
    write_big_endian(header.bytes.data(), long_follows);
    write_big_endian(header.bytes.data() + short_header, length);
    header.size = long_header;
  }
  return header;
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::connection
