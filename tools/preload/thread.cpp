#include "preload/thread.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <exception>

#include "preload/memory.h"
#include "runtime/settings.h"

namespace tutti::inline TUTTI_ABI::preload {

namespace {

using runtime::Slot;
using runtime::SlotPhase;

constinit thread_local Thread current{};

// What only this process needs to know of a thread, beside the slot of the same number.
struct Beside {
  platform::atomic<pthread_t> handle;
  /// The stamp of the last wait that was told of.
  platform::atomic<std::uint32_t> told;
};
constinit std::array<Beside, runtime::slot_capacity> all_beside{};

Beside& beside(const Slot& slot) noexcept {
  return all_beside[runtime::slot_number(runtime::id_of(slot))];
}

enum class Use : int { not_yet, possible, impossible };
constinit platform::atomic<Use> use{Use::not_yet};

// Made early, so that other libraries' keys come after it: their destructors may still wait.
pthread_key_t end_key;

bool is_mine(const Slot& slot) noexcept {
  return slot.phase() == SlotPhase::running &&
         slot.process.load(platform::relaxed) == platform::process_id();
}

void leave(void* pointer) {
  Thread& thread = *static_cast<Thread*>(pointer);
  // Destructors of other values may still wait; those of the last round are not watched.
  if (++thread.rounds < PTHREAD_DESTRUCTOR_ITERATIONS &&
      pthread_setspecific(end_key, pointer) == 0) {
    return;
  }
  thread.is_occupied = true;
  thread.phase = Thread::Phase::ended;
  beside(*thread.slot).handle.store(0, platform::relaxed);
  runtime::release_slot(*thread.slot);
}

// The registry ends the program where there is no memory for it. This library does not.
bool is_room_for_registry() noexcept {
  constexpr std::size_t size = sizeof(Slot) * runtime::slot_capacity;
  void* pages = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) return false;
  munmap(pages, size);
  return true;
}

bool take_slot(Thread& thread) noexcept {
  std::array<char, 16> name{};
  prctl(PR_GET_NAME, name.data());
  const std::uint32_t number = platform::thread_id();
  const bool is_main = number == platform::process_id();
  const std::uint32_t flags = Slot::foreign_flag | (is_main ? Slot::main_flag : 0);
  runtime::Claim claim;
  try {
    claim = runtime::claim_slot(flags, name.data());
  } catch (const std::exception&) {
    return false;
  }
  thread.slot = claim.slot;
  thread.id = claim.id;
  claim.slot->thread.store(number, platform::relaxed);
  Beside& own = beside(*claim.slot);
  own.told.store(0, platform::relaxed);
  own.handle.store(pthread_self(), platform::relaxed);
  claim.slot->enter(SlotPhase::running);
  return true;
}

void in_child() {
  unlock_memory();
  if (current.phase != Thread::Phase::registered) return;
  // Its old slot is still the parent's.
  if (!take_slot(current)) current.phase = Thread::Phase::ended;
}

bool begin() noexcept {
  if (!is_room_for_registry() || pthread_key_create(&end_key, leave) != 0) return false;
  runtime::read_settings();
  // In a child the floor forgets the process's number, and does so before in_child() asks for it.
  platform::process_id();
  pthread_atfork(lock_memory, unlock_memory, in_child);
  return true;
}

// The program has one thread yet, or a constructor of another library has made some: then those who
// come meanwhile are registered at their next wait.
bool is_in_use() noexcept {
  Use known = use.load(platform::acquire);
  if (known == Use::not_yet && use.compare_exchange_strong(known, Use::impossible)) {
    known = begin() ? Use::possible : Use::impossible;
    use.store(known, platform::release);
  }
  return known == Use::possible;
}

__attribute__((constructor)) void register_main_thread() {
  register_thread(current);
}

template <typename Matches>
Slot* find(Matches matches) noexcept {
  const std::uint32_t last = runtime::last_slot();
  for (std::uint32_t number = 1; number <= last; ++number) {
    Slot& slot = runtime::slot_at(number);
    if (matches(slot) && is_mine(slot)) return &slot;
  }
  return nullptr;
}

}  // namespace

Thread& this_thread() noexcept {
  return current;
}

bool register_thread(Thread& thread) noexcept {
  if (thread.phase != Thread::Phase::unknown) return thread.phase == Thread::Phase::registered;
  if (thread.is_occupied || !is_in_use()) return false;
  thread.is_occupied = true;
  const int error = errno;
  const bool is_registered = take_slot(thread);
  if (is_registered) pthread_setspecific(end_key, &thread);
  errno = error;
  thread.phase = is_registered ? Thread::Phase::registered : Thread::Phase::ended;
  thread.is_occupied = false;
  return is_registered;
}

void refresh_name(Thread& thread) noexcept {
  if (thread.phase != Thread::Phase::registered) return;
  std::array<char, 16> name{};
  prctl(PR_GET_NAME, name.data());
  thread.slot->name.set(name.data());
}

Slot* find_thread(pid_t number) noexcept {
  return find([number](const Slot& slot) {
    return slot.thread.load(platform::relaxed) == static_cast<std::uint32_t>(number);
  });
}

Slot* find_thread(pthread_t handle) noexcept {
  return find(
      [handle](const Slot& slot) { return beside(slot).handle.load(platform::relaxed) == handle; });
}

bool exists(pid_t number) noexcept {
  return syscall(SYS_tgkill, getpid(), number, 0) == 0 || errno != ESRCH;
}

bool is_told_first(const Slot& slot, std::uint32_t stamp) noexcept {
  return beside(slot).told.exchange(stamp, platform::acq_rel) != stamp;
}

bool is_told(const Slot& slot, std::uint32_t stamp) noexcept {
  return beside(slot).told.load(platform::acquire) == stamp;
}

}  // namespace tutti::inline TUTTI_ABI::preload
