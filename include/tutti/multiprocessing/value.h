// multiprocessing::Value and RawValue: one object in memory that processes share.
#pragma once

#include <new>
#include <string>
#include <utility>

#include "tutti/multiprocessing/flat.h"
#include "tutti/multiprocessing/rlock.h"
#include "tutti/multiprocessing/shared_object.h"
#include "tutti/threading/timed_lockable.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// A T in shared memory, without a lock: who uses it together with others sees to the order.
///
/// A handle: copies are the same object. Python counterpart: multiprocessing.RawValue.
template <typename T>
class RawValue : public SharedObject {
  static_assert(Flat<T>,
                "a shared value must be trivially copyable, without pointers or references: they "
                "mean nothing to another process");

 public:
  /// Throws OSError when the system has no memory or descriptor for it.
  explicit RawValue(const T& initial = T()) : SharedObject(sizeof(T), "tutti-value") {
    new (&value()) T(initial);
  }

  /// The object itself.
  T& value() const noexcept { return state<T>(); }
  RawValue& operator=(const T& next) noexcept {
    value() = next;
    return *this;
  }

  template <typename Archive>
  static void tutti_serialize(Archive& archive, RawValue& value) {
    value.pass(archive, "RawValue");
  }
};

/// A T in shared memory with its lock, an RLock: each access has it, and whoever does several that
/// belong together holds it meanwhile.
///
///     multiprocessing::Value<int> total(0);
///     {
///       std::scoped_lock held(total.get_lock());   // "with total.get_lock():"
///       total = total.value() + 1;
///     }
///
/// A handle: copies are the same object and lock. A process that is killed while it changes the
/// value leaves its lock broken: accesses throw OwnerDiedError until get_lock().recover(), and then
/// the value may be half changed. Thread-safe. Python counterpart: multiprocessing.Value.
template <typename T>
class Value {
 public:
  /// With a lock of its own. Throws OSError when the system has no memory or descriptor for it.
  explicit Value(const T& initial = T()) : Value(initial, RLock()) {}
  /// With a lock that others have, too.
  Value(const T& initial, RLock lock) : object_(initial), lock_(std::move(lock)) {}

  T value() const {
    const std::scoped_lock held(lock_);
    return object_.value();
  }
  Value& operator=(const T& next) {
    const std::scoped_lock held(lock_);
    object_ = next;
    return *this;
  }

  RLock& get_lock() const noexcept { return lock_; }
  /// The object without its lock.
  const RawValue<T>& get_obj() const noexcept { return object_; }
  void acquire() { lock_.acquire(); }
  void release() { lock_.release(); }

  template <typename Archive>
  static void tutti_serialize(Archive& archive, Value& value) {
    archive(value.object_, value.lock_);
  }

 private:
  RawValue<T> object_;
  mutable RLock lock_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
