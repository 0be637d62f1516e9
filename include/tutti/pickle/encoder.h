// Writing Python's pickles: protocol 4, which every Python since 3.4 reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string_view>
#include <vector>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::pickle {

/// Writes one value, part by part: a container is begun, its parts are written, it is ended. Not
/// thread-safe.
class Encoder {
 public:
  Encoder();

  void write_none();
  void write_bool(bool value);
  void write_int(std::int64_t value);
  void write_uint(std::uint64_t value);
  /// An int of any size: two's complement, the lowest byte first.
  void write_big(std::span<const std::byte> bytes);
  void write_float(double value);
  /// A str; bytes if it is not UTF-8, since Python's str can't hold it.
  void write_text(std::string_view text);
  void write_bytes(std::span<const std::byte> bytes);
  void write_bytearray(std::span<const std::byte> bytes);
  void write_complex(double real, double imaginary);
  /// A datetime.timedelta, of parts that all have the same sign, each less than one of the next.
  /// Throws ValueError when it is too long for Python.
  void write_timedelta(std::int64_t days, std::int64_t seconds, std::int64_t microseconds);
  /// An exception of Python's class of the same meaning, with its causes.
  void write_exception(const std::exception_ptr& exception);

  // What is begun more than 200 levels deep throws ValueError.
  void begin_list();
  void end_list();
  void begin_tuple();
  void end_tuple();
  /// Keys and values follow by turns.
  void begin_dict();
  void end_dict();
  void begin_set();
  void end_set();
  void begin_frozenset();
  void end_frozenset();
  /// Keys of dicts and elements of sets must be hashable: between these two, lists become tuples,
  /// sets become frozensets, and a dict throws ValueError.
  void begin_key() noexcept { ++keys_; }
  void end_key() noexcept { --keys_; }

  /// What has been begun is ended. The encoder is used up.
  std::vector<std::byte> finish();

  // --- for exceptions, also those that were read ---
  /// A class, or function, of a module, to be called with the tuple that follows.
  void write_global(std::string_view module, std::string_view name);
  void call();
  /// The value before gets the attributes that the dict just written has.
  void set_state();

 private:
  void put(unsigned char byte) { bytes_.push_back(std::byte{byte}); }
  void put(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void put_number(std::uint64_t number, int size);
  void put_sized(std::span<const std::byte> bytes, unsigned char short_code, unsigned char code,
                 unsigned char long_code);
  void begin(unsigned char code);
  void end(unsigned char code);

  std::vector<std::byte> bytes_;
  std::size_t depth_ = 0;
  std::size_t keys_ = 0;
};

}  // namespace tutti::inline TUTTI_ABI::pickle
