// What all handles of one thread share, and what the running thread itself keeps alive.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "runtime/guard.h"
#include "runtime/self.h"
#include "tutti/sync/event_cell.h"
#include "tutti/threading/target.h"
#include "tutti/threading/thread.h"

namespace tutti::inline TUTTI_ABI::threading {

/// The life of one thread: made → started → running → finished, and then its kernel thread joined
/// or detached. Threads that tutti did not start (main, foreign ones) enter it running.
class ThreadControl : public std::enable_shared_from_this<ThreadControl> {
 public:
  enum class Origin { started_by_us, main, foreign };

  /// For a thread to be started.
  ThreadControl(ThreadOptions options, bool is_daemon);
  /// For the calling thread, which tutti did not start.
  ThreadControl(Origin origin, const runtime::Self& self);
  ~ThreadControl();
  ThreadControl(const ThreadControl&) = delete;
  ThreadControl& operator=(const ThreadControl&) = delete;

  /// The calling thread's; made if need be.
  static std::shared_ptr<ThreadControl> current();
  static Thread handle_of(std::shared_ptr<ThreadControl> control) {
    return Thread(std::move(control));
  }

  void start(Thread& object);
  void run_target();
  /// Waits for the end, the kernel thread's included. False at the deadline.
  bool join(std::int64_t deadline);
  /// For the destructor of a derived object whose run() may be going on.
  void wait_for_run_of(const Thread& object);

  bool is_started() const noexcept;
  bool is_alive() const noexcept;
  bool is_running() const noexcept { return stage_.load(platform::acquire) == Stage::running; }
  bool is_finished() const noexcept;
  bool is_daemon() const noexcept { return is_daemon_.load(platform::relaxed); }
  /// True if the end of the program waits for it.
  bool holds_up_the_end() const noexcept;
  void set_daemon(bool daemon);

  std::string name() const;
  void set_name(std::string name);
  runtime::ThreadId id() const noexcept { return id_.load(platform::acquire); }
  std::optional<std::uint32_t> native_id();
  ThreadState state() const;
  std::string to_string() const;

  /// The thread has done what it does: it is not alive any more. Its thread_local objects may be.
  /// Returns the object that the thread has kept alive, if any: it goes when the caller lets it.
  std::shared_ptr<Thread> finish() noexcept;
  /// The kernel thread is about to end: whoever joins it may go on.
  void release_joiners() noexcept { ended_.set(); }

  /// It is parked for good.
  void stop() noexcept;
  /// In a fork's child: of a thread that is not in it, and of the one that is.
  void vanish() noexcept;
  void survive_fork(const runtime::Self& self) noexcept;

  /// Neighbours in the roster, which alone uses them.
  ThreadControl* next = nullptr;
  ThreadControl* previous = nullptr;

 private:
  enum class Stage : std::uint32_t { made, started, running, finished };
  enum class KernelThread : std::uint32_t {
    none,
    joinable,
    being_joined,
    joined,
    /// Parked for good, at the end of the program: never to be joined.
    parked,
  };

  static void* enter(void* prepared);
  void live();
  void show_name() const noexcept;
  void end_with_exception() noexcept;
  void choose_run(Thread& object);
  void start_kernel_thread();
  void reap();
  /// True if a join by the calling thread would not wait.
  static bool has_ended(const void* control) noexcept;
  /// It was a thread of the process from which this one was forked.
  bool is_of_another_process() const noexcept;

  const Origin origin_;
  platform::atomic<Stage> stage_;
  platform::atomic<bool> is_daemon_;
  platform::atomic<runtime::ThreadId> id_{0};
  platform::atomic<std::uint32_t> native_id_{0};
  /// native_id_ is known.
  sync::EventCell born_;
  sync::EventCell finished_;
  sync::EventCell ended_;

  platform::Thread kernel_thread_;
  platform::atomic<KernelThread> kernel_state_{KernelThread::none};
  sync::EventCell reaped_;

  std::string name_;  // Guarded by runtime::leaf_guard.
  /// The process in which it was started, 0 before; in others it is gone.
  platform::atomic<std::uint32_t> process_{0};

  Target target_;
  /// The object whose run() the thread calls, if it is overridden; null before and after.
  platform::atomic<Thread*> object_{nullptr};
  void (*run_)(Thread*) = nullptr;
  std::shared_ptr<Thread> keeps_object_;
};

}  // namespace tutti::inline TUTTI_ABI::threading
