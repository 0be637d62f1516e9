// A value of whatever type Python sent.
#pragma once

#include <complex>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tutti/config.h"
#include "tutti/pickle/encoder.h"
#include "tutti/pickle/tree.h"

namespace tutti::inline TUTTI_ABI::pickle {

/// One of Python's plain values, for messages whose type is not known beforehand.
///
///     Object message = connection.recv<Object>();
///     std::cout << message["name"] << message["sizes"].as<std::vector<int>>()[0];
///
/// Equal to another of the same type and value: unlike in Python, 1 is not 1.0. A plain value;
/// distinct objects may be used by distinct threads.
class Object {
 public:
  struct None {};
  /// An int beyond 64 bits: two's complement, the lowest byte first, no longer than need be.
  struct BigInt {
    std::vector<std::byte> bytes;
  };
  struct Bytes {
    std::vector<std::byte> bytes;
  };
  struct ByteArray {
    std::vector<std::byte> bytes;
  };
  struct List {
    std::vector<Object> items;
  };
  struct Tuple {
    std::vector<Object> items;
  };
  struct Set {
    std::vector<Object> items;
  };
  struct FrozenSet {
    std::vector<Object> items;
  };
  /// In the order in which Python had them.
  struct Dict {
    std::vector<std::pair<Object, Object>> items;
  };
  struct TimeDelta {
    std::int64_t days;
    std::int64_t seconds;
    std::int64_t microseconds;
  };
  /// What it was made with, and its attributes.
  struct Exception {
    /// "builtins", "ValueError".
    std::string_view module() const;
    std::string_view name() const;

    /// Which of the classes that are known.
    std::uint32_t number;
    std::vector<Object> arguments;
    std::vector<std::pair<Object, Object>> attributes;
  };
  using Value =
      std::variant<None, bool, std::int64_t, BigInt, double, std::string, Bytes, ByteArray, List,
                   Tuple, Dict, Set, FrozenSet, std::complex<double>, TimeDelta, Exception>;

  /// None.
  Object() noexcept;
  Object(bool value);
  template <std::signed_integral T>
  Object(T value) : Object(Value(std::int64_t{value})) {}
  Object(double value);
  Object(std::string_view text);
  Object(const char* text) : Object(std::string_view(text)) {}
  Object(const std::string& text) : Object(std::string_view(text)) {}
  explicit Object(Value value);
  Object(const Object&);
  Object(Object&&) noexcept;
  Object& operator=(const Object&);
  Object& operator=(Object&&) noexcept;
  ~Object();

  /// What Python gets when it is sent `value`.
  template <typename T>
  static Object of(const T& value);
  /// The value as a T, as loads<T> reads it. Throws ValueError when it is of another type.
  template <typename T>
  T as() const;

  Type type() const noexcept;
  bool is_none() const noexcept { return type() == Type::none; }
  const Value& value() const noexcept { return value_; }
  Value& value() noexcept { return value_; }

  /// The element of a list or tuple, counted from the end if `key` is negative, or the value that a
  /// dict has for it. Throws std::out_of_range when there is none, TypeError for other types.
  const Object& operator[](const Object& key) const;
  /// The number of elements, or of bytes in a str. Throws TypeError for what has none.
  std::size_t size() const;

  /// As Python's repr() writes it.
  std::string repr() const;
  friend std::ostream& operator<<(std::ostream& stream, const Object& object);
  friend bool operator==(const Object& left, const Object& right);

  void encode(Encoder& encoder) const;
  static Object decode(Tree& tree, const Node& node, const Tree::Place& place);

  /// Between processes of one program it crosses as its pickle.
  template <typename Archive>
  static void tutti_serialize(Archive& archive, Object& object) {
    std::vector<std::byte> pickled;
    if (!Archive::is_reading) pickled = object.dumped();
    archive(pickled);
    if (Archive::is_reading) object = loaded(pickled);
  }

 private:
  std::vector<std::byte> dumped() const;
  static Object loaded(std::span<const std::byte> pickle);

  Value value_;
};

}  // namespace tutti::inline TUTTI_ABI::pickle
