#include "multiprocessing/worker_pool.h"

#include <utility>

#include "multiprocessing/errors.h"
#include "platform/stream.h"
#include "runtime/describe.h"
#include "tutti/errors.h"
#include "tutti/thread.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

using runtime::GuardHolder;

constinit platform::atomic<std::uint32_t> pools_made{0};

std::string name_of_pool(const char* kind) {
  return std::string(kind) + "-" + std::to_string(pools_made.fetch_add(1, platform::relaxed) + 1);
}

}  // namespace

WorkerPool::WorkerPool(WorkerPoolOptions options)
    : options_(std::move(options)),
      name_(name_of_pool(options_.kind)),
      process_(platform::process_id()),
      memory_(options_.workers),
      code_(options_.start_method == StartMethod::fork ? nullptr : &memory_.modules()),
      store_(memory_.task_bytes().size()),
      window_(options_.is_brittle ? options_.workers + 1 : TaskRing::capacity + options_.workers) {
  seats_.reserve(options_.workers);
  for (std::size_t seat = 0; seat < options_.workers; ++seat) {
    seats_.push_back(std::make_unique<Seat>(memory_.results_of(seat)));
  }
  const platform::DescriptorPair bell = platform::make_pipe();
  if (bell.error != 0) throw_os_error("cannot make " + name_, bell.error);
  bell_ = bell.first;
  ringer_ = bell.second;
}

WorkerPool::~WorkerPool() {
  platform::close_descriptor(bell_);
  platform::close_descriptor(ringer_);
}

std::shared_ptr<WorkerPool> WorkerPool::start(WorkerPoolOptions options) {
  auto pool = std::make_shared<WorkerPool>(std::move(options));
  try {
    for (std::size_t seat = 0; seat < pool->workers(); ++seat) pool->start_worker(seat);
    const auto thread = [&](const char* name, void (WorkerPool::*function)()) {
      threading::Thread made(
          {.target = threading::Target([pool, function] { (*pool.*function)(); }),
           .name = pool->name_ + name,
           .daemon = true});
      made.start();
      return made;
    };
    pool->results_thread_ = thread(" results", &WorkerPool::read_results);
    pool->supervisor_ = thread(" supervisor", &WorkerPool::supervise);
  } catch (...) {
    pool->state_.store(State::terminated, platform::release);
    pool->are_workers_gone_.store(true, platform::release);
    pool->tell_results_thread();
    for (const auto& seat : pool->seats_) {
      if (!seat->worker) continue;
      seat->worker->kill();
      seat->worker->join();
    }
    throw;
  }
  return pool;
}

bool WorkerPool::is_of_another_process() const noexcept {
  return process_ != platform::process_id();
}

bool WorkerPool::is_own_thread() const noexcept {
  const threading::Thread here = threading::current_thread();
  return here == results_thread_ || here == supervisor_;
}

void WorkerPool::close() noexcept {
  {
    const GuardHolder held(guard_);
    if (state() != State::running) return;
    state_.store(State::closed, platform::release);
  }
  tell_results_thread();
}

void WorkerPool::terminate() noexcept {
  {
    const GuardHolder held(guard_);
    if (state() == State::terminated || state() == State::broken) return;
    state_.store(State::terminated, platform::release);
  }
  tell_results_thread();
  ring_supervisor();
}

void WorkerPool::join() {
  if (is_of_another_process()) {
    throw RuntimeError(name_ +
                       " is that of the process from which this one was forked, and can't "
                       "be joined here" +
                       runtime::in_calling_thread());
  }
  if (state() == State::running) {
    throw ValueError(name_ + " is still running: close() or terminate() it first" +
                     runtime::in_calling_thread());
  }
  if (!is_own_thread()) {
    {
      const GuardHolder held(guard_);
      is_sealed_ = true;
    }
    tell_results_thread();
  }
  // This one first, which calls callbacks: in one of them it throws.
  results_thread_.join();
  // At the end of the program, daemon threads stop when they look up; this one waits in poll().
  ring_supervisor();
  supervisor_.join();
}

void WorkerPool::join_uninterrupted() noexcept {
  if (is_own_thread()) return;
  bool was_interrupted = false;
  for (bool is_joined = false; !is_joined;) {
    try {
      join();
      is_joined = true;
    } catch (const KeyboardInterrupt&) {
      was_interrupted = true;
    }
  }
  if (was_interrupted) thread::interrupt_main();
}

// --- what is accepted ----------------------------------------------------------------------------

void WorkerPool::check_open() const {
  if (is_of_another_process()) {
    throw RuntimeError(name_ +
                       " is that of the process from which this one was forked: its workers "
                       "are not to be had here, make a new one" +
                       runtime::in_calling_thread());
  }
  if (state() != State::running) refuse(Origin::call);
}

// Under the guard.
bool WorkerPool::accepts(Origin origin) const noexcept {
  const State now = state();
  return now == State::running || (now == State::closed && origin == Origin::source && !is_sealed_);
}

void WorkerPool::refuse(Origin origin) const {
  if (state() == State::broken) std::rethrow_exception(reason());
  if (options_.is_brittle) {
    throw RuntimeError("cannot schedule new futures after the shutdown of " + name_ +
                       runtime::in_calling_thread());
  }
  const bool is_joined = state() == State::closed && origin == Origin::source;
  throw ValueError("Pool not running: " + name_ + " was " +
                   (is_joined ? "joined before this imap had taken all elements: go through its "
                                "results before join()"
                    : state() == State::closed ? "closed"
                                               : "terminated") +
                   runtime::in_calling_thread());
}

std::exception_ptr WorkerPool::reason() const noexcept {
  const GuardHolder held(guard_);
  if (state() == State::broken) {
    return std::make_exception_ptr(futures::BrokenProcessPool(why_broken_));
  }
  if (options_.is_brittle) {
    return std::make_exception_ptr(
        futures::CancelledError(name_ + " was terminated before this call was made"));
  }
  return std::make_exception_ptr(RuntimeError(name_ + " was terminated before this task was done"));
}

void WorkerPool::begin_source() {
  check_open();
  const GuardHolder held(guard_);
  ++sources_;
}

void WorkerPool::end_source() noexcept {
  if (is_of_another_process()) return;
  {
    const GuardHolder held(guard_);
    --sources_;
  }
  if (state() == State::closed) tell_results_thread();
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
