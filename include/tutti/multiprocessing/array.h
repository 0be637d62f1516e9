// multiprocessing::Array and RawArray: a fixed number of objects in memory that processes share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <ranges>
#include <span>
#include <utility>
#include <vector>

#include "tutti/multiprocessing/flat.h"
#include "tutti/multiprocessing/rlock.h"
#include "tutti/multiprocessing/shared_object.h"
#include "tutti/threading/timed_lockable.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// The memory of an array, of whatever elements.
class ArrayMemory : public SharedObject {
 public:
  /// Number of elements.
  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }

 protected:
  /// Zeroed. Throws ValueError when it would be larger than memory can be, OSError when the system
  /// has no memory or descriptor for it.
  ArrayMemory(std::size_t count, std::size_t element_size);
  ~ArrayMemory() = default;

  void* elements() const noexcept;
  [[noreturn]] void throw_no_index(std::size_t index) const;

  template <typename Archive>
  void pass_array(Archive& archive, std::size_t element_size) {
    pass(archive, "Array");
    if constexpr (Archive::is_reading) check_size(element_size);
  }

 private:
  /// Throws ValueError if the memory is too small for the number of elements that it names.
  void check_size(std::size_t element_size) const;
};

/// A fixed number of Ts in shared memory, without a lock: who uses it together with others sees to
/// the order.
///
///     multiprocessing::RawArray<double> heights(1'000'000);
///     std::ranges::fill(heights, 0.5);
///
/// A handle: copies are the same array. Python counterpart: multiprocessing.RawArray.
template <typename T>
class RawArray : public ArrayMemory {
  static_assert(Flat<T>,
                "elements of a shared array must be trivially copyable, without pointers or "
                "references: they mean nothing to another process");

 public:
  using value_type = T;

  /// So many zeros.
  explicit RawArray(std::size_t size) : ArrayMemory(size, sizeof(T)) {}
  RawArray(std::initializer_list<T> initial)
      : RawArray(std::span(initial.begin(), initial.size())) {}
  /// A copy of the elements of any range whose size is known.
  template <std::ranges::sized_range Range>
  explicit RawArray(const Range& initial)
      : ArrayMemory(static_cast<std::size_t>(std::ranges::size(initial)), sizeof(T)) {
    std::ranges::copy(initial, begin());
  }

  T* data() const noexcept { return static_cast<T*>(elements()); }
  T* begin() const noexcept { return data(); }
  T* end() const noexcept { return data() + size(); }
  /// Throws IndexError when there is no such element.
  T& operator[](std::size_t index) const {
    if (index >= size()) throw_no_index(index);
    return data()[index];
  }
  std::span<T> span() const noexcept { return {data(), size()}; }
  /// The elements from `first` up to `last`, without it, as far as there are any.
  std::span<T> slice(std::size_t first = 0,
                     std::size_t last = std::numeric_limits<std::size_t>::max()) const noexcept {
    const std::size_t end = std::min(last, size());
    return span().subspan(std::min(first, end), end - std::min(first, end));
  }

  template <typename Archive>
  static void tutti_serialize(Archive& archive, RawArray& array) {
    array.pass_array(archive, sizeof(T));
  }
  /// For who reads it from a message.
  RawArray() : RawArray(std::size_t{0}) {}
};

/// A fixed number of Ts in shared memory with their lock, an RLock: each access to an element or a
/// slice has it, and whoever does several that belong together holds it meanwhile.
///
///     multiprocessing::Array<int> counts(26);
///     std::scoped_lock held(counts.get_lock());   // "with counts.get_lock():"
///     for (int& count : counts) count = 0;        // iterating does not lock by itself
///
/// A handle; a killed holder breaks the lock: see Value. Thread-safe. Python counterpart:
/// multiprocessing.Array.
template <typename T>
class Array {
 public:
  using value_type = T;

  /// One element, by its position: each reading and each assignment has the lock.
  class Element {
   public:
    operator T() const { return array_.get(index_); }
    Element& operator=(const T& next) {
      array_.set(index_, next);
      return *this;
    }
    Element& operator=(const Element& other) { return *this = T(other); }
    Element(const Element&) = default;

   private:
    friend class Array;
    Element(const Array& array, std::size_t index) : array_(array), index_(index) {}
    const Array& array_;
    std::size_t index_;
  };

  /// So many zeros. Throws as RawArray's constructors do, which these are but for the lock.
  explicit Array(std::size_t size) : objects_(size) {}
  Array(std::size_t size, RLock lock) : objects_(size), lock_(std::move(lock)) {}
  Array(std::initializer_list<T> initial) : objects_(initial) {}
  template <std::ranges::sized_range Range>
  explicit Array(const Range& initial) : objects_(initial) {}
  template <std::ranges::sized_range Range>
  Array(const Range& initial, RLock lock) : objects_(initial), lock_(std::move(lock)) {}

  std::size_t size() const noexcept { return objects_.size(); }
  bool empty() const noexcept { return objects_.empty(); }

  /// Using it throws IndexError when there is no such element.
  Element operator[](std::size_t index) { return {*this, index}; }
  T operator[](std::size_t index) const { return get(index); }
  /// A copy of the elements from `first` up to `last`, without it, as far as there are any.
  std::vector<T> slice(std::size_t first = 0,
                       std::size_t last = std::numeric_limits<std::size_t>::max()) const {
    const std::scoped_lock held(lock_);
    const std::span<T> part = objects_.slice(first, last);
    return {part.begin(), part.end()};
  }
  /// Assigns to the elements from `first` on. Throws IndexError, with nothing changed, when there
  /// are not as many.
  void assign(std::size_t first, std::span<const T> values) {
    const std::scoped_lock held(lock_);
    if (!values.empty()) {
      objects_[first];
      objects_[first + (values.size() - 1)];
    }
    std::ranges::copy(values, objects_.begin() + static_cast<std::ptrdiff_t>(first));
  }

  /// Without the lock; hold it meanwhile, unless nobody else writes.
  T* begin() const noexcept { return objects_.begin(); }
  T* end() const noexcept { return objects_.end(); }

  RLock& get_lock() const noexcept { return lock_; }
  /// The array without its lock.
  const RawArray<T>& get_obj() const noexcept { return objects_; }
  void acquire() { lock_.acquire(); }
  void release() { lock_.release(); }

  template <typename Archive>
  static void tutti_serialize(Archive& archive, Array& array) {
    archive(array.objects_, array.lock_);
  }
  /// For who reads it from a message.
  Array() = default;

 private:
  T get(std::size_t index) const {
    const std::scoped_lock held(lock_);
    return objects_[index];
  }
  void set(std::size_t index, const T& next) const {
    const std::scoped_lock held(lock_);
    objects_[index] = next;
  }

  RawArray<T> objects_;
  mutable RLock lock_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
