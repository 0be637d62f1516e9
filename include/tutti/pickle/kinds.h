// What can cross between processes: each type is of one kind, which says how it is written. What
// can't is told at compile time, by the type that contains it and the number of the member.
#pragma once

#include <array>
#include <cstddef>
#include <exception>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "tutti/pickle/reflection.h"

namespace tutti::inline TUTTI_ABI::pickle {

enum class Kind {
  // --- what crosses ---
  boolean,
  /// Arithmetic types, enumerations, std::byte.
  number,
  /// A class without members: nothing but its being there.
  empty,
  /// Has a tutti_serialize of its own.
  hook,
  exception,
  optional,
  variant,
  /// Of a fixed size.
  array,
  sequence,
  set,
  map,
  path,
  /// Pairs too.
  tuple,
  /// Members are named by reflection.
  aggregate,
  /// Trivially copyable, and its members can't be named, such as std::chrono's.
  opaque,

  // --- what doesn't ---
  pointer,
  reference,
  view,
  function,
  /// A class that is none of the above.
  closed,
};

constexpr bool crosses(Kind kind) {
  return kind < Kind::pointer;
}

namespace kinds {

// Stands for the archive when it is asked whether a type has a hook.
struct Archive {
  static constexpr bool is_reading = false;
  template <typename... Members>
  void operator()(Members&...) {}
  void descriptor(int&, const char*) {}
};

template <typename T>
concept HookInClass = requires(Archive& archive, T& value) {
  T::tutti_serialize(archive, value);
};
template <typename T>
concept HookOutside = requires(Archive& archive, T& value) {
  tutti_serialize(archive, value);
};
template <typename T>
concept Hooked = std::is_class_v<T> &&(HookInClass<T> || HookOutside<T>);

template <typename T, template <typename...> typename Template>
inline constexpr bool is_a = false;
template <template <typename...> typename Template, typename... Arguments>
inline constexpr bool is_a<Template<Arguments...>, Template> = true;

template <typename T>
inline constexpr bool is_empty_array = false;
template <typename T>
inline constexpr bool is_empty_array<std::array<T, 0>> = true;

template <typename T>
inline constexpr bool is_array = std::is_array_v<T>;
template <typename T, std::size_t size>
inline constexpr bool is_array<std::array<T, size>> = true;

// Containers are known by what they can do, so that their headers need not be included.
template <typename T>
concept Container = requires(T& container, typename T::value_type& element) {
  container.begin() != container.end();
  container.size();
};
template <typename T>
concept Sequence = Container<T> && requires(T& container, typename T::value_type& element) {
  container.push_back(std::move(element));
};
template <typename T>
concept Keyed = Container<T> && requires(T& container, typename T::key_type& key) {
  container.find(key);
};
template <typename T>
concept Mapping = Keyed<T> && requires {
  typename T::mapped_type;
};

template <typename T>
concept Path = requires(const T& path) {
  path.native();
  path.lexically_normal();
  typename T::string_type;
};

template <typename T>
concept View = std::ranges::enable_borrowed_range<T> || std::ranges::enable_view<T> ||
    is_a<T, std::initializer_list>;

// Smart pointers and iterators.
template <typename T>
concept LikePointer = requires(T& pointer) {
  *pointer;
}
|| requires(T& pointer) {
  pointer.operator->();
}
|| is_a<T, std::reference_wrapper>;

template <typename T>
concept TupleLike = requires {
  std::tuple_size<T>::value;
};

// What a lambda captured can't be seen. It has no name, but the compilers' word for that has.
template <typename T>
constexpr bool is_closure() {
  return std::string_view(__PRETTY_FUNCTION__).find("lambda") != std::string_view::npos &&
         requires {
    &T::operator();
  };
}

template <typename T>
consteval Kind kind_of() {
  if constexpr (std::is_reference_v<T>) {
    return Kind::reference;
  } else if constexpr (std::is_function_v<T>) {
    return Kind::function;
  } else if constexpr (std::is_pointer_v<T>) {
    return std::is_function_v<std::remove_pointer_t<T>> ? Kind::function : Kind::pointer;
  } else if constexpr (std::is_member_pointer_v<T> || std::is_null_pointer_v<T>) {
    return Kind::pointer;
  } else if constexpr (std::is_same_v<T, bool>) {
    return Kind::boolean;
  } else if constexpr (std::is_scalar_v<T>) {
    return Kind::number;
  } else if constexpr (Hooked<T>) {
    return Kind::hook;
  } else if constexpr (std::is_same_v<T, std::exception_ptr>) {
    return Kind::exception;
  } else if constexpr (is_a<T, std::optional>) {
    return Kind::optional;
  } else if constexpr (is_a<T, std::variant>) {
    return Kind::variant;
  } else if constexpr (is_empty_array<T>) {
    return Kind::empty;
  } else if constexpr (is_array<T>) {
    return Kind::array;
  } else if constexpr (!std::is_class_v<T> && !std::is_union_v<T>) {
    return Kind::closed;
  } else if constexpr (View<T>) {
    return Kind::view;
  } else if constexpr (std::is_empty_v<T> && std::is_trivially_copyable_v<T> &&
                       std::is_default_constructible_v<T>) {
    return Kind::empty;
  } else if constexpr (LikePointer<T>) {
    return Kind::pointer;
  } else if constexpr (Path<T>) {
    return Kind::path;
  } else if constexpr (Mapping<T>) {
    return Kind::map;
  } else if constexpr (Sequence<T>) {
    return Kind::sequence;
  } else if constexpr (Keyed<T>) {
    return Kind::set;
  } else if constexpr (TupleLike<T>) {
    return Kind::tuple;
  } else if constexpr (Reflectable<T>) {
    return Kind::aggregate;
  } else if constexpr (is_closure<T>()) {
    return Kind::function;
  } else if constexpr (std::is_trivially_copyable_v<T> && std::is_move_constructible_v<T>) {
    return Kind::opaque;
  } else {
    return Kind::closed;
  }
}

template <typename T, Kind kind>
struct Parts {
  using List = TypeList<>;
};
template <typename T>
struct Parts<T, Kind::optional> {
  using List = TypeList<typename T::value_type>;
};
template <typename... Alternatives>
struct Parts<std::variant<Alternatives...>, Kind::variant> {
  using List = TypeList<Alternatives...>;
};
template <typename T, std::size_t size>
struct Parts<T[size], Kind::array> {
  using List = TypeList<T>;
};
template <typename T, std::size_t size>
struct Parts<std::array<T, size>, Kind::array> {
  using List = TypeList<T>;
};
template <typename T>
struct Parts<T, Kind::sequence> {
  using List = TypeList<typename T::value_type>;
};
template <typename T>
struct Parts<T, Kind::set> {
  using List = TypeList<typename T::key_type>;
};
template <typename T>
struct Parts<T, Kind::map> {
  using List = TypeList<typename T::key_type, typename T::mapped_type>;
};
template <typename T, typename Indices>
struct Elements;
template <typename T, std::size_t... indices>
struct Elements<T, std::index_sequence<indices...>> {
  using List = TypeList<std::tuple_element_t<indices, T>...>;
};
template <typename T>
struct Parts<T, Kind::tuple> {
  using List = typename Elements<T, std::make_index_sequence<std::tuple_size_v<T>>>::List;
};
template <typename T>
struct Parts<T, Kind::aggregate> {
  using List = MemberTypes<T>;
};

}  // namespace kinds

template <typename T>
inline constexpr Kind kind = kinds::kind_of<std::remove_cv_t<T>>();

/// The types of which a T is made: members, elements, alternatives.
template <typename T>
using PartsOf = typename kinds::Parts<std::remove_cv_t<T>, kind<T>>::List;

/// Whether members are arrays, which can only be filled, not made.
template <typename... Parts>
constexpr bool have_array(TypeList<Parts...>) {
  return (std::is_array_v<Parts> || ...);
}

/// Instantiating it is the error for a `Part` that can't cross: the `member`th of a `Whole`,
/// counted from 1. Of a container, the 1st is its element or key, the 2nd the mapped value; the
/// whole itself is the 0th.
template <typename Whole, std::size_t member, typename Part>
struct CannotCross {
  static constexpr Kind why = kind<Part>;
  static_assert(why != Kind::pointer,
                "a pointer can't cross between processes: what it points to is in one of them");
  static_assert(why != Kind::reference,
                "a reference can't cross between processes: what it refers to is in one of them");
  static_assert(why != Kind::view,
                "a view can't cross between processes, since it owns nothing: use a container");
  static_assert(why != Kind::function,
                "a function or lambda can't cross between processes as part of a value");
  static_assert(why != Kind::closed,
                "this type can't cross between processes: its members can't be seen, or are more "
                "than 32; give it a tutti_serialize(archive, value)");
};

namespace kinds {

template <bool complain, typename Whole, std::size_t member, typename Part, typename... Above>
consteval bool part_crosses();

template <bool complain, typename T, typename... Above, typename... Parts, std::size_t... indices>
consteval bool parts_cross(TypeList<Parts...>, std::index_sequence<indices...>) {
  // All of them, so that each gets its message.
  return (0 + ... + int{part_crosses<complain, T, indices + 1, Parts, T, Above...>()}) ==
         sizeof...(Parts);
}

// `Above` are the types that are being looked at, in which a type that contains its like is found
// again.
template <bool complain, typename Whole, std::size_t member, typename Part, typename... Above>
consteval bool part_crosses() {
  using T = std::remove_cv_t<Part>;
  if constexpr ((std::is_same_v<T, Above> || ...)) {
    return true;
  } else if constexpr (!crosses(kind<T>)) {
    if constexpr (complain) static_cast<void>(sizeof(CannotCross<Whole, member, Part>));
    return false;
  } else {
    using List = PartsOf<T>;
    return parts_cross<complain, T, Above...>(List{}, std::make_index_sequence<List::size>{});
  }
}

}  // namespace kinds

/// A type whose values can cross to another process.
template <typename T>
concept Packable = std::is_object_v<T> && kinds::part_crosses<false, T, 0, T>();

/// To be instantiated where a T is about to cross: an error that names what can't.
template <typename T>
constexpr void must_cross() {
  static_cast<void>(kinds::part_crosses<true, T, 0, T>());
}

}  // namespace tutti::inline TUTTI_ABI::pickle
