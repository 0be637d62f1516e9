#include "tutti/futures/wait.h"

#include <algorithm>
#include <deque>
#include <string>

#include "futures/worker.h"
#include "runtime/describe.h"
#include "runtime/waiting.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::futures {

namespace {
using runtime::Ended;
using runtime::Interrupts;
}  // namespace

// Those that are done come in a stack, which listeners push and the waiting thread takes whole. It
// waits with `sleeper` set; whoever exchanges that for null owes it a wake. A listener pushes and
// then looks for a sleeper; the thread sets itself as sleeper and then looks at the stack: all
// seq_cst, so that at least one of them sees the other (Dekker's pattern).
struct Gathering::Core {
  struct Entry final : Listener {
    Entry(Core& its_core, SharedState& its_state, std::size_t its_index) noexcept
        : Listener(Kind::waiting_thread), core(its_core), state(its_state), index(its_index) {}
    void notify(SharedState& /*state*/) noexcept override {
      Entry* top = core.done.load(platform::relaxed);
      do {
        below = top;
      } while (!core.done.compare_exchange_weak(top, this, platform::seq_cst, platform::relaxed));
      if (runtime::Slot* slot = core.sleeper.exchange(nullptr, platform::seq_cst)) {
        runtime::wake(*slot);
      }
    }

    Core& core;
    SharedState& state;
    const std::size_t index;
    Entry* below = nullptr;
  };

  /// Brings what is on the stack into `ready`, oldest first.
  void take_done() noexcept {
    const platform::Operation operation("Future.wait", this);
    const auto first = static_cast<std::ptrdiff_t>(ready.size());
    Entry* entry = done.exchange(nullptr, platform::seq_cst);
    for (; entry != nullptr; entry = entry->below)
      ready.push_back(entry);  // There is room for all.
    std::reverse(ready.begin() + first, ready.end());
  }
  /// Runs the first of those that are tasks of the calling worker's pool and that nobody has begun.
  bool run_one_instead() noexcept;
  /// Whoever fulfils them may depend on a pool's tasks.
  bool is_about_tasks() const noexcept {
    return std::any_of(entries.begin(), entries.end(),
                       [](const Entry& entry) { return entry.state.pool() != nullptr; });
  }
  /// Waits until something may be on the stack. False at the deadline.
  bool sleep(std::int64_t deadline);

  platform::atomic<Entry*> done{nullptr};
  platform::atomic<runtime::Slot*> sleeper{nullptr};
  std::deque<Entry> entries;
  std::size_t next_to_run = 0;
  std::vector<Entry*> ready;
  std::size_t next_ready = 0;
};

bool Gathering::Core::run_one_instead() noexcept {
  if (current_worker == nullptr) return false;
  while (next_to_run < entries.size()) {
    if (current_worker->run_instead(entries[next_to_run++].state)) return true;
  }
  return false;
}

bool Gathering::Core::sleep(std::int64_t deadline) {
  runtime::Self& self = runtime::self();
  const platform::Operation operation("Future.wait", this);
  runtime::check_interrupt(self);
  const runtime::WaitKind kind =
      entries.size() == 1 ? runtime::WaitKind::future : runtime::WaitKind::futures;
  const runtime::Reason reason(kind, &entries.front().state);
  runtime::prepare_to_wait(self);
  sleeper.store(self.slot, platform::seq_cst);
  Ended ended = Ended::interrupted;
  const bool has_to_wait = done.load(platform::seq_cst) == nullptr;
  if (has_to_wait) ended = runtime::wait_for_wake(self, reason, deadline);
  if (ended != Ended::woken && sleeper.exchange(nullptr, platform::seq_cst) == nullptr) {
    // Somebody has promised a wake: it is under way.
    ended = runtime::wait_for_wake(self, reason, platform::never, Interrupts::deferred);
  }
  if (runtime::must_stop(self)) runtime::stop_for_good(self);
  if (has_to_wait) runtime::throw_if_broken_off(self, ended);
  return !has_to_wait || ended == Ended::woken;
}

Gathering::Gathering(const std::vector<SharedState*>& states) : core_(std::make_unique<Core>()) {
  core_->ready.reserve(states.size());
  for (SharedState* state : states) {
    core_->entries.emplace_back(*core_, *state, core_->entries.size());
  }
  for (Core::Entry& entry : core_->entries) {
    if (!entry.state.listen(entry)) core_->ready.push_back(&entry);
  }
}

Gathering::~Gathering() {
  // Those given out as well: their notify() may still be about to look for a sleeper; it is over
  // when the guard is free.
  for (Core::Entry& entry : core_->entries) entry.state.unlisten(entry);
}

std::size_t Gathering::left() const noexcept {
  return core_->entries.size() - core_->next_ready;
}

std::optional<std::size_t> Gathering::next(std::int64_t deadline) {
  Core& core = *core_;
  if (left() == 0) return std::nullopt;
  while (core.next_ready == core.ready.size()) {
    core.take_done();
    if (core.next_ready < core.ready.size()) break;
    if (deadline <= platform::now()) return std::nullopt;
    // As long as another one may be done first, the caller should not be kept by this one: only if
    // nobody else might run it.
    if (deadline == platform::never && left() == 1 && core.run_one_instead()) continue;
    {
      const StandIn stand_in;
      if (!stand_in.is_missing() || !core.is_about_tasks()) {
        if (!core.sleep(deadline)) return std::nullopt;
        continue;
      }
    }
    if (!core.run_one_instead()) current_worker->help();
  }
  Core::Entry& entry = *core.ready[core.next_ready++];
  return entry.index;
}

std::vector<bool> wait_for_states(const std::vector<SharedState*>& states, std::int64_t deadline,
                                  ReturnWhen when) {
  if (when == ReturnWhen::all_completed) {
    for (SharedState* state : states) {
      if (!state->wait(deadline)) break;
    }
  } else {
    Gathering gathering(states);
    std::optional<std::size_t> next;
    do {
      next = gathering.next(deadline);
    } while (next && when == ReturnWhen::first_exception && states[*next]->outcome() == nullptr);
  }
  std::vector<bool> is_done;
  is_done.reserve(states.size());
  for (const SharedState* state : states)
    is_done.push_back(state->look() >= SharedState::Phase::cancelled);
  return is_done;
}

void throw_unfinished(std::size_t unfinished, std::size_t all) {
  throw TimeoutError(std::to_string(unfinished) + " (of " + std::to_string(all) +
                     ") futures unfinished" + runtime::in_calling_thread());
}

}  // namespace tutti::inline TUTTI_ABI::futures
