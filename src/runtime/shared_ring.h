// Rings of threads of several processes, which wait for each other's locks.
//
// A thread can look into the lock words of its own process only. So each thread that has waited for
// long tells, in the details of its wait, who has what it waits for, and these three things hold of
// what it tells, in this order:
//   1. it has read the record of the holder, which was in a wait without limit: holders_wait;
//   2. it has read, after that, that this holder has what it waits for;
//   3. it still waits itself, in the wait that the details belong to.
// The holder does nothing as long as its wait lasts, so it has not let go between 1 and 2; and what
// it does once its wait is over comes after that. So the wait that is told of can't end before the
// holder's does. If each wait of a ring names the next one like that, by thread and stamp, then
// none of them can have ended, nor ever ends by itself: the first to end would have to end after
// the next. This needs no common clock, no second reading and no luck: it is about the order in
// which things happen, and the stamps are written and read so that they keep it (release,
// acquire).
//
// Who joins a process waits for its only thread, if it has no other; that this is the only one is
// part of the second reading.
//
// Two things end such a wait all the same. A holder that is killed is no part of a ring: it is
// looked whether all are alive. And a Lock may be released by another thread than its owner, which
// makes it a signal from then on: it is nobody's, and can't be in a ring, but this may happen
// after it was told of. So a ring is believed only if all say it once more: whoever suspects a
// ring asks each of its members (asking.h), after having read all of their records, and waits for
// answers that were found out after that. A member that was in its wait before the question, and
// in the same one at the answer, waited for the same thing when the question was put, of which the
// owner was the same: a Lock that has been a signal has no owner any more. So when the question was
// put the ring was there, all of it at once. From then on only a third thread that releases a Lock
// which it does not own, for the first time, could have ended it; as within one process.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/wait_graph.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// A thread's wait without limit, and what it tells about it.
struct ToldLink : Link {
  /// Not told, but looked up now: a wait for something of this process.
  bool is_looked_up = false;
  std::uint32_t holders_wait = 0;
  std::uint32_t answered = 0;
};

/// The stamp of the wait without limit in which the thread, of whatever process, is; 0 if it is in
/// none that could be part of a ring.
std::uint32_t wait_of(ThreadId thread) noexcept;

/// A ring to which a waiting thread may belong: suspected first, and confirmed by all of it later.
class SharedRing {
 public:
  /// By a thread that waits, after it has told what it waits for. True if it is in a ring, which
  /// all members have confirmed. `asks_again`: those who have not answered are asked once more.
  bool look(ThreadId thread, bool asks_again);
  /// True while a ring is suspected, and answers are to come.
  bool is_suspected() const noexcept { return is_suspected_; }
  /// How often its members were asked.
  int times_asked() const noexcept { return times_asked_; }
  /// The members, beginning with the thread that looks.
  std::vector<Link> links() const { return {members_.begin(), members_.end()}; }

 private:
  bool is_known(const std::vector<ToldLink>& ring) const noexcept;
  void ask_all();
  bool is_confirmed(std::size_t place) const noexcept;

  std::vector<ToldLink> members_;
  /// What each was asked last.
  std::vector<std::uint32_t> questions_;
  int times_asked_ = 0;
  bool is_suspected_ = false;
};

}  // namespace tutti::inline TUTTI_ABI::runtime
