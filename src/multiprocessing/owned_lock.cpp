#include "multiprocessing/owned_lock.h"

#include <limits>
#include <string>

#include "runtime/describe.h"
#include "runtime/life.h"
#include "threading/errors.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

// By the heir, who holds the cell.
void mark_broken(OwnedLock& lock, runtime::ThreadId dead) noexcept {
  const auto known = runtime::identity_of(dead);
  lock.levels.store(0, platform::relaxed);
  lock.dead_thread.set(known ? known->name.data() : "?");
  lock.dead_process.store(known ? known->process : std::numeric_limits<std::uint32_t>::max(),
                          platform::relaxed);
}

// True if the cell is held now, by a caller who may have to care that it is broken.
bool take(const LockRef& lock, std::int64_t deadline, runtime::Interrupts interrupts) {
  const auto [taken, dead] =
      lock.state->cell.acquire_from(deadline, {lock.kind, lock.handle}, interrupts);
  if (taken == Taken::from_the_dead) mark_broken(*lock.state, dead);
  return taken != Taken::timed_out;
}

bool is_marked_broken(const OwnedLock& lock) noexcept {
  return lock.dead_process.load(platform::relaxed) != 0;
}

}  // namespace

bool LockRef::is_broken() const noexcept {
  const runtime::ThreadId owner = state->cell.owner();
  return is_marked_broken(*state) || (owner != 0 && runtime::is_dead(owner));
}

bool LockRef::acquire(std::int64_t deadline) const {
  if (kind == runtime::WaitKind::rlock && is_mine()) {
    const std::uint32_t levels = state->levels.load(platform::relaxed);
    if (levels == std::numeric_limits<std::uint32_t>::max()) {
      threading::throw_misuse("acquire", kind, handle, "it is acquired 4294967296 levels deep");
    }
    state->levels.store(levels + 1, platform::relaxed);
    return true;
  }
  if (!take(*this, deadline, runtime::Interrupts::heeded)) return false;
  if (!is_marked_broken(*state)) [[likely]]
    return true;
  state->cell.release();
  throw_broken();
}

void LockRef::release() const {
  if (kind == runtime::WaitKind::rlock) {
    if (!is_mine()) {
      threading::throw_misuse(
          "release", kind, handle,
          state->cell.is_locked() ? "another thread or process owns it" : "it is not acquired");
    }
    if (const std::uint32_t levels = state->levels.load(platform::relaxed); levels != 0) {
      state->levels.store(levels - 1, platform::relaxed);
      return;
    }
  }
  if (!state->cell.release()) threading::throw_misuse("release", kind, handle, "it is not locked");
}

bool LockRef::recover() const {
  if (!is_mine()) take(*this, platform::never, runtime::Interrupts::heeded);
  const bool was_broken = is_marked_broken(*state);
  state->dead_process.store(0, platform::relaxed);
  return was_broken;
}

std::uint32_t LockRef::release_in_full() const noexcept {
  const std::uint32_t levels = state->levels.load(platform::relaxed);
  state->levels.store(0, platform::relaxed);
  state->cell.release();
  return levels;
}

bool LockRef::reacquire(std::uint32_t levels) const {
  if (!is_mine()) take(*this, platform::never, runtime::Interrupts::deferred);
  state->levels.store(levels, platform::relaxed);
  return !is_marked_broken(*state);
}

void LockRef::throw_broken() const {
  const std::uint32_t process = state->dead_process.load(platform::relaxed);
  const bool is_known = process != std::numeric_limits<std::uint32_t>::max();
  const std::string owner =
      is_known ? "thread '" + state->dead_thread.get() + "' of process " + std::to_string(process)
               : "a thread of another process";
  throw OwnerDiedError(
      runtime::describe(kind, handle) + " was held by " + owner +
      ", which has ended or was killed without releasing it, and can't be acquired by " +
      runtime::describe_calling_thread() +
      ": recover() acquires it and makes it usable again, for whoever can repair what it guards");
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
