// Values as bytes for another process of the same program: compact, fast, not for files or other
// programs. The receiver's types must be the sender's; its bytes may be anything.
//
// Trivially copyable types without pointers are their own bytes; so are the elements of vectors of
// such. A container is its size in 8 bytes and its elements; an optional a byte and the value; a
// variant its index in 4 bytes and the value; an exception is what describe_exception() tells.
// Every value takes at least one byte, so that what is left bounds every size.
//
// A class is described by its author where reflection can't see it, by a function found by
// argument-dependent lookup, a friend, or a static member:
//
//     template <class Archive>
//     void tutti_serialize(Archive& archive, Account& account) {
//       archive(account.owner_, account.balance_);
//     }
//
// It is called to measure, to write and to read, with `Archive::is_reading` in the last case, and
// must then be default-constructible. `archive.descriptor(fd, "Lock")` passes a file descriptor,
// which the reader owns from then on.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tutti/errors.h"
#include "tutti/pickle/bytes.h"
#include "tutti/pickle/exceptions.h"
#include "tutti/pickle/kinds.h"

namespace tutti::inline TUTTI_ABI::pickle {

namespace packing {

/// Whether a T is written as its own bytes.
template <typename T>
inline constexpr bool flat = false;
template <typename... Parts>
inline constexpr bool flat<TypeList<Parts...>> = (flat<std::remove_cv_t<Parts>> && ...);
template <typename T>
requires(kind<T> == Kind::boolean || kind<T> == Kind::number ||
         kind<T> == Kind::opaque) inline constexpr bool flat<T> = true;
template <typename T>
requires(kind<T> == Kind::array || kind<T> == Kind::aggregate) inline constexpr bool flat<T> =
    std::is_trivially_copyable_v<T> && flat<PartsOf<T>>;

/// Whether some bytes make no T: there is a bool in it.
template <typename T>
inline constexpr bool checked = kind<T> == Kind::boolean;
template <typename... Parts>
inline constexpr bool checked<TypeList<Parts...>> = (checked<std::remove_cv_t<Parts>> || ...);
template <typename T>
requires(kind<T> == Kind::array ||
         kind<T> == Kind::aggregate) inline constexpr bool checked<T> = checked<PartsOf<T>>;

/// Throws ValueError if a bool in `value` is neither.
template <typename T>
void check(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    // A load as bool would not be defined.
    unsigned char byte = 0;
    std::memcpy(&byte, &value, sizeof byte);
    if (byte > 1) throw_invalid("bool", byte);
  } else if constexpr (!checked<T>) {
  } else if constexpr (kind<T> == Kind::array) {
    for (const auto& element : value) check(element);
  } else {
    with_members(value, [](const auto&... members) { (check(members), ...); });
  }
}

/// So many bytes a T takes at least.
template <typename T>
inline constexpr std::size_t smallest = 1;
template <typename... Parts>
inline constexpr std::size_t smallest<TypeList<Parts...>> = (std::size_t{0} + ... +
                                                             smallest<std::remove_cv_t<Parts>>);
template <typename T>
requires flat<T>
inline constexpr std::size_t smallest<T> = sizeof(T);
template <typename T>
requires(kind<T> == Kind::sequence || kind<T> == Kind::set || kind<T> == Kind::map ||
         kind<T> == Kind::path ||
         kind<T> ==
             Kind::exception) inline constexpr std::size_t smallest<T> = sizeof(std::uint64_t);
template <typename T>
requires(kind<T> == Kind::tuple ||
         (kind<T> == Kind::aggregate &&
          !flat<T>)) inline constexpr std::size_t smallest<T> = smallest<PartsOf<T>>;

/// A container whose elements lie one after another and are their own bytes.
template <typename T>
concept Contiguous = flat<typename T::value_type> && requires(T& container) {
  { container.data() } -> std::same_as<typename T::value_type*>;
  container.resize(1);
};

template <typename Archive, typename T>
void call_hook(Archive& archive, T& value) {
  if constexpr (kinds::HookInClass<T>) {
    T::tutti_serialize(archive, value);
  } else {
    tutti_serialize(archive, value);
  }
}

[[noreturn]] void throw_no_passage(const char* what);

template <typename T>
void measure(Measure& size, const T& value);
template <typename T>
void write(Writer& writer, const T& value);
template <typename T>
T read(Reader& reader);
template <typename T>
void read_into(Reader& reader, T& place);

class Measuring {
 public:
  static constexpr bool is_reading = false;

  explicit Measuring(Measure& measure) noexcept : measure_(measure) {}
  template <typename... Members>
  void operator()(const Members&... members) {
    (packing::measure(measure_, members), ...);
  }
  void descriptor(int&, const char*) { measure_.add(sizeof(int)); }

 private:
  Measure& measure_;
};

class Writing {
 public:
  static constexpr bool is_reading = false;

  explicit Writing(Writer& writer) noexcept : writer_(writer) {}
  template <typename... Members>
  void operator()(const Members&... members) {
    (packing::write(writer_, members), ...);
  }
  /// The receiver gets a duplicate of `descriptor`. `owner` names what it belongs to, for the
  /// RuntimeError thrown where there is no passage.
  void descriptor(int& descriptor, const char* owner) {
    if (writer_.passage() == nullptr) throw_no_passage(owner);
    packing::write(writer_, writer_.passage()->add_descriptor(descriptor));
  }

 private:
  Writer& writer_;
};

class Reading {
 public:
  static constexpr bool is_reading = true;

  explicit Reading(Reader& reader) noexcept : reader_(reader) {}
  template <typename... Members>
  void operator()(Members&... members) {
    (packing::read_into(reader_, members), ...);
  }
  void descriptor(int& descriptor, const char* owner) {
    if (reader_.passage() == nullptr) throw_no_passage(owner);
    descriptor = reader_.passage()->take_descriptor(packing::read<int>(reader_));
  }

 private:
  Reader& reader_;
};

// --- measuring -----------------------------------------------------------------------------------

template <typename T>
void measure(Measure& size, const T& value) {
  constexpr Kind kind = pickle::kind<T>;
  if constexpr (flat<T>) {
    size.add(sizeof(T));
  } else if constexpr (kind == Kind::empty) {
    size.add(1);
  } else if constexpr (kind == Kind::hook) {
    const Nesting nesting(size);
    size.add(1);
    Measuring archive(size);
    call_hook(archive, const_cast<T&>(value));
  } else if constexpr (kind == Kind::exception) {
    measure(size, describe_exception(value));
  } else if constexpr (kind == Kind::optional) {
    size.add(1);
    if (value) measure(size, *value);
  } else if constexpr (kind == Kind::variant) {
    size.add(sizeof(std::uint32_t));
    std::visit([&](const auto& alternative) { measure(size, alternative); }, value);
  } else if constexpr (kind == Kind::path) {
    measure(size, value.native());
  } else if constexpr (kind == Kind::tuple) {
    std::apply([&](const auto&... parts) { (measure(size, parts), ...); }, value);
  } else if constexpr (kind == Kind::aggregate) {
    with_members(value, [&](const auto&... members) { (measure(size, members), ...); });
  } else if constexpr (kind == Kind::array) {
    for (const auto& element : value) measure(size, element);
  } else {
    const Nesting nesting(size);
    size.add(sizeof(std::uint64_t));
    if constexpr (kind == Kind::map) {
      for (const auto& [key, mapped] : value) {
        measure(size, key);
        measure(size, mapped);
      }
    } else if constexpr (flat<typename T::value_type>) {
      size.add(value.size() * sizeof(typename T::value_type));
    } else {
      for (const auto& element : value) measure(size, element);
    }
  }
}

// --- writing -------------------------------------------------------------------------------------

template <typename T>
void write(Writer& writer, const T& value) {
  constexpr Kind kind = pickle::kind<T>;
  if constexpr (flat<T>) {
    writer.write(&value, sizeof(T));
  } else if constexpr (kind == Kind::empty) {
    write(writer, std::uint8_t{0});
  } else if constexpr (kind == Kind::hook) {
    write(writer, std::uint8_t{0});
    Writing archive(writer);
    call_hook(archive, const_cast<T&>(value));
  } else if constexpr (kind == Kind::exception) {
    write(writer, describe_exception(value));
  } else if constexpr (kind == Kind::optional) {
    write(writer, value.has_value());
    if (value) write(writer, *value);
  } else if constexpr (kind == Kind::variant) {
    write(writer, static_cast<std::uint32_t>(value.index()));
    std::visit([&](const auto& alternative) { write(writer, alternative); }, value);
  } else if constexpr (kind == Kind::path) {
    write(writer, value.native());
  } else if constexpr (kind == Kind::tuple) {
    std::apply([&](const auto&... parts) { (write(writer, parts), ...); }, value);
  } else if constexpr (kind == Kind::aggregate) {
    with_members(value, [&](const auto&... members) { (write(writer, members), ...); });
  } else if constexpr (kind == Kind::array) {
    for (const auto& element : value) write(writer, element);
  } else {
    write(writer, std::uint64_t{value.size()});
    if constexpr (kind == Kind::map) {
      for (const auto& [key, mapped] : value) {
        write(writer, key);
        write(writer, mapped);
      }
    } else if constexpr (kind == Kind::sequence && Contiguous<T>) {
      writer.write(value.data(), value.size() * sizeof(typename T::value_type));
    } else {
      // A std::vector<bool> has proxies in place of elements.
      for (const auto& element : value) write<typename T::value_type>(writer, element);
    }
  }
}

// --- reading -------------------------------------------------------------------------------------

// Room for a T that has not begun.
template <typename T>
union Room {
  char nothing;
  T value;
  Room() noexcept : nothing() {}
};

template <typename T>
T read_flat(Reader& reader) {
  Room<T> room;
  reader.read(static_cast<void*>(&room.value), sizeof(T));
  check(room.value);
  return std::move(room.value);
}

template <typename T, std::size_t index = 0>
T read_alternative(Reader& reader, std::uint32_t chosen) {
  if constexpr (index == std::variant_size_v<T>) {
    throw_invalid("index of a variant's alternative", chosen);
  } else {
    if (chosen != index) return read_alternative<T, index + 1>(reader, chosen);
    return T(std::in_place_index<index>, read<std::variant_alternative_t<index, T>>(reader));
  }
}

template <typename T, typename... Parts>
T read_tuple(Reader& reader, TypeList<Parts...>) {
  // Braces, because they are evaluated in order.
  return T{read<std::remove_cv_t<Parts>>(reader)...};
}

template <typename T>
void read_elements(Reader& reader, T& container, std::size_t count) {
  using Element = typename T::value_type;
  if constexpr (kind<T> == Kind::map) {
    using Key = typename T::key_type;
    for (std::size_t i = 0; i < count; ++i) {
      Key key = read<Key>(reader);
      container.emplace_hint(container.end(), std::move(key),
                             read<typename T::mapped_type>(reader));
    }
  } else if constexpr (kind<T> == Kind::set) {
    for (std::size_t i = 0; i < count; ++i) {
      container.emplace_hint(container.end(), read<Element>(reader));
    }
  } else {
    if constexpr (requires { container.reserve(count); }) {
      // Elements may be much larger than what they are read from, so no more than the bytes could
      // fill is reserved before they are there.
      constexpr std::size_t worth = 4;
      container.reserve(std::min(count, reader.rest() / sizeof(Element) * worth + worth));
    }
    for (std::size_t i = 0; i < count; ++i) container.push_back(read<Element>(reader));
  }
}

template <typename T>
T read_container(Reader& reader) {
  using Element = typename T::value_type;
  const Nesting nesting(reader);
  T container;
  if constexpr (kind<T> == Kind::map) {
    using Pair = TypeList<typename T::key_type, typename T::mapped_type>;
    read_elements(reader, container, reader.read_count(smallest<Pair>));
  } else if constexpr (Contiguous<T>) {
    const std::size_t count = reader.read_count(sizeof(Element));
    const std::span<const std::byte> bytes = reader.take(count * sizeof(Element));
    const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
    if (!checked<Element> && address % alignof(Element) == 0 && count != 0) {
      // Made in one go, without having been zero before.
      const auto* elements = reinterpret_cast<const Element*>(bytes.data());
      container.assign(elements, elements + count);
    } else {
      container.resize(count);
      if (count != 0) {
        std::memcpy(static_cast<void*>(container.data()), bytes.data(), bytes.size());
      }
      if constexpr (checked<Element>) {
        for (const Element& element : container) check(element);
      }
    }
  } else {
    read_elements(reader, container, reader.read_count(smallest<Element>));
  }
  return container;
}

template <typename T>
T read(Reader& reader) {
  constexpr Kind kind = pickle::kind<T>;
  if constexpr (flat<T>) {
    return read_flat<T>(reader);
  } else if constexpr (kind == Kind::empty) {
    reader.take(1);
    return T{};
  } else if constexpr (kind == Kind::hook) {
    static_assert(std::is_default_constructible_v<T>,
                  "a type with tutti_serialize must have a default constructor to be read");
    const Nesting nesting(reader);
    reader.take(1);
    T value{};
    Reading archive(reader);
    call_hook(archive, value);
    return value;
  } else if constexpr (kind == Kind::exception) {
    return rebuild_exception(read<std::vector<ThrownRecord>>(reader));
  } else if constexpr (kind == Kind::optional) {
    if (!read<bool>(reader)) return std::nullopt;
    return T(std::in_place, read<std::remove_cv_t<typename T::value_type>>(reader));
  } else if constexpr (kind == Kind::variant) {
    return read_alternative<T>(reader, read<std::uint32_t>(reader));
  } else if constexpr (kind == Kind::path) {
    return T(read<typename T::string_type>(reader));
  } else if constexpr (kind == Kind::tuple) {
    return read_tuple<T>(reader, PartsOf<T>{});
  } else if constexpr (kind == Kind::array || have_array(PartsOf<T>{})) {
    T value{};
    read_into(reader, value);
    return value;
  } else if constexpr (kind == Kind::aggregate) {
    return make_aggregate<T>(
        [&]<typename Member>() { return read<std::remove_cv_t<Member>>(reader); });
  } else {
    return read_container<T>(reader);
  }
}

template <typename T>
void read_into(Reader& reader, T& place) {
  if constexpr (kind<T> == Kind::array) {
    if constexpr (flat<T>) {
      reader.read(&place, sizeof place);
      check(place);
    } else {
      for (auto& element : place) read_into(reader, element);
    }
  } else if constexpr (kind<T> == Kind::aggregate && !flat<T> && have_array(PartsOf<T>{})) {
    with_members(place, [&](auto&... members) { (read_into(reader, members), ...); });
  } else {
    place = read<T>(reader);
  }
}

}  // namespace packing

/// The number of bytes that pack() writes for `value` as it is now. Throws ValueError when it
/// contains its like more than 200 levels deep.
template <typename T>
std::size_t packed_size(const T& value) {
  if constexpr (Packable<T>) {
    Measure size;
    packing::measure(size, value);
    return size.size();
  } else {
    must_cross<T>();
  }
}

/// Writes `value`. Throws RuntimeError when the room is too small, or when a value owns a
/// descriptor and the writer has no passage.
template <typename T>
void pack(Writer& writer, const T& value) {
  if constexpr (Packable<T>) {
    packing::write(writer, value);
  } else {
    must_cross<T>();
  }
}

/// Reads what pack() wrote for a T. Throws ValueError when the bytes can't be that: they are cut
/// off, a size is larger than what is left, or an index, a bool or the depth is out of range.
template <typename T>
T unpack(Reader& reader) {
  if constexpr (Packable<T>) {
    return packing::read<std::remove_cv_t<T>>(reader);
  } else {
    must_cross<T>();
  }
}

}  // namespace tutti::inline TUTTI_ABI::pickle
