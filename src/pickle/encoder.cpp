#include "tutti/pickle/encoder.h"

#include <bit>
#include <cstring>
#include <string>

#include "pickle/exception_classes.h"
#include "pickle/opcodes.h"
#include "pickle/utf8.h"
#include "tutti/errors.h"
#include "tutti/pickle/bytes.h"
#include "tutti/pickle/encode.h"
#include "tutti/pickle/exceptions.h"
#include "tutti/pickle/packed.h"

namespace tutti::inline TUTTI_ABI::pickle {

Encoder::Encoder() {
  put(opcode::proto);
  put(4);
}

void Encoder::put_number(std::uint64_t number, int size) {
  for (int i = 0; i < size; ++i) put(static_cast<unsigned char>(number >> 8 * i));
}

void Encoder::put_sized(std::span<const std::byte> bytes, unsigned char short_code,
                        unsigned char code, unsigned char long_code) {
  if (bytes.size() <= 0xFF && short_code != 0) {
    put(short_code);
    put_number(bytes.size(), 1);
  } else if (bytes.size() <= 0xFFFFFFFF && code != 0) {
    put(code);
    put_number(bytes.size(), 4);
  } else {
    put(long_code);
    put_number(bytes.size(), 8);
  }
  put(bytes);
}

void Encoder::write_none() {
  put(opcode::none);
}

void Encoder::write_bool(bool value) {
  put(value ? opcode::new_true : opcode::new_false);
}

void Encoder::write_int(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  if (bits <= 0xFF) {
    put(opcode::binint1);
    put_number(bits, 1);
  } else if (bits <= 0xFFFF) {
    put(opcode::binint2);
    put_number(bits, 2);
  } else if (value >= INT32_MIN && value <= INT32_MAX) {
    put(opcode::binint);
    put_number(bits, 4);
  } else {
    put(opcode::long1);
    put(8);
    put_number(bits, 8);
  }
}

void Encoder::write_uint(std::uint64_t value) {
  if (value <= INT64_MAX) {
    write_int(static_cast<std::int64_t>(value));
    return;
  }
  // A ninth byte, or it would be negative.
  put(opcode::long1);
  put(9);
  put_number(value, 8);
  put(0);
}

void Encoder::write_big(std::span<const std::byte> bytes) {
  if (bytes.size() > INT32_MAX) throw ValueError("an int is too large for Python");
  put_sized(bytes, opcode::long1, opcode::long4, opcode::long4);
}

void Encoder::write_float(double value) {
  put(opcode::binfloat);
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int i = 7; i >= 0; --i) put(static_cast<unsigned char>(bits >> 8 * i));
}

void Encoder::write_text(std::string_view text) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
  if (!is_utf8(text)) {
    write_bytes(bytes);
    return;
  }
  put_sized(bytes, opcode::short_binunicode, opcode::binunicode, opcode::binunicode8);
}

void Encoder::write_bytes(std::span<const std::byte> bytes) {
  put_sized(bytes, opcode::short_binbytes, opcode::binbytes, opcode::binbytes8);
}

void Encoder::write_bytearray(std::span<const std::byte> bytes) {
  // It has an opcode of its own in protocol 5 only.
  write_global("builtins", "bytearray");
  write_bytes(bytes);
  put(opcode::tuple1);
  call();
}

void Encoder::write_complex(double real, double imaginary) {
  write_global("builtins", "complex");
  write_float(real);
  write_float(imaginary);
  put(opcode::tuple2);
  call();
}

void Encoder::write_timedelta(std::int64_t days, std::int64_t seconds, std::int64_t microseconds) {
  // As Python has them: only days are negative.
  if (microseconds < 0) {
    microseconds += 1'000'000;
    --seconds;
  }
  if (seconds < 0) {
    seconds += 86'400;
    --days;
  }
  if (days > 999'999'999 || days < -999'999'999) {
    throw ValueError("a duration of " + std::to_string(days) + " days is too long for Python");
  }
  write_global("datetime", "timedelta");
  write_int(days);
  write_int(seconds);
  write_int(microseconds);
  put(opcode::tuple3);
  call();
}

void Encoder::write_exception(const std::exception_ptr& exception) {
  const std::vector<ThrownRecord> chain = describe_exception(exception);
  if (chain.empty()) write_none();
  // Causes are attributes of what they caused, and so on.
  for (const ThrownRecord& record : chain) {
    const bool is_cause = &record != &chain.front();
    if (is_cause) {
      put(opcode::empty_dict);
      write_text("__cause__");
    }
    const auto [module, name] = python_class_of(record.known);
    write_global(module, name);
    std::string text = record.text;
    if (record.type != record.known) text = text.empty() ? record.type : record.type + ": " + text;
    if (has_error_number(record.known) && record.code != 0) {
      write_int(record.code);
      write_text(text);
      put(opcode::tuple2);
    } else if (text.empty()) {
      put(opcode::empty_tuple);
    } else {
      write_text(text);
      put(opcode::tuple1);
    }
    call();
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    put(opcode::setitem);
    set_state();
  }
}

void Encoder::begin(unsigned char code) {
  if (depth_ >= deepest) throw_deep();
  ++depth_;
  if (code != 0) put(code);
  put(opcode::mark);
}

void Encoder::end(unsigned char code) {
  --depth_;
  put(code);
}

void Encoder::begin_list() {
  begin(keys_ != 0 ? 0 : opcode::empty_list);
}
void Encoder::end_list() {
  end(keys_ != 0 ? opcode::tuple : opcode::appends);
}
void Encoder::begin_tuple() {
  begin(0);
}
void Encoder::end_tuple() {
  end(opcode::tuple);
}
void Encoder::begin_dict() {
  if (keys_ != 0) throw ValueError("a dict can be no key of a dict, nor an element of a set");
  begin(opcode::empty_dict);
}
void Encoder::end_dict() {
  end(opcode::setitems);
}
void Encoder::begin_set() {
  begin(keys_ != 0 ? 0 : opcode::empty_set);
}
void Encoder::end_set() {
  end(keys_ != 0 ? opcode::frozenset : opcode::additems);
}
void Encoder::begin_frozenset() {
  begin(0);
}
void Encoder::end_frozenset() {
  end(opcode::frozenset);
}

void Encoder::write_global(std::string_view module, std::string_view name) {
  write_text(module);
  write_text(name);
  put(opcode::stack_global);
}

void Encoder::call() {
  put(opcode::reduce);
}

void Encoder::set_state() {
  put(opcode::build);
}

std::vector<std::byte> Encoder::finish() {
  put(opcode::stop);
  return std::move(bytes_);
}

void encoding::Archive::throw_no_descriptor(const char* owner) {
  packing::throw_no_passage(owner);
}

}  // namespace tutti::inline TUTTI_ABI::pickle
