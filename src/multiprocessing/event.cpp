// One word:
//
//      31                          2      1       0
//     ┌──────────────────────────────┬─────────┬─────┐
//     │ how often it was set         │ WAITERS │ SET │
//     └──────────────────────────────┴─────────┴─────┘
//
// A waiter that has seen another count than before was released, whatever the flag is by now. Each
// change is one compare-exchange; a setter that is killed before it wakes the sleepers has them
// find out by themselves a little later.
#include "tutti/multiprocessing/event.h"

#include <limits>
#include <optional>
#include <utility>

#include "runtime/shared_waiting.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

using Word = platform::atomic<std::uint32_t>;

constexpr std::uint32_t set_bit = 1;
constexpr std::uint32_t waiters_bit = 2;
constexpr std::uint32_t one_time = 4;

constexpr bool is_released(std::uint32_t since, std::uint32_t now) {
  return (now & set_bit) != 0 || (now ^ since) >= one_time;
}

}  // namespace

Event::Event() : SharedObject(sizeof(Word), "tutti-event") {}

Event::Event(std::string name) : Event() {
  set_name(std::move(name));
}

bool Event::is_set() const noexcept {
  // acquire: pairs with the release in set().
  return (state<Word>().load(platform::acquire) & set_bit) != 0;
}

void Event::set() noexcept {
  Word& word = state<Word>();
  std::uint32_t before = word.load(platform::relaxed);
  std::uint32_t after;
  do {
    after = (before & set_bit) != 0 ? before : ((before & ~waiters_bit) + one_time) | set_bit;
    // release, also if it is set already: pairs with the acquire of who finds it set.
  } while (!word.compare_exchange_weak(before, after, platform::release, platform::relaxed));
  if ((before & waiters_bit) != 0) {
    runtime::wake_shared_word(word, std::numeric_limits<int>::max());
  }
}

void Event::clear() noexcept {
  // acquire, release: a set() that follows is seen together with what this thread has done before,
  // and the other way round.
  state<Word>().fetch_and(~set_bit, platform::acq_rel);
}

bool Event::wait(Timeout timeout) {
  using runtime::Ended;
  Word& word = state<Word>();
  const std::uint32_t since = word.load(platform::acquire);
  if (is_released(since, since)) return true;
  runtime::Self& self = runtime::self();
  const std::int64_t deadline = timeout.deadline();
  if (deadline <= platform::now()) return false;
  const runtime::Reason reason(runtime::WaitKind::event, this, platform::Reach::machine);
  std::optional<runtime::SharedWait> wait(std::in_place, self, reason, deadline);
  Ended ended = Ended::woken;
  std::uint32_t now = since;
  while (!is_released(since, now) && ended == Ended::woken) {
    // relaxed: set() reads the bit by a compare-exchange of the same word.
    if ((now & waiters_bit) != 0 ||
        word.compare_exchange_strong(now, now | waiters_bit, platform::relaxed)) {
      ended = wait->sleep_on(word, now | waiters_bit);
    }
    now = word.load(platform::acquire);
  }
  wait.reset();
  if (is_released(since, now)) ended = Ended::woken;
  runtime::stop_or_throw(self, ended);
  return ended == Ended::woken;
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
