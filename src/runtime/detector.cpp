#include "runtime/detector.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "platform/stack.h"
#include "runtime/asking.h"
#include "runtime/guard.h"
#include "runtime/load.h"
#include "runtime/names.h"
#include "runtime/settings.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

using About = DeadlockStory::About;

constexpr std::int64_t first_look_after = 10'000'000;
constexpr std::int64_t time_for_details = 5'000'000;
constexpr std::int64_t stall_after = 1'000'000'000;

// Threads of this process that have looked around and wait still.
constinit atomic<int> long_waits{0};

// What was told lately, so that it is told once: a mix of the waits' stamps, different for each
// ring or stall.
constinit Guard told_guard;
constinit std::array<std::uint64_t, 64> told{};
constinit std::size_t times_told = 0;

bool is_told_first(const std::vector<Link>& links) noexcept {
  std::uint64_t mix = 0;
  for (const Link& link : links) {
    const std::uint64_t wait = std::uint64_t{link.record.stamp} << 32 | link.thread;
    mix += wait * 0x9e3779b97f4a7c15u;  // A sum, for each member begins with itself.
  }
  const GuardHolder held(told_guard);
  if (std::find(told.begin(), told.end(), mix) != told.end()) return false;
  told[times_told++ % told.size()] = mix;
  return true;
}

void tell_once(About about, const std::vector<Link>& links) {
  if (!is_told_first(links)) return;
  DeadlockStory story(about, links, 0);
  platform::print_error(("tutti: " + std::string(story.text()) + "\n").c_str());
  if (deadlock_policy() == DeadlockPolicy::abort_program) std::abort();
}

// The last to begin to wait, of those for which `may_be` holds; 0 if there is none. With equal
// times the id decides, so that all come to the same result.
template <typename MayBe>
ThreadId youngest(const std::vector<Link>& links, MayBe may_be) noexcept {
  const Link* found = nullptr;
  for (const Link& link : links) {
    if (!link.record.may_fail || !may_be(link)) continue;
    const bool is_younger =
        found == nullptr || link.record.since > found->record.since ||
        (link.record.since == found->record.since && link.thread > found->thread);
    if (is_younger) found = &link;
  }
  return found == nullptr ? 0 : found->thread;
}

bool is_of_queue(const WaitRecord& record) noexcept {
  return record.kind == WaitKind::queue_empty || record.kind == WaitKind::queue_full ||
         record.kind == WaitKind::queue_join;
}

bool has_stopped(ThreadId thread) noexcept {
  const Slot& slot = slot_at(slot_number(thread));
  return (slot.flags.load(platform::relaxed) & Slot::stopped_flag) != 0;
}

}  // namespace

Lookout::Lookout(Self& self, std::int64_t deadline, bool may_fail) noexcept
    : self_(self),
      may_fail_(may_fail),
      deadline_(deadline),
      since_(self.slot->since.load(platform::relaxed)),
      step_(first_look_after),
      due_(since_ + step_) {
  if (slow_wait() != platform::never) {
    slow_at_ = since_ + slow_wait();
    due_ = std::min(due_, slow_at_);
  }
}

Lookout::~Lookout() {
  if (is_long_) long_waits.fetch_sub(1, platform::relaxed);
}

bool Lookout::must_look(bool in_time) const noexcept {
  return self_.slot->must_look.load(platform::acquire) != 0 ||
         (!in_time && platform::now() >= due_);
}

bool Lookout::look(const SharedHold* hold) noexcept {
  // Whoever moves the waiting thread to another queue makes it wait for something new.
  const std::int64_t since = self_.slot->since.load(platform::relaxed);
  if (since != since_) {
    since_ = since;
    step_ = first_look_after;
  }
  // Counted before the look: a thread that ends after it sees that there is somebody to ask.
  if (!std::exchange(is_long_, true)) long_waits.fetch_add(1, platform::seq_cst);
  const bool is_asked = self_.slot->must_look.exchange(0, platform::seq_cst) != 0;
  // After the flag, which is set after a question was put. acquire: pairs with ask().
  const std::uint32_t questions = self_.slot->questions.load(platform::acquire);
  const std::int64_t now = platform::now();
  while (since_ + step_ <= now) step_ *= 2;
  due_ = since_ + step_;
  // The thread that asked may need a moment until it is gone in full.
  if (is_asked) due_ = std::min(due_, now + first_look_after);
  if (slow_at_ > now) due_ = std::min(due_, slow_at_);
  try {
    tell_details(hold, questions);
    if (now >= slow_at_) tell_if_slow();
    return deadlock_policy() != DeadlockPolicy::off && deadline_ == platform::never &&
           judge(is_asked);
  } catch (const std::bad_alloc&) {
    return false;  // The next look may find more memory.
  }
}

void Lookout::tell_details(const SharedHold* hold, std::uint32_t questions) {
  const WaitRecord record = read_record(*self_.slot);
  const auto holder_now = [&] {
    return hold != nullptr ? hold->holder_now() : find_holder(self_.id, record);
  };
  WaitDetails details;
  details.answered = questions;
  details.holder = holder_now();
  // A lock that was held over a fork is not its owner's in the parent.
  const bool may_be_elsewhere = hold != nullptr || record.kind == WaitKind::process;
  if (details.holder != 0 && (may_be_elsewhere || is_living(details.holder))) {
    // In this order: see shared_ring.h.
    details.holders_wait = wait_of(details.holder);
    if (holder_now() != details.holder) details.holders_wait = 0;
  }
  details.object_name = name_of(reinterpret_cast<const void*>(record.object));
  details.stack = platform::calling_stack();
  publish_details(*self_.slot, record.stamp, details);
}

void Lookout::tell_if_slow() {
  if (std::exchange(is_slow_told_, true)) return;
  const WaitRecord record = read_record(*self_.slot);
  if (!is_of_lock(record.kind) && record.kind != WaitKind::queue_full) return;
  Link link{self_.id, record, 0};
  if (const std::optional<WaitDetails> details = read_details(*self_.slot, record)) {
    link.holder = details->holder;
  }
  std::string text = "tutti: " + name_of_thread(self_.id) + " has waited " +
                     std::to_string((platform::now() - record.since) / 1'000'000) + " ms for " +
                     Awaited(link).described();
  if (link.holder != 0) {
    text += ", held by " + name_of_thread(link.holder);
    if (const std::optional<Link> next = read_link(link.holder)) {
      text += ", which waits for " + Awaited(*next).described();
    }
  }
  platform::print_error((text + "\n").c_str());
}

bool Lookout::fail_with(std::exception_ptr failure) noexcept {
  self_.failure = std::move(failure);
  return true;
}

bool Lookout::judge(bool is_asked) {
  const std::optional<Link> own = read_link(self_.id);
  if (own && is_of_lock(own->record.kind) && own->holder != 0 && own->holder != self_.id &&
      (!is_living(own->holder) || has_stopped(own->holder))) {
    if (!still_holds(*own)) return false;
    const std::string text = Awaited(*own).described() + " is held by " +
                             name_of_thread(own->holder) + ", which has ended without releasing it";
    const auto failure = std::make_exception_ptr(
        OwnerDiedError(text + ", and can't be acquired by " + name_of_thread(self_.id)));
    if (may_fail_) return fail_with(failure);
    // It can't go on without the lock: it is told when it has it.
    self_.failure = failure;
    release_for_dead(own->holder, own->record);
    return false;
  }
  // A Lock that the thread holds itself may be meant as a signal, for another thread to release.
  if (own && own->holder != self_.id) {
    if (const std::vector<Link> ring = find_ring(self_.id); !ring.empty()) return judge_ring(ring);
  }
  if (judge_shared_ring(is_asked)) return true;
  if (!own) return false;  // Woken by now, or for other processes to end.
  if (const std::vector<Link> all = find_stuck_process(); !all.empty()) {
    return judge_stuck_process(all);
  }
  return false;
}

// Each member is asked when the ring is first suspected, and then, at ever doubled times, until it
// has answered.
bool Lookout::judge_shared_ring(bool is_asked) {
  constexpr int most_times = 8;
  const bool asks_again = !is_asked && shared_ring_.times_asked() < most_times;
  if (!shared_ring_.look(self_.id, asks_again)) {
    // A member that does not answer for so long will ask the others itself, once it goes on.
    if (!shared_ring_.is_suspected() || shared_ring_.times_asked() >= most_times) return false;
    const std::int64_t pause = time_for_details << shared_ring_.times_asked();
    due_ = std::min(due_, platform::now() + pause);
    return false;
  }
  const std::vector<Link> ring = shared_ring_.links();
  const ThreadId victim = youngest(ring, [](const Link&) { return true; });
  if (deadlock_policy() == DeadlockPolicy::throw_error && victim != 0) {
    return sacrifice(victim, About::ring, ring);
  }
  // Told by one of its processes.
  if (victim == self_.id || victim == 0) tell_once(About::ring, ring);
  return false;
}

bool Lookout::are_details_there(const std::vector<Link>& links) noexcept {
  if (std::exchange(has_asked_for_details_, true)) return true;
  bool are_there = true;
  for (const Link& link : links) {
    Slot& slot = slot_at(slot_number(link.thread));
    if (slot.details_stamp.load(platform::relaxed) == link.record.stamp) continue;
    ask_to_look(slot);
    are_there = false;
  }
  if (!are_there) due_ = std::min(due_, platform::now() + time_for_details);
  return are_there;
}

bool Lookout::sacrifice(ThreadId victim, DeadlockStory::About about,
                        const std::vector<Link>& links) {
  if (victim != self_.id) {
    ask(victim);
    return false;
  }
  return fail_with(std::make_exception_ptr(
      DeadlockError(std::make_shared<DeadlockStory>(about, links, victim))));
}

bool Lookout::judge_ring(const std::vector<Link>& ring) {
  if (!are_details_there(ring)) return false;
  const bool throws = deadlock_policy() == DeadlockPolicy::throw_error;
  const ThreadId victim = throws ? youngest(ring, [](const Link&) { return true; }) : 0;
  if (victim != 0) return sacrifice(victim, About::ring, ring);
  tell_once(About::ring, ring);
  return false;
}

// Those who could bring or take an item, or set a future, are known here: nobody. They throw, as do
// those who wait for their own lock. What remains, such as an event that nobody sets, may be just
// an odd way to wait for the user's kill: that is told, and no more.
bool Lookout::judge_stuck_process(const std::vector<Link>& all) {
  if (!are_details_there(all)) return false;
  const bool throws = deadlock_policy() == DeadlockPolicy::throw_error;
  const ThreadId victim =
      throws ? youngest(all,
                        [](const Link& link) {
                          const bool is_own_lock =
                              is_of_lock(link.record.kind) && link.holder == link.thread;
                          const bool is_nobodys_future =
                              link.record.kind == WaitKind::future && link.holder == 0;
                          return is_of_queue(link.record) || is_own_lock || is_nobodys_future;
                        })
             : 0;
  if (victim != 0) return sacrifice(victim, About::stuck_process, all);
  std::int64_t last = 0;
  for (const Link& link : all) last = std::max(last, link.record.since);
  if (platform::now() < last + stall_after) {
    due_ = std::min(due_, last + stall_after);
    return false;
  }
  tell_once(About::stuck_process, all);
  return false;
}

// Dekker's pattern with look(), seq_cst: either that sees that the thread has ended, or this sees
// that somebody waits. Asked are those who wait for a lock of the thread's, and, if nobody runs any
// more, one for all: nobody else's hopes have changed. Of many who wait for one lock the first says
// whose it is; if not that of the thread that has ended, it never will be. To find it out takes a
// walk along those who wait for it.
void look_after_end_of_thread(ThreadId ended) noexcept {
  if (long_waits.load(platform::seq_cst) == 0) return;
  bool one_should_look = runnable_threads() == 0;
  std::uint64_t lock_of_another = 0;
  for (std::uint32_t number = 1; number <= last_slot(); ++number) {
    Slot& slot = slot_at(number);
    const WaitKind kind = slot.kind.load(platform::relaxed);
    if (kind == WaitKind::none || kind == WaitKind::io || kind == WaitKind::sleep) continue;
    const bool may_be_concerned = is_of_lock(kind);
    if (!one_should_look) {
      if (!may_be_concerned) continue;
      if (slot.object.load(platform::relaxed) == lock_of_another) continue;
    }
    const std::optional<Link> link = read_link(id_of(slot));
    if (!link) continue;
    if (!one_should_look && link->holder != ended) {
      if (link->holder != 0) lock_of_another = link->record.object;
      continue;
    }
    ask_to_look(slot);
    one_should_look = false;
  }
}

void reset_detector_after_fork() noexcept {
  long_waits.store(0, platform::relaxed);
  told_guard.reset();
}

}  // namespace tutti::inline TUTTI_ABI::runtime
