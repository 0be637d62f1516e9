#include "tutti/multiprocessing/pool.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "multiprocessing/start_method.h"
#include "multiprocessing/worker_pool.h"
#include "runtime/describe.h"
#include "tutti/errors.h"
#include "tutti/thread.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

void check_at_least(const char* what, int value, int least) {
  if (value >= least) return;
  throw ValueError(std::string(what) + " must be at least " + std::to_string(least) + ", not " +
                   std::to_string(value) + runtime::in_calling_thread());
}

}  // namespace

WorkerPoolOptions checked(PoolOptions options) {
  WorkerPoolOptions result;
  const int processes = options.processes.value_or(platform::cores());
  check_at_least("the number of processes", processes, 1);
  if (static_cast<std::size_t>(processes) > most_workers) {
    throw ValueError("a Pool has at most " + std::to_string(most_workers) + " processes, not " +
                     std::to_string(processes) + runtime::in_calling_thread());
  }
  result.workers = static_cast<std::size_t>(processes);
  if (options.maxtasksperchild) {
    check_at_least("maxtasksperchild", *options.maxtasksperchild, 1);
    result.most_tasks = static_cast<std::uint64_t>(*options.maxtasksperchild);
  }
  check_at_least("retries", options.retries, 0);
  result.retries = options.retries;
  result.start_method = options.context ? options.context->method() : start_method_in_force();
  result.initializer = std::move(options.initializer);
  return result;
}

Pool Context::Pool(std::optional<int> processes) const {
  return Pool(PoolOptions{.processes = processes});
}

Pool Context::Pool(PoolOptions options) const {
  options.context = *this;
  return multiprocessing::Pool(std::move(options));
}

Pool::Pool(PoolOptions options) : pool_(WorkerPool::start(checked(std::move(options)))) {}

Pool::~Pool() {
  // In a forked child it is the parent's.
  if (pool_ == nullptr || pool_->is_of_another_process()) return;
  pool_->terminate();
  pool_->join_uninterrupted();
}

void Pool::close() {
  if (pool_->is_of_another_process()) return pool_->check_open();
  pool_->close();
}

void Pool::terminate() {
  if (pool_->is_of_another_process()) return pool_->check_open();
  pool_->terminate();
}

void Pool::join() {
  pool_->join();
}

std::size_t Pool::most_ahead_for(std::optional<int> most_ahead) const {
  if (most_ahead) {
    check_at_least("most_ahead", *most_ahead, 1);
    return static_cast<std::size_t>(*most_ahead);
  }
  return std::max(std::size_t{64}, 16 * processes());
}

std::size_t checked_chunksize(int chunksize) {
  check_at_least("chunksize", chunksize, 1);
  return static_cast<std::size_t>(chunksize);
}

std::size_t workers_of(const WorkerPool& pool) noexcept {
  return pool.workers();
}

void check_open(const WorkerPool& pool) {
  pool.check_open();
}

void throw_too_late() {
  throw TimeoutError("the next result has not come in time" + runtime::in_calling_thread());
}

// --- AsyncResult ---------------------------------------------------------------------------------

void throw_not_ready(const futures::SharedState& state) {
  throw ValueError(runtime::describe("AsyncResult", &state) + " is not ready" +
                   runtime::in_calling_thread());
}

bool wait_for_pool(futures::SharedState& state, std::uint32_t process, std::int64_t deadline) {
  if (process != platform::process_id() && !state.is_done()) {
    throw RuntimeError(runtime::describe("AsyncResult", &state) +
                       " is that of a pool of the process from which this one was forked: here it "
                       "will never be ready" +
                       runtime::in_calling_thread());
  }
  return state.wait(deadline);
}

std::uint32_t calling_process() noexcept {
  return platform::process_id();
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
