// The supervisor thread of a pool of processes: it waits for workers to end, and starts others in
// their place.
#include <algorithm>

#include "multiprocessing/pool_worker.h"
#include "multiprocessing/worker_pool.h"
#include "platform/stream.h"
#include "runtime/descriptor_wait.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

// What a terminated worker may take to end by itself.
constexpr std::int64_t patience_with_terminated = 1'000'000'000;
// Until the system is asked for a process again, and how many times, while no worker lives.
constexpr std::int64_t until_next_start = 100'000'000;
constexpr int most_failed_starts = 50;

}  // namespace

void WorkerPool::ring_supervisor() noexcept {
  // A full pipe rings as well.
  const std::byte any{1};
  platform::write_now(platform::Stream::other, ringer_, {&any, 1}, {});
}

bool WorkerPool::needs_workers() const noexcept {
  return state() == State::running ||
         (state() == State::closed && memory_.words().is_closed.load(platform::acquire) == 0);
}

std::string WorkerPool::name_of_worker(std::uint64_t number) const {
  const char* const kind = options_.start_method == StartMethod::fork    ? "Fork"
                           : options_.start_method == StartMethod::spawn ? "Spawn"
                                                                         : "ForkServer";
  return kind + ("PoolWorker-" + std::to_string(number));
}

void WorkerPool::start_worker(std::size_t number) {
  Seat& seat = *seats_[number];
  seat.name = name_of_worker(++workers_made_);
  const WorkerDuties duties{
      memory_, static_cast<std::uint16_t>(number), options_.initializer, options_.most_tasks,
      options_.is_brittle ? WorkerDuties::OnExit::fails : WorkerDuties::OnExit::ends};
  Process worker({.target = worker_target(duties, workers()),
                  .name = seat.name,
                  .daemon = true,
                  .start_method = options_.start_method});
  worker.start();
  seat.pid = worker.pid().value_or(0);
  seat.worker.emplace(std::move(worker));
  seat.phase.store(Seat::Phase::alive, platform::release);
}

// False if one could not be started, and it is to be tried again.
bool WorkerPool::fill_seats() {
  for (std::size_t number = 0; number < seats_.size(); ++number) {
    Seat& seat = *seats_[number];
    if (seat.phase.load(platform::acquire) != Seat::Phase::vacant) continue;
    try {
      start_worker(number);
      failed_starts_ = 0;
    } catch (const std::exception& error) {
      if (!has_workers() && ++failed_starts_ >= most_failed_starts) {
        break_down("the workers of " + name_ +
                   " are gone, and others can't be started: " + error.what());
      }
      return false;
    }
  }
  return true;
}

bool WorkerPool::has_workers() const noexcept {
  return std::any_of(seats_.begin(), seats_.end(), [](const auto& seat) {
    return seat->phase.load(platform::acquire) != Seat::Phase::vacant;
  });
}

void WorkerPool::look_for_ends() {
  bool has_ended = false;
  for (const auto& seat : seats_) {
    if (seat->phase.load(platform::relaxed) != Seat::Phase::alive) continue;
    if (seat->worker->is_alive()) {
      if (seat->is_to_be_killed.load(platform::relaxed)) seat->worker->kill();
      continue;
    }
    seat->exitcode = seat->worker->exitcode().value_or(0);
    seat->worker.reset();
    seat->phase.store(Seat::Phase::dead, platform::release);
    has_ended = true;
  }
  if (has_ended) tell_results_thread();
}

void WorkerPool::end_workers() {
  if (kill_at_ == platform::never) {
    for (const auto& seat : seats_) {
      if (seat->phase.load(platform::relaxed) == Seat::Phase::alive) seat->worker->terminate();
    }
    kill_at_ = platform::now() + patience_with_terminated;
  } else if (platform::now() >= kill_at_) {
    for (const auto& seat : seats_) {
      if (seat->phase.load(platform::relaxed) == Seat::Phase::alive) seat->worker->kill();
    }
    kill_at_ = platform::now() + patience_with_terminated;
  }
}

void WorkerPool::supervise() {
  runtime::Self& self = runtime::self();
  std::vector<platform::Watched> watched;
  for (;;) {
    look_for_ends();
    std::int64_t deadline = platform::never;
    if (needs_workers()) {
      if (!fill_seats()) deadline = platform::now() + until_next_start;
    } else if (!has_workers()) {
      break;
    }
    if (state() == State::broken || state() == State::terminated) {
      end_workers();
      deadline = kill_at_;
    }
    watched.clear();
    watched.push_back({bell_, platform::can_read, 0});
    for (const auto& seat : seats_) {
      if (seat->phase.load(platform::relaxed) == Seat::Phase::alive) {
        watched.push_back({seat->worker->sentinel(), platform::can_read, 0});
      }
    }
    runtime::wait_for_descriptors(self, watched, deadline);
    if (runtime::must_stop(self)) runtime::stop_for_good(self);
    std::array<std::byte, 64> rings;
    if (watched.front().revents != 0) platform::read_now(platform::Stream::other, bell_, rings);
  }
  are_workers_gone_.store(true, platform::release);
  tell_results_thread();
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
