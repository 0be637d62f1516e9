// tutti::Shared: a plain variable that several threads use, watched for races when explored.
#pragma once

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI {

/// A T that threads share, guarded by a lock or by their order, as any T would have to be.
///
///     threading::Lock lock;
///     tutti::Shared<int> balance = 0;
///     …
///     std::scoped_lock held(lock);
///     balance += 10;
///
/// It is nothing but a T: same size, same code. Under explore::check(), every access is a
/// scheduling point, and two accesses that no lock or other synchronisation orders are reported as
/// a data race if one of them writes, whether or not they did harm. Not thread-safe itself: that is
/// the point.
template <typename T>
class Shared {
 public:
  constexpr Shared() noexcept(std::is_nothrow_default_constructible_v<T>) : value_() {}
  template <typename U>
  requires std::convertible_to<U, T>
  constexpr Shared(U&& value) : value_(std::forward<U>(value)) {}
  Shared(const Shared& other) : value_(other.get()) {}
  Shared& operator=(const Shared& other) {
    set(other.get());
    return *this;
  }

  /// Reads it. A copy, so that nothing is read later unnoticed.
  T get() const {
    watch_.before_read(this);
    tell(Access::read);
    return value_;
  }
  operator T() const { return get(); }

  /// Writes it.
  template <typename U>
  void set(U&& value) {
    watch_.before_write(this);
    value_ = std::forward<U>(value);
    tell(Access::write);
  }
  template <typename U>
  requires(!std::same_as<std::decay_t<U>, Shared>) Shared& operator=(U&& value) {
    set(std::forward<U>(value));
    return *this;
  }

  /// One access to a larger object: `items.write([](auto& v) { v.push_back(1); })`.
  template <typename F>
  decltype(auto) read(F&& function) const {
    watch_.before_read(this);
    return std::invoke(std::forward<F>(function), std::as_const(value_));
  }
  template <typename F>
  decltype(auto) write(F&& function) {
    watch_.before_write(this);
    return std::invoke(std::forward<F>(function), value_);
  }

  /// A member, as one access: reading through a const Shared, writing through any other.
  const T* operator->() const {
    watch_.before_read(this);
    return &value_;
  }
  T* operator->() {
    watch_.before_write(this);
    return &value_;
  }

  // Each is a read followed by a write, as for a plain variable.
  template <typename U>
  Shared& operator+=(const U& other) {
    set(get() + other);
    return *this;
  }
  template <typename U>
  Shared& operator-=(const U& other) {
    set(get() - other);
    return *this;
  }
  template <typename U>
  Shared& operator*=(const U& other) {
    set(get() * other);
    return *this;
  }
  template <typename U>
  Shared& operator/=(const U& other) {
    set(get() / other);
    return *this;
  }
  template <typename U>
  Shared& operator|=(const U& other) {
    set(get() | other);
    return *this;
  }
  template <typename U>
  Shared& operator&=(const U& other) {
    set(get() & other);
    return *this;
  }
  Shared& operator++() { return *this += 1; }
  Shared& operator--() { return *this -= 1; }
  T operator++(int) {
    T before = get();
    set(before + 1);
    return before;
  }
  T operator--(int) {
    T before = get();
    set(before - 1);
    return before;
  }

 private:
  using Access = platform::Access;

  void tell(Access access) const noexcept { watch_.tell(this, value_, access); }

  T value_;
  [[no_unique_address]] platform::Watch watch_;
};

}  // namespace tutti::inline TUTTI_ABI
