// What the handles of a future share with whoever fulfils it, without the type of the result.
#pragma once

#include <cstdint>
#include <exception>
#include <string>

#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::runtime {
struct Self;
}

namespace tutti::inline TUTTI_ABI::futures {

class SharedState;
class ThreadPool;

/// Who wants to know when a future is done. In the list of one state at most.
class Listener {
 public:
  enum class Kind : std::uint8_t {
    /// notify() is called under the state's guard, runs no code of the user's, and does not lock.
    waiting_thread,
    /// notify() is called with no guard held, and disposes of the listener.
    callback,
  };

  explicit Listener(Kind kind) noexcept : kind_(kind) {}
  virtual ~Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  virtual void notify(SharedState& state) noexcept = 0;

 private:
  friend class SharedState;
  const Kind kind_;
  Listener* next_ = nullptr;
};

/// The state of a future, counted by its handles and by the pool it waits in.
///
/// The word: bits 0-2 are the phase; NOTIFIED says that whoever was to run it knows that it was
/// cancelled; LISTENED that there are listeners.
///
///     pending → running | setting | cancelled      by claim(), begin_setting(), cancel()
///     running → finished                           of a task: by run(), in the thread that claimed
///     running → setting → finished                 of others: by begin_setting(), finish()
///     setting → pending | running                  by abandon_setting(), when a result can't be
///     made
///
/// The result is written by the thread that has taken the state to running or setting, before
/// finish(), whose release pairs with the acquire of every look at the phase. LISTENED is set under
/// the guard (the parking lot's bucket of the state), by a compare-exchange that fails once the
/// state is done: so a listener is either in the list when finish() or cancel() finds the bit, or
/// told by listen() that it is late.
class SharedState {
 public:
  enum class Phase : std::uint32_t { pending, running, setting, cancelled, finished };

  SharedState() noexcept = default;
  SharedState(const SharedState&) = delete;
  SharedState& operator=(const SharedState&) = delete;

  // relaxed: whoever passes a handle on has it, and makes that visible. The release of the last
  // handle but one pairs with the acquire of the last, which destroys.
  void retain() noexcept { references_.fetch_add(1, platform::relaxed); }
  /// The same for one that no other thread knows yet.
  void retain_unshared() noexcept {
    references_.store(references_.load(platform::relaxed) + 1, platform::relaxed);
  }
  void release() noexcept {
    // Whoever has the only reference need not take it off: nobody else could add one.
    if (references_.load(platform::acquire) == 1 ||
        references_.fetch_sub(1, platform::acq_rel) == 1) {
      delete this;
    }
  }

  Phase phase() const noexcept { return phase_of(word_.load(platform::acquire)); }
  bool is_done() const noexcept { return is_done(word_.load(platform::acquire)); }

  /// The phase, for those who may ask again and again.
  Phase look() const noexcept {
    const platform::Operation operation("Future.state", this, platform::Access::read);
    return operation.saw(phase());
  }

  /// True if it is cancelled now.
  bool cancel() noexcept;
  /// pending → running. False if somebody else was first, or it is done.
  bool claim() noexcept;
  /// Python's set_running_or_notify_cancel.
  bool claim_or_notify_cancel();

  /// Returns the phase before. Throws InvalidStateError when it is done already, or the future of a
  /// call.
  Phase begin_setting();
  void abandon_setting(Phase before) noexcept;
  /// The result is there, or `exception`.
  void finish(std::exception_ptr exception = nullptr) noexcept;

  /// Waits until it is done. In a pool's worker, a task of that pool that nobody has begun is run
  /// by the caller; otherwise the pool may have another worker step in. False at the deadline.
  /// Throws DeadlockError if the calling thread is running the very task, RuntimeError in a fork's
  /// child, where nobody will run it, KeyboardInterrupt in an interrupted main thread.
  bool wait(std::int64_t deadline);
  /// Waits until it is done; an interruption of the main thread stays pending.
  void wait_unconditionally();
  /// As wait(), and throws TimeoutError when it is not done in time, CancelledError when it was
  /// cancelled. Returns the exception that it ended with.
  const std::exception_ptr& wait_for_outcome(std::int64_t deadline);
  /// What it ended with; it is done.
  const std::exception_ptr& outcome() const noexcept { return exception_; }

  /// False if it is done, and then the listener is not in the list.
  bool listen(Listener& listener) noexcept;
  /// Takes a waiting thread's listener out. False if it has been notified.
  bool unlisten(Listener& listener) noexcept;

  /// "Future at 0x…"
  std::string described() const;

  // --- of tasks ---
  /// The pool whose task this is; null for futures that somebody sets.
  ThreadPool* pool() const noexcept { return pool_; }
  /// The id of the thread that runs it; 0 if none does, or has.
  std::uint32_t runner() const noexcept { return runner_.load(platform::relaxed); }
  /// Calls the function of a task that the calling thread has claimed.
  void run() noexcept;

 protected:
  virtual ~SharedState();
  /// Calls the function and keeps what it returns; what it throws comes out.
  virtual void call();

 private:
  friend class ThreadPool;
  friend class TaskList;

  static constexpr std::uint32_t phase_bits = 7;
  static constexpr std::uint32_t notified_bit = 8;
  static constexpr std::uint32_t listened_bit = 16;

  static Phase phase_of(std::uint32_t word) noexcept { return Phase(word & phase_bits); }
  static bool is_done(std::uint32_t word) noexcept { return phase_of(word) >= Phase::cancelled; }
  static std::uint32_t with_phase(std::uint32_t word, Phase phase) noexcept {
    return (word & ~phase_bits) | static_cast<std::uint32_t>(phase);
  }
  void notify_listeners() noexcept;
  enum class Interruption { throws, waits };
  /// Both return false at the deadline.
  bool wait_or_help(runtime::Self& self, std::int64_t deadline, Interruption interruption);
  bool sleep(runtime::Self& self, std::int64_t deadline, Interruption interruption);

  platform::atomic<std::uint32_t> references_{1};
  platform::atomic<std::uint32_t> word_{0};
  /// Of a task: where its pool's workers are.
  std::uint32_t process_ = 0;
  /// The thread that runs it, once one does.
  platform::hint<std::uint32_t> runner_{0};
  /// The last one of a circular list; guarded by the bucket.
  Listener* last_ = nullptr;
  std::exception_ptr exception_;
  ThreadPool* pool_ = nullptr;
  /// The next one in the pool's list of tasks that nobody has begun.
  SharedState* next_ = nullptr;
};

/// Counts a handle. One that was moved from can only be assigned to and destroyed.
class StateHandle {
 public:
  /// Takes over a reference.
  explicit StateHandle(SharedState* state) noexcept : state_(state) {}
  StateHandle(const StateHandle& other) noexcept : state_(other.state_) { state_->retain(); }
  StateHandle(StateHandle&& other) noexcept : state_(other.state_) { other.state_ = nullptr; }
  StateHandle& operator=(StateHandle other) noexcept {
    SharedState* mine = state_;
    state_ = other.state_;
    other.state_ = mine;
    return *this;
  }
  ~StateHandle() {
    if (state_ != nullptr) state_->release();
  }

  SharedState* get() const noexcept { return state_; }

 private:
  SharedState* state_;
};

}  // namespace tutti::inline TUTTI_ABI::futures
