// The exploring floor: threads are coroutines of one kernel thread, time is virtual, and a
// scheduler decides at every point who runs next.
//
// The same names as linux.h, for the same house on top. Where nothing is being explored (before
// main, between two checks) the floor is that of a program with one thread, which can't block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tutti/platform/common.h"

namespace tutti::inline TUTTI_ABI::platform {

namespace exploring {

// --- what words tell the explorer ----------------------------------------------------------------

/// What has to happen at an access at this moment, for the running thread; 0 while nothing is
/// explored. Read at every access, so it is one word.
extern constinit std::uint32_t active;
/// Words of the library are scheduling points (word grain, inside of an operation).
inline constexpr std::uint32_t library_points = 1;
/// Words of the program under test are scheduling points.
inline constexpr std::uint32_t user_points = 2;
/// Happens-before is followed, and with a relaxed memory model loads may be stale.
inline constexpr std::uint32_t ordered = 4;
/// Values are written down for the story.
inline constexpr std::uint32_t told = 8;

/// A word's place in the books of the current execution; stale ones are recognised by the number of
/// their execution.
struct Tag {
  std::uint32_t execution = 0;
  std::uint32_t record = 0;
};

/// The bits of a value, and how to read them.
struct Value {
  enum class Shape : std::uint8_t { natural, integer, truth, real4, real8, address };

  template <typename T>
  static Value of(T value) noexcept {
    Value made;
    std::memcpy(&made.bits, &value, sizeof value);
    if constexpr (std::is_same_v<T, bool>) {
      made.shape = Shape::truth;
    } else if constexpr (std::is_pointer_v<T>) {
      made.shape = Shape::address;
    } else if constexpr (std::is_floating_point_v<T>) {
      made.shape = sizeof(T) == 4 ? Shape::real4 : Shape::real8;
    } else if constexpr (std::is_signed_v<T>) {
      made.bits = static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
      made.shape = Shape::integer;
    }
    return made;
  }

  std::uint64_t bits = 0;
  Shape shape = Shape::natural;
};

/// Lets the scheduler run other threads first.
void point(const char* name, const void* object, Access access, memory_order order) noexcept;
/// What a load of a word whose newest value is `newest` returns.
std::uint64_t ordered_load(Tag& tag, std::uint64_t newest, std::memory_order order) noexcept;
/// The running thread loads the newest value.
void ordered_peek(Tag& tag, std::uint64_t newest, std::memory_order order) noexcept;
void ordered_store(Tag& tag, std::uint64_t before, std::uint64_t value,
                   std::memory_order order) noexcept;
void ordered_exchange(Tag& tag, std::uint64_t before, std::uint64_t value,
                      std::memory_order order) noexcept;
void ordered_fence(std::memory_order order) noexcept;
/// std::atomic's wait and notify.
void park_on(const void* word) noexcept;
void unpark_from(const void* word, int count) noexcept;
/// For threads that poll: a load has returned `value`; something was changed.
void looked_at(const void* object, std::uint64_t value) noexcept;
void changed_something() noexcept;
void tell_read(const void* object, Value value) noexcept;
void tell_written(const void* object, Value before, Value value) noexcept;

/// Who may be a scheduling point at the moment.
enum class Owner { library, user, nobody };

/// std::atomic, watched. One thread runs at a time, so the value itself is a plain one.
template <typename T, Owner owner>
class Atomic {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8,
                "an explored atomic holds a trivially copyable value of at most 8 bytes");

 public:
  using value_type = T;
  static constexpr bool is_always_lock_free = true;

  constexpr Atomic() noexcept : value_() {}
  constexpr Atomic(T value) noexcept : value_(value) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  bool is_lock_free() const noexcept { return true; }

  T load(std::memory_order order = seq_cst) const noexcept {
    enter("load", Access::read, order);
    T value = value_;
    if (must(ordered)) {
      // The library's words are stale only where they are explored themselves.
      if (must(points)) {
        value = unpacked(ordered_load(tag_, packed(value), order));
      } else {
        ordered_peek(tag_, packed(value), order);
      }
    }
    found(value);
    return value;
  }

  /// A load that sees the newest store, as the kernel's does under its own lock.
  T load_newest(const char* name) const noexcept {
    enter(name, Access::read, relaxed);
    if (must(ordered)) ordered_peek(tag_, packed(value_), relaxed);
    found(value_);
    return value_;
  }

  void store(T value, std::memory_order order = seq_cst) noexcept {
    enter("store", Access::write, order);
    if (must(ordered)) ordered_store(tag_, packed(value_), packed(value), order);
    announce(value_, value);
    value_ = value;
  }

  T exchange(T value, std::memory_order order = seq_cst) noexcept {
    return change("exchange", order, [value](T) { return value; });
  }

  bool compare_exchange_strong(T& expected, T desired, std::memory_order success,
                               std::memory_order failure) noexcept {
    enter("compare_exchange", Access::write, success);
    const T before = value_;
    if (std::memcmp(&before, &expected, sizeof before) != 0) {
      // A failed exchange reads; in this model always the newest value.
      if (must(ordered)) ordered_peek(tag_, packed(before), failure);
      found(before);
      expected = before;
      return false;
    }
    if (must(ordered)) ordered_exchange(tag_, packed(before), packed(desired), success);
    announce(before, desired);
    value_ = desired;
    return true;
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order order = seq_cst) noexcept {
    return compare_exchange_strong(expected, desired, order, failure_order(order));
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success,
                             std::memory_order failure) noexcept {
    return compare_exchange_strong(expected, desired, success, failure);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order order = seq_cst) noexcept {
    return compare_exchange_strong(expected, desired, order, failure_order(order));
  }

  template <typename N>
  T fetch_add(N n, std::memory_order order = seq_cst) noexcept {
    return change("fetch_add", order, [n](T value) { return plus(value, n); });
  }
  template <typename N>
  T fetch_sub(N n, std::memory_order order = seq_cst) noexcept {
    return change("fetch_sub", order, [n](T value) { return minus(value, n); });
  }
  T fetch_or(T n, std::memory_order order = seq_cst) noexcept {
    return change("fetch_or", order, [n](T value) { return static_cast<T>(value | n); });
  }
  T fetch_and(T n, std::memory_order order = seq_cst) noexcept {
    return change("fetch_and", order, [n](T value) { return static_cast<T>(value & n); });
  }
  T fetch_xor(T n, std::memory_order order = seq_cst) noexcept {
    return change("fetch_xor", order, [n](T value) { return static_cast<T>(value ^ n); });
  }

  operator T() const noexcept { return load(); }
  T operator=(T value) noexcept {
    store(value);
    return value;
  }
  T operator|=(T n) noexcept { return static_cast<T>(fetch_or(n) | n); }
  T operator&=(T n) noexcept { return static_cast<T>(fetch_and(n) & n); }
  T operator^=(T n) noexcept { return static_cast<T>(fetch_xor(n) ^ n); }

  /// Waits until the value is another than `old`, and somebody has notified.
  void wait(T old, std::memory_order order = seq_cst) const noexcept {
    while (packed(load(order)) == packed(old)) {
      if (packed(load_newest("wait")) == packed(old)) park_on(this);
    }
  }
  void notify_one() noexcept {
    enter("notify_one", Access::write, relaxed);
    unpark_from(this, 1);
  }
  void notify_all() noexcept {
    enter("notify_all", Access::write, relaxed);
    unpark_from(this, 64);
  }

  T operator++() noexcept { return plus(fetch_add(1), 1); }
  T operator++(int) noexcept { return fetch_add(1); }
  T operator--() noexcept { return minus(fetch_sub(1), 1); }
  T operator--(int) noexcept { return fetch_sub(1); }
  template <typename N>
  T operator+=(N n) noexcept {
    return plus(fetch_add(n), n);
  }
  template <typename N>
  T operator-=(N n) noexcept {
    return minus(fetch_sub(n), n);
  }

 private:
  static constexpr std::uint32_t points = owner == Owner::library ? library_points
                                          : owner == Owner::user  ? user_points
                                                                  : 0;

  static bool must(std::uint32_t what) noexcept {
    return owner != Owner::nobody && (active & what) != 0;
  }
  void enter(const char* name, Access access, memory_order order) const noexcept {
    if (must(points)) point(name, this, access, order);
  }
  /// What every store and successful exchange does; the new value itself is assigned by the caller.
  void announce(T before, T after) const noexcept {
    if (!must(points)) return;
    if (owner == Owner::user && packed(before) == packed(after)) {
      // Whoever waits by exchange(true) is polling.
      looked_at(this, packed(before));
    } else {
      changed_something();
    }
    if (must(told)) tell_written(this, Value::of(before), Value::of(after));
  }
  /// What every load and failed exchange does.
  void found(T value) const noexcept {
    if (!must(points)) return;
    // The library does not poll without a yield.
    if constexpr (owner == Owner::user) looked_at(this, packed(value));
    if (must(told)) tell_read(this, Value::of(value));
  }
  template <typename Change>
  T change(const char* name, std::memory_order order, Change next) noexcept {
    enter(name, Access::write, order);
    const T before = value_;
    const T after = next(before);
    if (must(ordered)) ordered_exchange(tag_, packed(before), packed(after), order);
    announce(before, after);
    value_ = after;
    return before;
  }
  static constexpr std::memory_order failure_order(std::memory_order order) noexcept {
    return order == acq_rel ? acquire : order == release ? relaxed : order;
  }
  template <typename N>
  static T plus(T value, N n) noexcept {
    if constexpr (std::is_pointer_v<T>) {
      return value + n;
    } else {
      return static_cast<T>(value + static_cast<T>(n));
    }
  }
  template <typename N>
  static T minus(T value, N n) noexcept {
    if constexpr (std::is_pointer_v<T>) {
      return value - n;
    } else {
      return static_cast<T>(value - static_cast<T>(n));
    }
  }
  static std::uint64_t packed(T value) noexcept {
    std::uint64_t raw = 0;
    std::memcpy(&raw, &value, sizeof value);
    return raw;
  }
  static T unpacked(std::uint64_t raw) noexcept {
    T value;
    std::memcpy(&value, &raw, sizeof value);
    return value;
  }

  T value_;
  mutable Tag tag_;
};

}  // namespace exploring

// --- atomics -------------------------------------------------------------------------------------

template <typename T>
using atomic = exploring::Atomic<T, exploring::Owner::library>;
template <typename T>
using user_atomic = exploring::Atomic<T, exploring::Owner::user>;
/// For words that only advise or count: whatever they say, the result is right.
template <typename T>
using hint = exploring::Atomic<T, exploring::Owner::nobody>;

inline void fence(std::memory_order order) noexcept {
  if ((exploring::active & exploring::ordered) != 0) exploring::ordered_fence(order);
}

/// Follows the accesses to a plain object of the program under test: each is a scheduling point,
/// and two that race are a failure.
class Watch {
 public:
  void before_read(const void* object) const noexcept {
    if ((exploring::active & exploring::user_points) != 0) read(object);
  }
  void before_write(const void* object) noexcept {
    if ((exploring::active & exploring::user_points) != 0) write(object);
  }
  /// For the story: what the access just announced has read or written.
  template <typename T>
  void tell(const void* object, const T& value, Access access) const noexcept {
    if ((exploring::active & exploring::told) == 0) return;
    if constexpr (std::is_scalar_v<T> && sizeof(T) <= 8) {
      const auto told = exploring::Value::of(value);
      access == Access::read ? exploring::tell_read(object, told)
                             : exploring::tell_written(object, told, told);
    }
  }

 private:
  void read(const void* object) const noexcept;
  void write(const void* object) noexcept;

  mutable exploring::Tag tag_;
};

/// The scheduler sees by itself when nobody can go on.
inline constexpr bool needs_detector = false;
inline bool handles_signals() noexcept {
  return false;
}

/// A thread that polls gets nowhere by it unless others run.
inline constexpr bool can_spin = false;
inline constexpr bool has_processes = false;
void relax() noexcept;

/// A number for the cache line that the object begins in, the same in each execution.
std::uintptr_t cache_line_of(const void* object) noexcept;

// --- clock, park and unpark ----------------------------------------------------------------------

/// Virtual nanoseconds. They pass only while every thread waits.
std::int64_t now() noexcept;
/// The story of a run tells what a timeline would.
inline constexpr bool has_timeline = false;

bool park(const atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline,
          Reach reach) noexcept;
void unpark(const atomic<std::uint32_t>& word, int count, Reach reach) noexcept;
void yield() noexcept;

// --- operations ----------------------------------------------------------------------------------

/// An operation on a shared object, for as long as this lives. At operation grain, a scheduling
/// point before it; at word grain, every word accessed in it is one.
class Operation {
 public:
  Operation(const char* name, const void* object, Access access = Access::write,
            const void* also = nullptr) noexcept {
    if (exploring::active != 0) begin(name, object, access, also, nullptr, true);
  }
  /// One that is not begun before it can be carried out: a thread is not run while its gate, if
  /// there is one, is shut. At word grain it is.
  Operation(const char* name, const void* object, Gate gate) noexcept {
    if (exploring::active != 0) begin(name, object, Access::write, nullptr, gate, true);
  }
  ~Operation() {
    if (is_counted_) end();
  }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  /// It changes nothing, and this is what it has found: who does it again and again is polling.
  template <typename Value>
  Value saw(Value value) const noexcept {
    if (is_counted_) found(static_cast<std::uint64_t>(value));
    return value;
  }
  /// Others may come in between here.
  void pause() const noexcept {
    if (is_counted_) pause_here();
  }
  /// It has tried in vain to acquire its object. Returns false.
  bool in_vain() const noexcept {
    if (is_counted_) tried_in_vain();
    return false;
  }

 protected:
  struct OfThreads {};
  Operation(OfThreads, const char* name, const void* object, Access access,
            const void* also) noexcept {
    if (exploring::active != 0) begin(name, object, access, also, nullptr, false);
  }
  Operation(OfThreads, const char* name, const void* object, Gate gate) noexcept {
    if (exploring::active != 0) begin(name, object, Access::write, nullptr, gate, false);
  }

 private:
  void begin(const char* name, const void* object, Access access, const void* also, Gate gate,
             bool has_words) noexcept;
  void end() noexcept;
  static void found(std::uint64_t value) noexcept;
  static void tried_in_vain() noexcept;
  static void pause_here() noexcept;

  bool is_counted_ = false;
};

/// Starting, ending and joining threads: one point at either grain.
class ThreadOperation : public Operation {
 public:
  ThreadOperation(const char* name, const void* object, Access access = Access::write,
                  const void* also = nullptr) noexcept
      : Operation(OfThreads(), name, object, access, also) {}
  ThreadOperation(const char* name, const void* object, Gate gate) noexcept
      : Operation(OfThreads(), name, object, gate) {}
};

/// Calls `function` before an execution, when the process is to be as new.
void on_restart(void (*function)(), Restart when = Restart::each) noexcept;

// --- the calling thread --------------------------------------------------------------------------

extern constinit Current* current_words;
inline Current& current() noexcept {
  return *current_words;
}

// --- threads and processes -----------------------------------------------------------------------

Started start(void* (*entry)(void*), void* argument, std::size_t stack_size) noexcept;
std::string describe_start_error(int error);
void join(Thread thread) noexcept;
bool try_join(Thread thread) noexcept;
void detach(Thread thread) noexcept;
std::uint32_t process_id() noexcept;
std::uint32_t thread_id() noexcept;
bool process_is_alive(std::uint32_t process) noexcept;
void name_thread(const char* name) noexcept;
bool is_asleep(std::uint32_t thread_id) noexcept;
std::size_t smallest_stack() noexcept;
int thread_count() noexcept;
int cores() noexcept;

// --- memory, exit, fork, signals -----------------------------------------------------------------

SharedPages map_shared(std::size_t size, const char* name) noexcept;
SharedPages map_shared_again(std::size_t size, int descriptor) noexcept;
void at_thread_exit(void (*function)(void*), void* argument) noexcept;
/// An execution ends when its threads have; nothing is called.
void before_exit(void (*function)()) noexcept;
/// Nothing is called: an explored program can't fork.
void around_fork(ForkHandlers handlers) noexcept;
int on_sigint(void (*handler)()) noexcept;
/// An explored program stands still while it is looked at.
inline void on_quit(void (* /*report*/)()) noexcept {}
void die_of_sigint() noexcept;
[[noreturn]] void park_for_good() noexcept;

}  // namespace tutti::inline TUTTI_ABI::platform
