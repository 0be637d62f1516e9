// Registration of threads, and what a fork makes of them.
#include "runtime/self.h"

#include <algorithm>
#include <new>
#include <string>

#include "runtime/descriptor_wait.h"
#include "runtime/detector.h"
#include "runtime/guard.h"
#include "runtime/load.h"
#include "runtime/quit_report.h"
#include "runtime/settings.h"
#include "runtime/shutdown.h"
#include "runtime/trace.h"
#include "runtime/waiting.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

constinit atomic<Slot*> the_main_slot{nullptr};
constinit atomic<std::uint32_t> dummies{0};
constinit atomic<void (*)(Self&)> welcome_hook{nullptr};
constinit atomic<void (*)(Self&)> farewell_hook{nullptr};
constinit atomic<void (*)(Self&)> leave_hook{nullptr};

// Ids of threads of the processes that this one was forked from, sorted. Changed only in a fork's
// child, while it has one thread. Never destroyed, for threads that outlive static objects.
std::vector<ThreadId>& vanished_ids() {
  static std::vector<ThreadId>& ids = *new std::vector<ThreadId>;
  return ids;
}

// Held over a fork, and while a thread is given its slot.
constinit Guard fork_guard;

constexpr std::uint32_t pass_of(ThreadId id) {
  return id << 2;
}

void set_current(Self& self) noexcept {
  platform::current().self = &self;
  // Daemons take the slow path always, where self() is their gate at the program's end; and so does
  // everybody while locks are watched.
  platform::current().pass = self.is_daemon || are_locks_watched() ? 0 : pass_of(self.id);
}

void leave(void* pointer) {
  auto* self = static_cast<Self*>(pointer);
  if (auto* leaves = leave_hook.load(platform::acquire)) leaves(*self);
  const trace::ThreadEnd traced(*self);
  platform::current() = {};
  count_runnable(-1);
  Slot* main = self->slot;
  the_main_slot.compare_exchange_strong(main, nullptr, platform::acq_rel);
  release_slot(*self->slot);
  look_after_end_of_thread(self->id);
  delete self;  // Last, for the threading layer's record of the thread goes with it, and wakes
                // joiners.
}

void settle(Self& self) noexcept {
  self.slot->thread.store(platform::thread_id(), platform::relaxed);
  self.slot->life.begin();
  self.slot->enter(SlotPhase::running);
  count_runnable(1);
  set_current(self);
  platform::at_thread_exit(leave, &self);
  if (trace::is_on()) trace::thread_begins(self);
}

std::unique_ptr<Self> make_self(std::uint32_t flags, std::string_view name) {
  auto self = std::make_unique<Self>();
  // No fork comes between: its child would not know that this thread is missing.
  const GuardHolder held(fork_guard);
  const Claim claim = claim_slot(flags, name);
  self->slot = claim.slot;
  self->id = claim.id;
  self->is_main = (flags & Slot::main_flag) != 0;
  self->is_daemon = (flags & Slot::daemon_flag) != 0;
  return self;
}

// --- fork ----------------------------------------------------------------------------------------

// What the child of a fork under way is told. Guarded by fork_guard.
struct ToldToChild {
  /// The threads that it will not have.
  std::vector<ThreadId> missing;
  std::string name;
};

// Never destroyed, for threads may fork to the last.
ToldToChild& told_to_child() {
  static ToldToChild& told = *new ToldToChild;
  return told;
}

// What the child need not do itself is done here: it pays for each page that it is the first to
// touch, of code, too, and of what malloc keeps.
void prepare_fork() {
  fork_guard.lock();
  trace::hold_for_fork();
  leaf_guard.lock();
  ToldToChild& told = told_to_child();
  told.missing.clear();
  Self* const forking = registered_self();
  if (forking != nullptr) {
    told.name = forking->slot->name.get();
    forking->earlier_ids.reserve(forking->earlier_ids.size() + 1);
  }
  for (std::uint32_t number = 1; number <= last_slot(); ++number) {
    const ThreadId id = id_of(slot_at(number));
    if (is_living(id) && (forking == nullptr || forking->id != id)) told.missing.push_back(id);
  }
}

void finish_fork() {
  leaf_guard.unlock();
  trace::release_after_fork();
  fork_guard.unlock();
}

// The forking thread is the only one, and the main one, of the child. It shares the registry with
// its parent, so it needs a slot of its own.
void in_child() {
  const ToldToChild& told = told_to_child();
  if (!told.missing.empty()) {
    std::vector<ThreadId>& vanished = vanished_ids();
    vanished.insert(vanished.end(), told.missing.begin(), told.missing.end());
    std::sort(vanished.begin(), vanished.end());
  }
  finish_fork();
  the_main_slot.store(nullptr, platform::relaxed);
  reset_waiting_after_fork();
  forget_bell_after_fork();
  reset_detector_after_fork();
  Self* self = registered_self();
  // The main thread has seen to its end already, here as in the parent.
  if (self == nullptr || !self->is_main) end_before_statics_made_so_far();
  reset_load_after_fork(self == nullptr || self->blocking_elsewhere > 0 ? 0 : 1);
  if (self == nullptr) return trace::restart_in_child(nullptr);
  const Claim claim = claim_slot(Slot::main_flag, told.name);
  self->earlier_ids.push_back(self->id);
  self->slot = claim.slot;
  self->id = claim.id;
  self->is_main = true;
  self->is_daemon = false;
  claim.slot->thread.store(platform::process_id(), platform::relaxed);
  claim.slot->life.begin();
  claim.slot->enter(SlotPhase::running);
  the_main_slot.store(claim.slot, platform::release);
  set_current(*self);
  trace::restart_in_child(self);
}

// --- start of the program ------------------------------------------------------------------------

bool begin() {
  // Made now: in a fork's child, the thread that was about to make them could be missing.
  vanished_ids();
  told_to_child();
  read_settings();
  end_before_statics_made_so_far();
  report_on_quit();
  trace::start_by_environment();
  platform::around_fork({prepare_fork, finish_fork, in_child});
  platform::on_restart([] {
    the_main_slot.store(nullptr, platform::relaxed);
    dummies.store(0, platform::relaxed);
    reset_waiting_after_fork();
    reset_detector_after_fork();
    reset_load_after_fork(0);
  });
  platform::on_restart(
      [] {
        fork_guard.reset();
        leaf_guard.reset();
      },
      platform::Restart::after_loss);
  return true;
}

void begin_once() {
  static const bool begun = begin();
  (void)begun;
}

Self& register_calling_thread() {
  begin_once();
  const bool is_main = platform::thread_id() == platform::process_id();
  const std::string name =
      is_main ? "MainThread"
              : "Dummy-" + std::to_string(dummies.fetch_add(1, platform::relaxed) + 1);
  Self& self = *make_self(is_main ? Slot::main_flag : Slot::foreign_flag, name).release();
  if (is_main) the_main_slot.store(self.slot, platform::release);
  settle(self);
  if (auto* welcome = welcome_hook.load(platform::acquire)) welcome(self);
  return self;
}

// The main thread is registered before main(), so that the hooks for the program's end are set
// first and therefore run last.
[[maybe_unused]] const bool main_is_registered = (self(), true);

}  // namespace

// Every flavour of the library defines this name, so that a program in which two come together does
// not link.
extern "C" {
extern const int tutti_allows_one_flavour_in_a_program;
const int tutti_allows_one_flavour_in_a_program = 1;
}

bool Self::is(ThreadId owner) const noexcept {
  return owner == id ||
         std::find(earlier_ids.begin(), earlier_ids.end(), owner) != earlier_ids.end();
}

Self& self() {
  Self* known = registered_self();
  if (known == nullptr) return register_calling_thread();
  if (must_stop(*known)) stop_for_good(*known);
  return *known;
}

bool must_stop(const Self& self) noexcept {
  return self.is_daemon && is_ending();
}

void stop_for_good(Self& self) noexcept {
  if (auto* farewell = farewell_hook.load(platform::acquire)) farewell(self);
  self.slot->flags.fetch_or(Slot::stopped_flag, platform::relaxed);
  count_runnable(-1);
  look_after_end_of_thread(self.id);
  platform::park_for_good();
}

void before_stopping(void (*farewell)(Self&)) noexcept {
  farewell_hook.store(farewell, platform::release);
}

void before_leaving(void (*leaves)(Self&)) noexcept {
  leave_hook.store(leaves, platform::release);
}

void leave_for_good() noexcept {
  Self* const self = registered_self();
  if (self == nullptr) return;
  // A process that was made without the handlers for forks, by _Fork() or clone(), has its parent's
  // slot, and must not give that back.
  if (self->slot->thread.load(platform::relaxed) != platform::thread_id()) return;
  the_main_slot.store(nullptr, platform::release);
  release_slot(*self->slot);
}

void exempt_from_stopping() noexcept {
  Self* self = registered_self();
  if (self == nullptr) return;
  self->is_daemon = false;
  set_current(*self);
}

std::unique_ptr<Self> prepare_thread(bool is_daemon, std::string_view name) {
  return make_self(is_daemon ? Slot::daemon_flag : 0, name);
}

void abandon_thread(std::unique_ptr<Self> self) noexcept {
  release_slot(*self->slot);
}

void enter(std::unique_ptr<Self> self) noexcept {
  settle(*self.release());
}

void at_registration(void (*welcome)(Self&)) noexcept {
  welcome_hook.store(welcome, platform::release);
}

bool vanished_in_fork(ThreadId id) noexcept {
  const std::vector<ThreadId>& ids = vanished_ids();
  // In time a thread of this process may be given the same id.
  return !ids.empty() && std::binary_search(ids.begin(), ids.end(), id) && !is_living(id);
}

Slot* main_slot() noexcept {
  return the_main_slot.load(platform::acquire);
}

}  // namespace tutti::inline TUTTI_ABI::runtime
