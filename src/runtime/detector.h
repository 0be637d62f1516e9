// The detector: long waits look around whether they can still end.
//
// Short waits pay nothing for it. A thread that has waited for 10 ms wakes up once, says in its
// slot what it knows about its wait (holder, name of the object, stack), and looks whether it is in
// a ring of threads that wait for each other, whether the owner of its lock has died, or whether
// all threads of the process wait for ever. Then it goes back to sleep, and looks again after ever
// doubled times. A ring is closed by the thread that begins to wait last, so the first look finds
// it; the later ones are for what others bring about: a thread's end makes long waits look as well.
#pragma once

#include <cstdint>

#include "runtime/deadlock_story.h"
#include "runtime/self.h"
#include "runtime/shared_ring.h"
#include "runtime/wait_graph.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// Who has what a thread waits for in memory that processes share: `holder`, which may be 0 for
/// nobody in particular, as long as `word` holds `expected`.
struct SharedHold {
  const platform::atomic<std::uint32_t>& word;
  std::uint32_t expected;
  ThreadId holder;

  ThreadId holder_now() const noexcept {
    return word.load(platform::relaxed) == expected ? holder : 0;
  }
};

/// One wait of the calling thread, from when its record is published to its end.
class Lookout {
 public:
  Lookout(Self& self, std::int64_t deadline, bool may_fail) noexcept;
  ~Lookout();
  Lookout(const Lookout&) = delete;
  Lookout& operator=(const Lookout&) = delete;

  /// When to wake up for the next look, in nanoseconds.
  std::int64_t due() const noexcept { return due_; }
  /// Asked after each sleep: true if it is time, or if another thread has asked for it.
  bool must_look(bool in_time) const noexcept;
  /// Looks around. True if the wait is to end, because it would never: self.failure says why.
  /// `hold` says who has what it waits for, if other processes may end the wait.
  bool look(const SharedHold* hold = nullptr) noexcept;

 private:
  bool judge(bool is_asked);
  bool judge_shared_ring(bool is_asked);
  bool judge_ring(const std::vector<Link>& ring);
  bool judge_stuck_process(const std::vector<Link>& all);
  /// True if each of them has said what it knows about its wait. Otherwise those that have not are
  /// asked to, once: they may begin to wait at the same time as this thread.
  bool are_details_there(const std::vector<Link>& links) noexcept;
  /// Ends the wait of the victim: this one, or that of a thread which is asked to look.
  bool sacrifice(ThreadId victim, DeadlockStory::About about, const std::vector<Link>& links);
  bool fail_with(std::exception_ptr failure) noexcept;
  void tell_details(const SharedHold* hold, std::uint32_t questions);
  void tell_if_slow();

  Self& self_;
  const bool may_fail_;
  bool is_slow_told_ = false;
  bool has_asked_for_details_ = false;
  /// Counted among the long waits.
  bool is_long_ = false;
  const std::int64_t deadline_;
  std::int64_t since_ = 0;
  std::int64_t step_;
  std::int64_t due_;
  std::int64_t slow_at_ = platform::never;
  SharedRing shared_ring_;
};

/// A thread of this process has ended or stopped: those who have waited for long, and whom that may
/// leave without hope, look around.
void look_after_end_of_thread(ThreadId ended) noexcept;

/// In a fork's child: nobody has waited for long.
void reset_detector_after_fork() noexcept;

}  // namespace tutti::inline TUTTI_ABI::runtime
