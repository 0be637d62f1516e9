// How values of C++ look to Python.
#pragma once

#include <chrono>
#include <complex>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <ratio>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include "tutti/pickle/encoder.h"
#include "tutti/pickle/kinds.h"
#include "tutti/pickle/object.h"

namespace tutti::inline TUTTI_ABI::pickle::encoding {

template <typename T>
inline constexpr bool is_duration = false;
template <typename Rep, typename Period>
inline constexpr bool is_duration<std::chrono::duration<Rep, Period>> = true;
template <typename T>
inline constexpr bool is_time_point = false;
template <typename Clock, typename Duration>
inline constexpr bool is_time_point<std::chrono::time_point<Clock, Duration>> = true;
template <typename T>
inline constexpr bool is_complex = false;
template <typename T>
inline constexpr bool is_complex<std::complex<T>> = true;

/// Whole microseconds, as a datetime.timedelta has.
template <typename T>
concept TimeDelta = is_duration<T> && std::integral<typename T::rep> &&
                    std::ratio_divide<typename T::period, std::micro>::den == 1;

template <typename T>
concept Bitset = requires(const T& bits) {
  bits.test(std::size_t{0});
  bits.to_ullong();
};

/// Elements that make a Python bytes.
template <typename T>
concept ByteLike = std::same_as<T, std::byte> || std::same_as<T, unsigned char>;

template <typename T>
concept Text = requires {
  typename T::traits_type;
  requires std::same_as<typename T::value_type, char>;
};

/// Of a set or map that takes equal keys, which Python's don't.
template <typename T>
concept TakesEqualKeys = requires(T& container, typename T::value_type& element) {
  { container.insert(element) } -> std::same_as<typename T::iterator>;
};

template <typename T>
constexpr void must_have_form() {
  static_assert(kind<T> != Kind::opaque,
                "this type has no form in Python: its members can't be seen; give it a "
                "tutti_serialize(archive, value)");
}

template <typename T>
void encode(Encoder& encoder, const T& value);

class Archive {
 public:
  static constexpr bool is_reading = false;

  explicit Archive(Encoder& encoder) noexcept : encoder_(encoder) {}
  template <typename... Members>
  void operator()(const Members&... members) {
    (encoding::encode(encoder_, members), ...);
  }
  [[noreturn]] void descriptor(int&, const char* owner) { throw_no_descriptor(owner); }
  [[noreturn]] static void throw_no_descriptor(const char* owner);

 private:
  Encoder& encoder_;
};

template <typename T>
void encode_number(Encoder& encoder, T value) {
  if constexpr (std::is_enum_v<T>) {
    encode_number(encoder, static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::same_as<T, bool>) {
    encoder.write_bool(value);
  } else if constexpr (std::floating_point<T>) {
    encoder.write_float(static_cast<double>(value));
  } else {
    static_assert(sizeof(T) <= sizeof(std::int64_t), "ints of more than 64 bits are not written");
    if constexpr (std::signed_integral<T>) {
      encoder.write_int(value);
    } else {
      encoder.write_uint(value);
    }
  }
}

template <typename T>
void encode_bits(Encoder& encoder, const T& bits) {
  // One more byte than need be, for the sign.
  std::vector<std::byte> bytes(bits.size() / 8 + 1);
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (bits.test(i)) bytes[i / 8] |= std::byte{1} << static_cast<int>(i % 8);
  }
  encoder.write_big(bytes);
}

template <typename T>
void encode_duration(Encoder& encoder, const T& duration) {
  if constexpr (TimeDelta<T>) {
    using std::chrono::duration_cast;
    const auto days = duration_cast<std::chrono::days>(duration);
    const auto seconds = duration_cast<std::chrono::seconds>(duration - days);
    const auto rest = duration_cast<std::chrono::microseconds>(duration - days - seconds);
    encoder.write_timedelta(days.count(), seconds.count(), rest.count());
  } else {
    encode_number(encoder, duration.count());
  }
}

template <typename T>
void encode_container(Encoder& encoder, const T& value) {
  using Element = typename T::value_type;
  if constexpr (kind<T> == Kind::map && !TakesEqualKeys<T>) {
    encoder.begin_dict();
    for (const auto& [key, mapped] : value) {
      encoder.begin_key();
      encode(encoder, key);
      encoder.end_key();
      encode(encoder, mapped);
    }
    encoder.end_dict();
  } else if constexpr (kind<T> == Kind::set && !TakesEqualKeys<T>) {
    encoder.begin_set();
    encoder.begin_key();
    for (const auto& element : value) encode(encoder, element);
    encoder.end_key();
    encoder.end_set();
  } else {
    encoder.begin_list();
    for (const auto& element : value) encode<Element>(encoder, element);
    encoder.end_list();
  }
}

template <typename T>
void encode(Encoder& encoder, const T& value) {
  constexpr Kind of = kind<T>;
  if constexpr (std::same_as<T, Object>) {
    value.encode(encoder);
  } else if constexpr (of == Kind::boolean || of == Kind::number) {
    encode_number(encoder, value);
  } else if constexpr (std::same_as<T, std::monostate>) {
    encoder.write_none();
  } else if constexpr (of == Kind::empty) {
    encoder.begin_tuple();
    encoder.end_tuple();
  } else if constexpr (of == Kind::hook) {
    encoder.begin_tuple();
    Archive archive(encoder);
    if constexpr (kinds::HookInClass<T>) {
      T::tutti_serialize(archive, const_cast<T&>(value));
    } else {
      tutti_serialize(archive, const_cast<T&>(value));
    }
    encoder.end_tuple();
  } else if constexpr (of == Kind::exception) {
    encoder.write_exception(value);
  } else if constexpr (of == Kind::optional) {
    if (value) {
      encode(encoder, *value);
    } else {
      encoder.write_none();
    }
  } else if constexpr (of == Kind::variant) {
    std::visit([&](const auto& alternative) { encode(encoder, alternative); }, value);
  } else if constexpr (of == Kind::path) {
    encoder.write_text(value.native());
  } else if constexpr (is_complex<T>) {
    encoder.write_complex(static_cast<double>(value.real()), static_cast<double>(value.imag()));
  } else if constexpr (is_duration<T>) {
    encode_duration(encoder, value);
  } else if constexpr (is_time_point<T>) {
    encode_duration(encoder, value.time_since_epoch());
  } else if constexpr (Bitset<T>) {
    encode_bits(encoder, value);
  } else if constexpr (of == Kind::tuple) {
    encoder.begin_tuple();
    std::apply([&](const auto&... parts) { (encode(encoder, parts), ...); }, value);
    encoder.end_tuple();
  } else if constexpr (of == Kind::aggregate) {
    encoder.begin_tuple();
    with_members(value, [&](const auto&... members) { (encode(encoder, members), ...); });
    encoder.end_tuple();
  } else if constexpr (of == Kind::array) {
    if constexpr (ByteLike<std::remove_cvref_t<decltype(value[0])>>) {
      encoder.write_bytes(std::as_bytes(std::span(value)));
    } else {
      encoder.begin_list();
      for (const auto& element : value) encode(encoder, element);
      encoder.end_list();
    }
  } else if constexpr (of == Kind::opaque) {
    must_have_form<T>();
  } else if constexpr (Text<T>) {
    encoder.write_text(value);
  } else if constexpr (ByteLike<typename T::value_type> && requires { value.data(); }) {
    encoder.write_bytes(std::as_bytes(std::span(value.data(), value.size())));
  } else {
    encode_container(encoder, value);
  }
}

}  // namespace tutti::inline TUTTI_ABI::pickle::encoding
