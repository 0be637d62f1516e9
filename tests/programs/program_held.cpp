// What is known of held locks: see tests/sync/held_test.cpp.
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>

#include "programs/program.h"
#include "sync/held.h"
#include "tutti/tutti.h"

namespace {

using namespace program;
namespace threading = tutti::threading;
using threading::Phase;
using threading::Thread;
using tutti::runtime::WaitKind;
using tutti::sync::held_by;

tutti::sync::ThreadId my_id() {
  return static_cast<tutti::sync::ThreadId>(threading::get_ident());
}
bool is_mine(const void* lock) {
  return held_by(my_id(), lock).has_value();
}
void await_phase(const Thread& thread, Phase phase) {
  while (thread.state().phase != phase) tutti::sleep(0.001);
}

int from_acquire_to_release() {
  threading::Lock lock;
  threading::Lock other;
  const auto before = tutti::platform::now();
  lock.acquire();
  other.acquire(false);
  const auto after = tutti::platform::now();
  const auto held = held_by(my_id(), &lock);
  check(held.has_value(), "it is known");
  check(held->lock == &lock && held->kind == WaitKind::lock, "what it is");
  check(before <= held->since && held->since <= after, "since when it is held");
  const auto all = tutti::sync::all_held_by(tutti::runtime::self());
  check(all.size() == 2 && all[0].lock == &lock && all[1].lock == &other, "all, in order");
  const auto id = my_id();
  Thread asking([&] {
    check(held_by(id, &lock).has_value(), "others may ask");
    check(!is_mine(&lock), "and have none of it");
    check(!lock.acquire(0.001) && !is_mine(&lock), "also if they try");
  });
  asking.start();
  asking.join();
  lock.release();
  check(!is_mine(&lock) && is_mine(&other), "it is released");
  other.release();
  check(!is_mine(&other), "so is the other");
  return 0;
}

int levels() {
  threading::RLock lock;
  lock.acquire();
  const auto since = held_by(my_id(), &lock)->since;
  lock.acquire();
  check(lock.acquire(false), "it goes deeper");
  check(tutti::sync::all_held_by(tutti::runtime::self()).size() == 1, "it is held once");
  check(held_by(my_id(), &lock)->since == since, "since the outermost level");
  check(held_by(my_id(), &lock)->kind == WaitKind::rlock, "it is an RLock");
  lock.release();
  lock.release();
  check(is_mine(&lock), "it is still held");
  lock.release();
  check(!is_mine(&lock), "and released at the end");
  return 0;
}

int after_a_wait() {
  threading::Lock lock;
  lock.acquire();
  Thread waiting([&] {
    const std::scoped_lock held(lock);
    check(is_mine(&lock), "who waited has it");
  });
  waiting.start();
  await_phase(waiting, Phase::blocked_in_lock_pool);
  const auto id = static_cast<tutti::sync::ThreadId>(*waiting.ident());
  check(!held_by(id, &lock), "who waits has it not");
  lock.release();
  check(!is_mine(&lock), "who released it has it not");
  waiting.join();
  check(!held_by(id, &lock), "nobody has it at the end");
  return 0;
}

int released_by_another() {
  threading::Lock lock;
  lock.acquire();
  Thread releasing([&] { lock.release(); });
  releasing.start();
  releasing.join();
  check(!is_mine(&lock), "it is released");
  lock.acquire();
  check(!is_mine(&lock), "a signal belongs to nobody");
  lock.release();
  return 0;
}

int waiting_for_a_condition() {
  threading::Lock lock;
  threading::Condition condition(lock);
  Thread waiting([&] {
    const std::scoped_lock held(condition);
    check(is_mine(&lock), "it is held before");
    condition.wait();
    check(is_mine(&lock), "and after it was notified");
    check(!condition.wait(0.001), "nobody notifies");
    check(is_mine(&lock), "and after a time-out");
  });
  waiting.start();
  await_phase(waiting, Phase::blocked_in_wait_pool);
  const auto id = static_cast<tutti::sync::ThreadId>(*waiting.ident());
  check(!held_by(id, &lock), "not while it waits");
  condition.acquire();
  check(is_mine(&lock), "but who notifies has it");
  condition.notify();
  condition.release();
  waiting.join();
  check(!held_by(id, &lock), "and it is released at the end");
  return 0;
}

int forked() {
  threading::Lock own;
  threading::Lock of_another;
  threading::Event taken;
  threading::Event go;
  Thread other([&] {
    const std::scoped_lock held(of_another);
    taken.set();
    go.wait();
  });
  own.acquire();
  other.start();
  taken.wait();
  const auto former = my_id();
  const auto others = static_cast<tutti::sync::ThreadId>(*other.ident());
  const pid_t child = fork();
  if (child == 0) {
    check(held_by(former, &own).has_value(), "the child's thread holds what it held");
    check(!held_by(others, &of_another), "who is not there holds nothing");
    check(tutti::sync::all_held_by(tutti::runtime::self()).size() == 1, "it is its own still");
    own.release();
    check(!held_by(former, &own), "until it is released");
    std::_Exit(42);
  }
  check(wait_for(child) == 42, "the child came to its end");
  check(is_mine(&own), "the parent has what it had");
  go.set();
  other.join();
  own.release();
  return 0;
}

int destroyed_while_held() {
  alignas(threading::Lock) std::byte place[sizeof(threading::Lock)];
  auto* const lock = std::construct_at(reinterpret_cast<threading::Lock*>(place));
  lock->acquire();
  std::destroy_at(lock);
  check(!is_mine(lock), "it is forgotten");
  return 0;
}

int held_at_the_end_of_a_thread() {
  static threading::Lock lock{"accounts"};
  Thread forgetful({.target = [] { lock.acquire(); }, .name = "forgetful"});
  forgetful.start();
  forgetful.join();
  check(held_by(static_cast<tutti::sync::ThreadId>(*forgetful.ident()), &lock).has_value(),
        "it is known who held it");
  return 0;
}

int not_watched() {
  threading::Lock lock;
  lock.acquire();
  check(!is_mine(&lock), "nothing is written down");
  lock.release();
  return 0;
}

}  // namespace

int main() {
  return run({
      {"from_acquire_to_release", from_acquire_to_release},
      {"levels", levels},
      {"after_a_wait", after_a_wait},
      {"released_by_another", released_by_another},
      {"waiting_for_a_condition", waiting_for_a_condition},
      {"forked", forked},
      {"destroyed_while_held", destroyed_while_held},
      {"held_at_the_end_of_a_thread", held_at_the_end_of_a_thread},
      {"not_watched", not_watched},
  });
}
