// How an item gets into shared memory and out of it.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "tutti/pickle/packed.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::records {

template <typename T, typename... Above>
consteval bool calls_users_code();

template <typename... Parts, typename... Above>
consteval bool any_calls_users_code(pickle::TypeList<Parts...>, pickle::TypeList<Above...>) {
  return (calls_users_code<std::remove_cv_t<Parts>, Above...>() || ...);
}

// `Above` are the types that contain this one, and may be found in it again.
template <typename T, typename... Above>
consteval bool calls_users_code() {
  if constexpr ((std::is_same_v<T, Above> || ...)) {
    return false;
  } else if constexpr (pickle::kind<T> == pickle::Kind::hook ||
                       pickle::kind<T> == pickle::Kind::exception) {
    return true;
  } else {
    return any_calls_users_code(pickle::PartsOf<T>{}, pickle::TypeList<T, Above...>{});
  }
}

/// Packing a T runs code of its author, which must not run under a queue's lock: it might take
/// long, wait, or use that queue. Then its bytes lie in memory of the caller's in between.
template <typename T>
inline constexpr bool takes_detour = calls_users_code<T>();

/// Bytes of the caller's; few of them cost no allocation.
class Buffer {
 public:
  std::span<std::byte> resize(std::size_t size) {
    if (size <= few_.size()) return bytes_ = std::span(few_).first(size);
    many_.resize(size);
    return bytes_ = many_;
  }
  std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::array<std::byte, 512> few_;
  std::vector<std::byte> many_;
  std::span<std::byte> bytes_;
};

template <typename T>
void pack_into(std::span<std::byte> room, const T& item) {
  pickle::Writer writer(room);
  pickle::pack(writer, item);
}

template <typename T>
T unpack_from(std::span<const std::byte> bytes) {
  pickle::Reader reader(bytes);
  return pickle::unpack<T>(reader);
}

/// Makes a T where it is wanted, though it may be neither copied nor moved.
template <typename T>
struct Unpacked {
  std::span<const std::byte> bytes;
  operator T() const { return unpack_from<T>(bytes); }
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::records
