// Making values of C++ of what Python sent.
#pragma once

#include <algorithm>
#include <chrono>
#include <complex>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tutti/errors.h"
#include "tutti/pickle/encode.h"
#include "tutti/pickle/kinds.h"
#include "tutti/pickle/object.h"
#include "tutti/pickle/tree.h"

namespace tutti::inline TUTTI_ABI::pickle::encoding {

using Place = Tree::Place;

// --- which alternative of a variant is meant -----------------------------------------------------

enum class Fit : std::uint8_t {
  no,
  /// Such as an int for a double.
  lenient,
  exact,
};

constexpr Fit fit_if(bool exact, bool lenient) {
  return exact ? Fit::exact : lenient ? Fit::lenient : Fit::no;
}

template <typename T>
inline constexpr bool has_bytes = false;
template <typename T>
requires requires {
  typename T::value_type;
}
inline constexpr bool has_bytes<T> = ByteLike<typename T::value_type>;

template <typename... Parts>
Fit best_fit(const Node& node, TypeList<Parts...>);

/// Whether `node` may be a T, as far as can be told without a look at its parts.
template <typename T>
Fit fit(const Node& node) {
  constexpr Kind of = kind<T>;
  const Type type = node.type;
  if constexpr (std::same_as<T, Object>) {
    return Fit::lenient;
  } else if constexpr (of == Kind::boolean) {
    return fit_if(type == Type::boolean, false);
  } else if constexpr (std::floating_point<T>) {
    return fit_if(type == Type::floating, type == Type::integer);
  } else if constexpr (of == Kind::number || Bitset<T>) {
    return fit_if(type == Type::integer, false);
  } else if constexpr (std::same_as<T, std::monostate>) {
    return fit_if(type == Type::none, false);
  } else if constexpr (of == Kind::exception) {
    return fit_if(type == Type::exception, type == Type::none);
  } else if constexpr (of == Kind::optional) {
    return type == Type::none ? Fit::exact : fit<typename T::value_type>(node);
  } else if constexpr (of == Kind::variant) {
    return best_fit(node, PartsOf<T>{});
  } else if constexpr (of == Kind::path || Text<T>) {
    return fit_if(type == Type::text, type == Type::bytes);
  } else if constexpr (is_complex<T>) {
    return fit_if(type == Type::complex, false);
  } else if constexpr (is_duration<T> || is_time_point<T>) {
    return fit_if(type == Type::timedelta, type == Type::integer);
  } else if constexpr (of == Kind::map) {
    return fit_if(type == Type::dict, type == Type::list && TakesEqualKeys<T>);
  } else if constexpr (of == Kind::set) {
    return fit_if(type == Type::set,
                  type == Type::frozenset || (type == Type::list && TakesEqualKeys<T>));
  } else if constexpr (of == Kind::tuple || of == Kind::aggregate) {
    return fit_if(type == Type::tuple && node.count == PartsOf<T>::size,
                  type == Type::list && node.count == PartsOf<T>::size);
  } else if constexpr (of == Kind::hook || of == Kind::empty) {
    return fit_if(type == Type::tuple, type == Type::list);
  } else {
    // An array or a sequence.
    const bool is_bytes = type == Type::bytes || type == Type::bytearray;
    const bool is_list = type == Type::list || type == Type::tuple;
    return has_bytes<T> ? fit_if(is_bytes, is_list) : fit_if(type == Type::list, is_list);
  }
}

template <typename... Parts>
Fit best_fit(const Node& node, TypeList<Parts...>) {
  return std::max({Fit::no, fit<std::remove_cv_t<Parts>>(node)...});
}

// --- scalars -------------------------------------------------------------------------------------

template <typename T>
T decode(Tree& tree, const Node& node, const Place& place);
template <typename T>
void decode_into(Tree& tree, const Node& node, const Place& place, T& into);

inline Place part_of(const Place& place, std::size_t index) {
  return {&place, nullptr, index, place.depth + 1};
}

inline void must_be(Tree& tree, const Node& node, const Place& place, const char* expected,
                    std::initializer_list<Type> types) {
  tree.visit(node, place);
  for (const Type type : types) {
    if (node.type == type) return;
  }
  tree.throw_unexpected(expected, node, place);
}

template <typename T>
T decode_number(Tree& tree, const Node& node, const Place& place) {
  if constexpr (std::is_enum_v<T>) {
    return static_cast<T>(decode_number<std::underlying_type_t<T>>(tree, node, place));
  } else if constexpr (std::same_as<T, bool>) {
    return tree.read_bool(node, place);
  } else if constexpr (std::floating_point<T>) {
    return static_cast<T>(tree.read_float(node, place));
  } else if constexpr (std::signed_integral<T>) {
    static_assert(sizeof(T) <= sizeof(std::int64_t), "ints of more than 64 bits are not read");
    using Limits = std::numeric_limits<T>;
    return static_cast<T>(tree.read_int(node, place, Limits::min(), Limits::max()));
  } else {
    static_assert(sizeof(T) <= sizeof(std::int64_t), "ints of more than 64 bits are not read");
    return static_cast<T>(tree.read_uint(node, place, std::numeric_limits<T>::max()));
  }
}

template <typename T>
T decode_bits(Tree& tree, const Node& node, const Place& place) {
  T bits;
  const std::vector<std::byte> bytes = tree.read_bits(node, place, bits.size());
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const std::byte mask = std::byte{1} << static_cast<int>(i % 8);
    if (i / 8 < bytes.size() && (bytes[i / 8] & mask) != std::byte{0}) bits.set(i);
  }
  return bits;
}

template <typename T>
T decode_duration(Tree& tree, const Node& node, const Place& place) {
  if (node.type != Type::timedelta) {
    return T(decode_number<typename T::rep>(tree, node, place));
  }
  const std::chrono::microseconds exact(tree.read_timedelta(node, place));
  using std::chrono::duration;
  using std::chrono::duration_cast;
  // Compared as floating-point numbers first, so that the cast can't overflow.
  using Rough = duration<long double, typename T::period>;
  const Rough rough(exact);
  if (rough < Rough(T::min()) || rough > Rough(T::max()) ||
      duration_cast<std::chrono::microseconds>(duration_cast<T>(exact)) != exact) {
    tree.throw_inexact(node, place);
  }
  return duration_cast<T>(exact);
}

// --- what has parts ------------------------------------------------------------------------------

template <typename T, std::size_t index = 0>
std::optional<T> decode_alternative(Tree& tree, const Node& node, const Place& place, Fit wanted,
                                    bool only) {
  if constexpr (index == std::variant_size_v<T>) {
    return std::nullopt;
  } else {
    using Alternative = std::variant_alternative_t<index, T>;
    if (fit<Alternative>(node) == wanted) {
      if (only) return T(std::in_place_index<index>, decode<Alternative>(tree, node, place));
      try {
        return T(std::in_place_index<index>, decode<Alternative>(tree, node, place));
      } catch (const ValueError&) {
        if (tree.is_exhausted()) throw;
      }
    }
    return decode_alternative<T, index + 1>(tree, node, place, wanted, only);
  }
}

template <typename... Alternatives>
std::size_t count_fits(const Node& node, TypeList<Alternatives...>) {
  return (std::size_t{0} + ... +
          (fit<std::remove_cv_t<Alternatives>>(node) != Fit::no ? std::size_t{1} : std::size_t{0}));
}

template <typename T>
T decode_variant(Tree& tree, const Node& node, const Place& place) {
  tree.visit(node, place);
  // Where there is no choice, the alternative's own error says more.
  const bool only = count_fits(node, PartsOf<T>{}) == 1;
  for (const Fit wanted : {Fit::exact, Fit::lenient}) {
    if (auto value = decode_alternative<T>(tree, node, place, wanted, only)) {
      return *std::move(value);
    }
  }
  tree.throw_unexpected("one of a variant's alternatives", node, place);
}

// The parts of a list or tuple, one after another.
class Parts {
 public:
  Parts(Tree& tree, const Node& node, const Place& place)
      : tree_(tree), node_(node), cursor_(tree, node), below_(part_of(place, 0)) {}

  template <typename T>
  T next() {
    const Node& part = next_node();
    T value = decode<T>(tree_, part, below_);
    ++below_.index;
    return value;
  }
  template <typename T>
  void next_into(T& into) {
    decode_into(tree_, next_node(), below_, into);
    ++below_.index;
  }
  std::size_t count() const noexcept { return below_.index; }
  bool at_end() const noexcept { return cursor_.at_end(); }

 private:
  const Node& next_node() {
    if (cursor_.at_end()) tree_.throw_wrong_count(below_.index + 1, node_, *below_.above);
    return cursor_.next();
  }

  Tree& tree_;
  const Node& node_;
  Tree::Cursor cursor_;
  Place below_;
};

class ReadingArchive {
 public:
  static constexpr bool is_reading = true;

  explicit ReadingArchive(Parts& parts) noexcept : parts_(parts) {}
  template <typename... Members>
  void operator()(Members&... members) {
    (parts_.next_into(members), ...);
  }
  [[noreturn]] void descriptor(int&, const char* owner) { Archive::throw_no_descriptor(owner); }

 private:
  Parts& parts_;
};

template <typename T, typename... Members>
T decode_tuple(Parts& parts, TypeList<Members...>) {
  // Braces, because they are evaluated in order.
  return T{parts.next<std::remove_cv_t<Members>>()...};
}

template <typename T>
T decode_fixed(Tree& tree, const Node& node, const Place& place) {
  must_be(tree, node, place, "tuple", {Type::tuple, Type::list});
  Parts parts(tree, node, place);
  if constexpr (kind<T> == Kind::hook) {
    static_assert(std::is_default_constructible_v<T>,
                  "a type with tutti_serialize must have a default constructor to be read");
    T value{};
    ReadingArchive archive(parts);
    if constexpr (kinds::HookInClass<T>) {
      T::tutti_serialize(archive, value);
    } else {
      tutti_serialize(archive, value);
    }
    if (!parts.at_end()) tree.throw_wrong_count(parts.count(), node, place);
    return value;
  } else {
    constexpr std::size_t count = PartsOf<T>::size;
    if (node.count != count) tree.throw_wrong_count(count, node, place);
    if constexpr (kind<T> == Kind::empty) {
      return T{};
    } else if constexpr (kind<T> == Kind::tuple) {
      return decode_tuple<T>(parts, PartsOf<T>{});
    } else {
      return make_aggregate<T>(
          [&]<typename Member>() { return parts.next<std::remove_cv_t<Member>>(); });
    }
  }
}

template <typename T>
void decode_array(Tree& tree, const Node& node, const Place& place, T& array) {
  constexpr std::size_t size = sizeof(array) / sizeof(array[0]);
  using Element = std::remove_reference_t<decltype(array[0])>;
  if constexpr (ByteLike<Element>) {
    if (node.type == Type::bytes || node.type == Type::bytearray) {
      const std::span<const std::byte> bytes = tree.read_bytes(node, place);
      if (bytes.size() != size) tree.throw_wrong_size(size, node, place);
      std::memcpy(&array, bytes.data(), size);
      return;
    }
  }
  must_be(tree, node, place, "list", {Type::list, Type::tuple});
  if (node.count != size) tree.throw_wrong_count(size, node, place);
  Parts parts(tree, node, place);
  for (Element& element : array) parts.next_into(element);
}

template <typename T>
T decode_map(Tree& tree, const Node& node, const Place& place) {
  using Key = typename T::key_type;
  using Mapped = typename T::mapped_type;
  T map;
  if (TakesEqualKeys<T> && node.type != Type::dict) {
    must_be(tree, node, place, "list", {Type::list, Type::tuple});
    Parts parts(tree, node, place);
    while (!parts.at_end()) {
      auto [key, mapped] = parts.next<std::pair<Key, Mapped>>();
      map.emplace(std::move(key), std::move(mapped));
    }
    return map;
  }
  must_be(tree, node, place, "dict", {Type::dict});
  for (Tree::Cursor parts(tree, node); !parts.at_end();) {
    const Node& key_node = parts.next();
    const Place below{&place, &key_node, 0, place.depth + 1};
    Key key = decode<Key>(tree, key_node, below);
    Mapped mapped = decode<Mapped>(tree, parts.next(), below);
    // Of two that are the same, Python keeps the later.
    if constexpr (requires { map.insert_or_assign(std::move(key), std::move(mapped)); }) {
      map.insert_or_assign(std::move(key), std::move(mapped));
    } else {
      map.emplace(std::move(key), std::move(mapped));
    }
  }
  return map;
}

template <typename T>
T decode_container(Tree& tree, const Node& node, const Place& place) {
  using Element = typename T::value_type;
  T container;
  if constexpr (ByteLike<Element> && requires { container.resize(1); }) {
    if (node.type == Type::bytes || node.type == Type::bytearray) {
      const std::span<const std::byte> bytes = tree.read_bytes(node, place);
      const auto* first = reinterpret_cast<const Element*>(bytes.data());
      container.assign(first, first + bytes.size());
      return container;
    }
  }
  if constexpr (kind<T> == Kind::set) {
    if (TakesEqualKeys<T> && (node.type == Type::list || node.type == Type::tuple)) {
      tree.visit(node, place);
    } else {
      must_be(tree, node, place, "set", {Type::set, Type::frozenset});
    }
  } else {
    must_be(tree, node, place, "list", {Type::list, Type::tuple});
  }
  Parts parts(tree, node, place);
  if constexpr (kind<T> == Kind::set) {
    while (!parts.at_end()) container.emplace(parts.next<Element>());
  } else {
    if constexpr (requires { container.reserve(1); }) {
      // Elements may be much larger than what they are read from.
      constexpr std::size_t worth = 64;
      container.reserve(
          std::min<std::size_t>(node.count, node.count * worth / sizeof(Element) + 1));
    }
    while (!parts.at_end()) container.push_back(parts.next<Element>());
  }
  return container;
}

template <typename T>
T decode(Tree& tree, const Node& node, const Place& place) {
  constexpr Kind of = kind<T>;
  if constexpr (std::same_as<T, Object>) {
    return Object::decode(tree, node, place);
  } else if constexpr (of == Kind::boolean || of == Kind::number) {
    return decode_number<T>(tree, node, place);
  } else if constexpr (std::same_as<T, std::monostate>) {
    must_be(tree, node, place, "None", {Type::none});
    return {};
  } else if constexpr (of == Kind::exception) {
    return tree.read_exception(node, place);
  } else if constexpr (of == Kind::optional) {
    if (node.type == Type::none) return std::nullopt;
    return T(std::in_place, decode<std::remove_cv_t<typename T::value_type>>(tree, node, place));
  } else if constexpr (of == Kind::variant) {
    return decode_variant<T>(tree, node, place);
  } else if constexpr (of == Kind::path || Text<T>) {
    return T(tree.read_text(node, place));
  } else if constexpr (is_complex<T>) {
    const std::complex<double> value = tree.read_complex(node, place);
    using Part = typename T::value_type;
    return T(static_cast<Part>(value.real()), static_cast<Part>(value.imag()));
  } else if constexpr (is_duration<T>) {
    return decode_duration<T>(tree, node, place);
  } else if constexpr (is_time_point<T>) {
    return T(decode_duration<typename T::duration>(tree, node, place));
  } else if constexpr (Bitset<T>) {
    return decode_bits<T>(tree, node, place);
  } else if constexpr (of == Kind::map) {
    return decode_map<T>(tree, node, place);
  } else if constexpr (of == Kind::opaque) {
    must_have_form<T>();
  } else if constexpr (of == Kind::array || have_array(PartsOf<T>{})) {
    T value{};
    decode_into(tree, node, place, value);
    return value;
  } else if constexpr (of == Kind::sequence || of == Kind::set) {
    return decode_container<T>(tree, node, place);
  } else {
    return decode_fixed<T>(tree, node, place);
  }
}

template <typename T>
void decode_into(Tree& tree, const Node& node, const Place& place, T& into) {
  if constexpr (kind<T> == Kind::array) {
    decode_array(tree, node, place, into);
  } else if constexpr (kind<T> == Kind::aggregate && have_array(PartsOf<T>{})) {
    must_be(tree, node, place, "tuple", {Type::tuple, Type::list});
    if (node.count != member_count<T>) tree.throw_wrong_count(member_count<T>, node, place);
    Parts parts(tree, node, place);
    with_members(into, [&](auto&... members) { (parts.next_into(members), ...); });
  } else {
    into = decode<T>(tree, node, place);
  }
}

}  // namespace tutti::inline TUTTI_ABI::pickle::encoding
