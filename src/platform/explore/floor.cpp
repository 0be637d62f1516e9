// The exploring floor's functions. See tutti/platform/explore.h for what each promises.
#include <sys/mman.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "platform/explore/failing.h"
#include "platform/explore/order.h"
#include "platform/explore/scheduler.h"

namespace tutti::inline TUTTI_ABI::platform {

using namespace exploring;

namespace {

[[noreturn]] void refuse(const char* what) {
  std::fprintf(stderr, "tutti: %s\n", what);
  std::abort();
}

// Outside of an execution there is one thread, and nobody who would wake it.
[[noreturn]] void refuse_outside(const char* what) {
  std::fprintf(stderr,
               "tutti: %s outside of explore::check(): this program is linked with tutti::explore, "
               "in which threads run inside of a check only; link tutti::tutti to run by itself\n",
               what);
  std::abort();
}

constexpr std::uint32_t the_process = 1;

std::vector<void (*)()>& restarts(Restart when) {
  static auto& each = *new std::vector<void (*)()>;
  static auto& after_loss = *new std::vector<void (*)()>;
  return when == Restart::each ? each : after_loss;
}

void (*outside_exit)(void*) = nullptr;
void* outside_exit_argument = nullptr;

}  // namespace

// --- hooks of words ------------------------------------------------------------------------------

namespace exploring {

namespace {
// Stands for all seq_cst fences, which depend on each other.
const char fences = 0;
}  // namespace

void point(const char* name, const void* object, Access access, memory_order memory) noexcept {
  Step step{.name = name, .object = object, .access = access};
  if (memory == seq_cst && scheduler().rules().is_relaxed) {
    // What it may load depends on the seq_cst fences before it, and what others may load later on
    // what it has loaded: it does not change places with another load.
    step.access = Access::write;
    step.also = &fences;
    step.also_access = Access::read;
  }
  scheduler().point(step);
}

std::uint64_t ordered_load(Tag& tag, std::uint64_t newest, std::memory_order memory) noexcept {
  return order().load(tag, newest, memory);
}
void ordered_peek(Tag& tag, std::uint64_t newest, std::memory_order memory) noexcept {
  order().peek(tag, newest, memory);
}
void ordered_store(Tag& tag, std::uint64_t before, std::uint64_t value,
                   std::memory_order memory) noexcept {
  order().store(tag, before, value, memory);
}
void ordered_exchange(Tag& tag, std::uint64_t before, std::uint64_t value,
                      std::memory_order memory) noexcept {
  order().exchange(tag, before, value, memory);
}
void ordered_fence(std::memory_order memory) noexcept {
  if (memory == seq_cst && (active & (user_points | library_points)) != 0) {
    scheduler().point({.name = "fence", .object = &fences, .access = Access::write});
  }
  order().fence(memory);
}

void park_on(const void* word) noexcept {
  if (!scheduler().is_running()) refuse_outside("a thread would wait for an atomic");
  scheduler().park(word, never);
}
void unpark_from(const void* word, int count) noexcept {
  if (scheduler().is_running()) scheduler().unpark(word, count);
}

void looked_at(const void* object, std::uint64_t value) noexcept {
  scheduler().looked(object, value);
}
void changed_something() noexcept {
  scheduler().changed();
}

void tell_read(const void* object, Value value) noexcept {
  scheduler().recorder()->read(object, value);
}
void tell_written(const void* object, Value before, Value value) noexcept {
  scheduler().recorder()->written(object, before, value);
}

void restart_process(bool is_lost) noexcept {
  // Who used the library outside of executions is gone from it.
  if (outside_exit != nullptr) {
    auto* function = outside_exit;
    outside_exit = nullptr;
    function(outside_exit_argument);
  }
  if (is_lost) {
    for (auto* function : restarts(Restart::after_loss)) function();
  }
  for (auto* function : restarts(Restart::each)) function();
}

}  // namespace exploring

void on_restart(void (*function)(), Restart when) noexcept {
  restarts(when).push_back(function);
}

void Watch::read(const void* object) const noexcept {
  scheduler().point({.name = "read", .object = object, .access = Access::read});
  if (!scheduler().rules().follows_order) return order().miss();
  const Order::Race race = order().read(tag_);
  if (race.other != most_threads && scheduler().rules().finds_races) {
    fail_by_race(object, race);
  }
}

void Watch::write(const void* object) noexcept {
  scheduler().point({.name = "write", .object = object, .access = Access::write});
  scheduler().changed();
  if (!scheduler().rules().follows_order) return order().miss();
  const Order::Race race = order().write(tag_);
  if (race.other != most_threads && scheduler().rules().finds_races) {
    fail_by_race(object, race);
  }
}

// --- operations ----------------------------------------------------------------------------------

void Operation::begin(const char* name, const void* object, Access access, const void* also,
                      Gate gate, bool has_words) noexcept {
  is_counted_ = true;
  if (!scheduler().is_own_kernel_thread()) {
    refuse(
        "a thread that is not tutti's, such as a std::thread, used tutti inside of "
        "explore::check(): only tutti's own threads can be explored");
  }
  scheduler().begin_operation(
      {name, object, access, also, also == nullptr ? Access::none : Access::write, gate},
      has_words);
}

void Operation::pause_here() noexcept {
  if (scheduler().is_running()) scheduler().pause_operation();
}

void Operation::tried_in_vain() noexcept {
  if (scheduler().is_running()) scheduler().tried_in_vain();
}

void Operation::found(std::uint64_t value) noexcept {
  if (scheduler().is_running()) scheduler().found(value);
}

void Operation::end() noexcept {
  if (scheduler().is_running()) scheduler().end_operation();
}

// --- time and waiting ----------------------------------------------------------------------------

std::int64_t now() noexcept {
  return scheduler().is_running() ? scheduler().now() : 0;
}

bool park(const atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline,
          Reach /*reach*/) noexcept {
  if (!scheduler().is_running()) refuse_outside("a thread would wait");
  if (word.load_newest("park") != expected) return true;
  return scheduler().park(&word, deadline);
}

void unpark(const atomic<std::uint32_t>& word, int count, Reach /*reach*/) noexcept {
  if (!scheduler().is_running()) return;
  if ((active & library_points) != 0) point("unpark", &word, Access::write, relaxed);
  scheduler().unpark(&word, count);
}

void yield() noexcept {
  if (scheduler().is_running()) scheduler().yield();
}

std::uintptr_t cache_line_of(const void* object) noexcept {
  const std::uintptr_t line = reinterpret_cast<std::uintptr_t>(object) >> 6;
  return scheduler().is_running() ? scheduler().line_number(line) : line;
}

void relax() noexcept {
  yield();
}

void park_for_good() noexcept {
  static const atomic<std::uint32_t> word{0};
  if (!scheduler().is_running()) refuse_outside("a thread would wait for good");
  for (;;) scheduler().park(&word, never);
}

// --- threads -------------------------------------------------------------------------------------

Started start(void* (*entry)(void*), void* argument, std::size_t stack_size) noexcept {
  if (!scheduler().is_running()) refuse_outside("a thread was started");
  unsigned index = 0;
  if (!scheduler().start(entry, argument, stack_size, index)) return {EAGAIN, {}};
  return {0, {index}};
}

std::string describe_start_error(int /*error*/) {
  return "an explored program can have " + std::to_string(most_threads) +
         " threads in one schedule, main and ended ones included";
}

void join(Thread thread) noexcept {
  scheduler().join(static_cast<unsigned>(thread.handle));
}

bool try_join(Thread thread) noexcept {
  const auto index = static_cast<unsigned>(thread.handle);
  if (scheduler().strand(index).state != Strand::State::ended) return false;
  scheduler().join(index);
  return true;
}

void detach(Thread /*thread*/) noexcept {}

std::uint32_t process_id() noexcept {
  return the_process;
}

std::uint32_t thread_id() noexcept {
  return the_process + (scheduler().is_running() ? scheduler().running().index : 0);
}

bool process_is_alive(std::uint32_t process) noexcept {
  return process == the_process;
}

void name_thread(const char* /*name*/) noexcept {}

bool is_asleep(std::uint32_t /*thread_id*/) noexcept {
  return false;
}

std::size_t smallest_stack() noexcept {
  return 16384;
}

int thread_count() noexcept {
  if (!scheduler().is_running()) return 1;
  int living = 0;
  for (unsigned i = 0; i < scheduler().thread_count(); ++i) {
    if (scheduler().strand(i).state != Strand::State::ended) ++living;
  }
  return living;
}

int cores() noexcept {
  return 1;
}

// --- memory, exit, fork, signals -----------------------------------------------------------------

SharedPages map_shared(std::size_t size, const char* /*name*/) noexcept {
  // Not shared: there are no children.
  void* pages = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return {pages == MAP_FAILED ? nullptr : pages, -1};
}

SharedPages map_shared_again(std::size_t /*size*/, int /*descriptor*/) noexcept {
  return {};
}

void at_thread_exit(void (*function)(void*), void* argument) noexcept {
  if (scheduler().is_running()) {
    scheduler().running().at_exit = function;
    scheduler().running().at_exit_argument = argument;
  } else {
    outside_exit = function;
    outside_exit_argument = argument;
  }
}

void before_exit(void (* /*function*/)()) noexcept {}
void around_fork(ForkHandlers /*handlers*/) noexcept {}

int on_sigint(void (* /*handler*/)()) noexcept {
  return ENOTSUP;
}

void die_of_sigint() noexcept {
  std::abort();
}

}  // namespace tutti::inline TUTTI_ABI::platform
