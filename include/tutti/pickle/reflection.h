// The members of an aggregate: how many there are, their types, and each of them, without a word
// from the class.
//
// They are counted by what braces take: `T{{}, {}, {}}` is well-formed as long as there is a member
// for each inner pair, whether an array, an empty class or an aggregate itself. Structured bindings
// then name them.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "tutti/config.h"

// TUTTI_MEMBERS_3(as) is as(m1), as(m2), as(m3).
// clang-format off
#define TUTTI_MEMBERS_1(as) as(m1)
#define TUTTI_MEMBERS_2(as) TUTTI_MEMBERS_1(as), as(m2)
#define TUTTI_MEMBERS_3(as) TUTTI_MEMBERS_2(as), as(m3)
#define TUTTI_MEMBERS_4(as) TUTTI_MEMBERS_3(as), as(m4)
#define TUTTI_MEMBERS_5(as) TUTTI_MEMBERS_4(as), as(m5)
#define TUTTI_MEMBERS_6(as) TUTTI_MEMBERS_5(as), as(m6)
#define TUTTI_MEMBERS_7(as) TUTTI_MEMBERS_6(as), as(m7)
#define TUTTI_MEMBERS_8(as) TUTTI_MEMBERS_7(as), as(m8)
#define TUTTI_MEMBERS_9(as) TUTTI_MEMBERS_8(as), as(m9)
#define TUTTI_MEMBERS_10(as) TUTTI_MEMBERS_9(as), as(m10)
#define TUTTI_MEMBERS_11(as) TUTTI_MEMBERS_10(as), as(m11)
#define TUTTI_MEMBERS_12(as) TUTTI_MEMBERS_11(as), as(m12)
#define TUTTI_MEMBERS_13(as) TUTTI_MEMBERS_12(as), as(m13)
#define TUTTI_MEMBERS_14(as) TUTTI_MEMBERS_13(as), as(m14)
#define TUTTI_MEMBERS_15(as) TUTTI_MEMBERS_14(as), as(m15)
#define TUTTI_MEMBERS_16(as) TUTTI_MEMBERS_15(as), as(m16)
#define TUTTI_MEMBERS_17(as) TUTTI_MEMBERS_16(as), as(m17)
#define TUTTI_MEMBERS_18(as) TUTTI_MEMBERS_17(as), as(m18)
#define TUTTI_MEMBERS_19(as) TUTTI_MEMBERS_18(as), as(m19)
#define TUTTI_MEMBERS_20(as) TUTTI_MEMBERS_19(as), as(m20)
#define TUTTI_MEMBERS_21(as) TUTTI_MEMBERS_20(as), as(m21)
#define TUTTI_MEMBERS_22(as) TUTTI_MEMBERS_21(as), as(m22)
#define TUTTI_MEMBERS_23(as) TUTTI_MEMBERS_22(as), as(m23)
#define TUTTI_MEMBERS_24(as) TUTTI_MEMBERS_23(as), as(m24)
#define TUTTI_MEMBERS_25(as) TUTTI_MEMBERS_24(as), as(m25)
#define TUTTI_MEMBERS_26(as) TUTTI_MEMBERS_25(as), as(m26)
#define TUTTI_MEMBERS_27(as) TUTTI_MEMBERS_26(as), as(m27)
#define TUTTI_MEMBERS_28(as) TUTTI_MEMBERS_27(as), as(m28)
#define TUTTI_MEMBERS_29(as) TUTTI_MEMBERS_28(as), as(m29)
#define TUTTI_MEMBERS_30(as) TUTTI_MEMBERS_29(as), as(m30)
#define TUTTI_MEMBERS_31(as) TUTTI_MEMBERS_30(as), as(m31)
#define TUTTI_MEMBERS_32(as) TUTTI_MEMBERS_31(as), as(m32)
#define TUTTI_MEMBERS_33(as) TUTTI_MEMBERS_32(as), as(m33)
#define TUTTI_UP_TO_32(each) \
  each(1) each(2) each(3) each(4) each(5) each(6) each(7) each(8) \
  each(9) each(10) each(11) each(12) each(13) each(14) each(15) each(16) \
  each(17) each(18) each(19) each(20) each(21) each(22) each(23) each(24) \
  each(25) each(26) each(27) each(28) each(29) each(30) each(31) each(32)
#define TUTTI_UP_TO_33(each) TUTTI_UP_TO_32(each) each(33)
// clang-format on
#define TUTTI_AS_NAME(name) name
#define TUTTI_AS_TYPE(name) decltype(name)
#define TUTTI_AS_BRACES(name) \
  {}

namespace tutti::inline TUTTI_ABI::pickle {

template <typename... Types>
struct TypeList {
  static constexpr std::size_t size = sizeof...(Types);
};

/// So many members can be named at most.
inline constexpr std::size_t most_members = 32;

namespace reflection {

// Initialises any member but an array or a reference to what is not constant.
struct Anything {
  template <typename Member>
  operator Member() const noexcept;
};
// Initialises those, and all that can be copied.
struct AnyReference {
  template <typename Member>
  operator Member&() const noexcept;
};
// Initialises no member but one that is made of anything, such as std::any.
struct Nothing {};

// Initialise the bases of T alone.
template <typename T>
struct AnyBase {
  template <typename Base>
  requires(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T>) operator Base() const noexcept;
};
template <typename T>
struct AnyEmptyBase {
  template <typename Base>
  requires(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T> && std::is_empty_v<Base>)
  operator Base() const noexcept {
    return Base{};
  }
};

template <typename Any, std::size_t>
using Repeated = Any;

template <typename T, typename Any, typename Before, typename After>
struct Takes;
template <typename T, typename Any, std::size_t... before, std::size_t... after>
struct Takes<T, Any, std::index_sequence<before...>, std::index_sequence<after...>> {
  static constexpr bool anything = requires { T{Repeated<Any, before>{}...}; };
  static constexpr bool braces = requires {
    T{Repeated<Any, before>{}..., {}, Repeated<Any, after>{}...};
  };
  template <typename Special>
  static constexpr bool special = requires {
    T{Repeated<Any, before>{}..., Special{}, Repeated<Any, after>{}...};
  };
};
/// Whether a T takes so many initialisers, with or without one more between them.
template <typename T, typename Any, std::size_t before, std::size_t after = 0>
using TakesAt = Takes<T, Any, std::make_index_sequence<before>, std::make_index_sequence<after>>;

// Of a T that `T{}` makes: bases and members, or 33 if there are more.
template <typename T>
consteval std::size_t count_braces() {
#define TUTTI_COUNT(count)                                                \
  if constexpr (!requires { T{TUTTI_MEMBERS_##count(TUTTI_AS_BRACES)}; }) \
    return count - 1;                                                     \
  else
  TUTTI_UP_TO_33(TUTTI_COUNT)
  return most_members + 1;
#undef TUTTI_COUNT
}

// Of a T that can't be made of nothing: how many initialisers it takes at most, where those of an
// array are one for each element; 0 if none up to 40 will do.
template <typename T, typename Any, std::size_t count = 40>
consteval std::size_t count_initialisers() {
  if constexpr (count == 0 || TakesAt<T, Any, count>::anything) {
    return count;
  } else {
    return count_initialisers<T, Any, count - 1>();
  }
}

template <typename T>
using AnyFor = std::conditional_t<count_initialisers<T, Anything>() != 0, Anything, AnyReference>;

// So many initialisers must be there; the last ones may be left out of a T that `T{}` makes.
template <typename T>
consteval std::size_t count_needed() {
  if constexpr (requires { T{}; }) {
    return 0;
  } else {
    return count_initialisers<T, AnyFor<T>>();
  }
}

// How many of `rest` initialisers belong to the member at `position`: those that can't follow when
// it is initialised by a pair of braces. One if braces won't do, as for a reference.
template <typename T, std::size_t position, std::size_t rest, std::size_t size = 1>
consteval std::size_t extent_at() {
  if constexpr (size > rest) {
    return 1;
  } else if constexpr (TakesAt<T, AnyFor<T>, position, rest - size>::braces) {
    return size;
  } else {
    return extent_at<T, position, rest, size + 1>();
  }
}

template <typename T, std::size_t position, std::size_t rest>
consteval std::size_t count_extents() {
  if constexpr (rest == 0) {
    return 0;
  } else {
    constexpr std::size_t extent = extent_at<T, position, rest>();
    return 1 + count_extents<T, position + extent, rest - extent>();
  }
}

template <typename T>
consteval std::size_t count_all() {
  if constexpr (requires { T{}; }) {
    return count_braces<T>();
  } else {
    return count_extents<T, 0, count_needed<T>()>();
  }
}

struct Bases {
  std::size_t count = 0;
  bool all_empty = true;
};

// They are initialised before the members.
template <typename T, std::size_t position = 0>
consteval Bases count_bases(Bases found = {}) {
  constexpr std::size_t needed = count_needed<T>();
  constexpr std::size_t after = needed > position ? needed - position - 1 : 0;
  using At = TakesAt<T, AnyFor<T>, position, after>;
  if constexpr (position < most_members && At::template special<AnyBase<T>> &&
                !At::template special<Nothing>) {
    ++found.count;
    found.all_empty = found.all_empty && At::template special<AnyEmptyBase<T>>;
    return count_bases<T, position + 1>(found);
  } else {
    return found;
  }
}

template <typename T>
inline constexpr Bases bases = count_bases<T>();
template <typename T>
inline constexpr std::size_t all = count_all<T>();

}  // namespace reflection

/// An aggregate class whose members can be named: no base has any, and they and the bases are 32 at
/// most.
template <typename T>
concept Reflectable = std::is_class_v<T> && std::is_aggregate_v<T> && reflection::bases<T>
.all_empty&& reflection::all<T> <= most_members;

template <Reflectable T>
inline constexpr std::size_t member_count = reflection::all<T> - reflection::bases<T>.count;

/// Calls `use` with each member of `aggregate`, in order. Bit-fields of a constant aggregate are
/// passed as copies; those of others can't be passed.
template <typename T, typename Use>
constexpr decltype(auto) with_members(T& aggregate, Use&& use) {
  constexpr std::size_t count = member_count<std::remove_const_t<T>>;
#define TUTTI_BIND(number)                                                \
  if constexpr (count == number) {                                        \
    auto& [TUTTI_MEMBERS_##number(TUTTI_AS_NAME)] = aggregate;            \
    return std::forward<Use>(use)(TUTTI_MEMBERS_##number(TUTTI_AS_NAME)); \
  } else
  TUTTI_UP_TO_32(TUTTI_BIND)
  return std::forward<Use>(use)();
#undef TUTTI_BIND
}

namespace reflection {

// Only its type is of interest.
template <typename T>
constexpr auto member_types(T& aggregate) {
#define TUTTI_BIND(number)                                                      \
  if constexpr (member_count<T> == number) {                                    \
    [[maybe_unused]] auto& [TUTTI_MEMBERS_##number(TUTTI_AS_NAME)] = aggregate; \
    return TypeList<TUTTI_MEMBERS_##number(TUTTI_AS_TYPE)>{};                   \
  } else
  TUTTI_UP_TO_32(TUTTI_BIND)
  return TypeList<>{};
#undef TUTTI_BIND
}

template <typename T, typename Make, typename... Members, std::size_t... base>
constexpr T make_of(Make& make, TypeList<Members...>, std::index_sequence<base...>) {
  return T{(static_cast<void>(base), AnyEmptyBase<T>{})..., make.template operator()<Members>()...};
}

}  // namespace reflection

/// The members' types as they were declared: references stay references.
template <Reflectable T>
using MemberTypes = decltype(reflection::member_types(std::declval<T&>()));

/// A T whose members, none of which is an array, are what `make.operator()<Member>()` returns,
/// called in order.
template <Reflectable T, typename Make>
constexpr T make_aggregate(Make&& make) {
  return reflection::make_of<T>(make, MemberTypes<T>{},
                                std::make_index_sequence<reflection::bases<T>.count>{});
}

}  // namespace tutti::inline TUTTI_ABI::pickle

#undef TUTTI_AS_BRACES
#undef TUTTI_AS_TYPE
#undef TUTTI_AS_NAME
#undef TUTTI_UP_TO_32
#undef TUTTI_UP_TO_33
#undef TUTTI_MEMBERS_1
#undef TUTTI_MEMBERS_2
#undef TUTTI_MEMBERS_3
#undef TUTTI_MEMBERS_4
#undef TUTTI_MEMBERS_5
#undef TUTTI_MEMBERS_6
#undef TUTTI_MEMBERS_7
#undef TUTTI_MEMBERS_8
#undef TUTTI_MEMBERS_9
#undef TUTTI_MEMBERS_10
#undef TUTTI_MEMBERS_11
#undef TUTTI_MEMBERS_12
#undef TUTTI_MEMBERS_13
#undef TUTTI_MEMBERS_14
#undef TUTTI_MEMBERS_15
#undef TUTTI_MEMBERS_16
#undef TUTTI_MEMBERS_17
#undef TUTTI_MEMBERS_18
#undef TUTTI_MEMBERS_19
#undef TUTTI_MEMBERS_20
#undef TUTTI_MEMBERS_21
#undef TUTTI_MEMBERS_22
#undef TUTTI_MEMBERS_23
#undef TUTTI_MEMBERS_24
#undef TUTTI_MEMBERS_25
#undef TUTTI_MEMBERS_26
#undef TUTTI_MEMBERS_27
#undef TUTTI_MEMBERS_28
#undef TUTTI_MEMBERS_29
#undef TUTTI_MEMBERS_30
#undef TUTTI_MEMBERS_31
#undef TUTTI_MEMBERS_32
#undef TUTTI_MEMBERS_33
