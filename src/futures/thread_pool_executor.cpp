#include "tutti/futures/thread_pool_executor.h"

#include <algorithm>
#include <string>
#include <utility>

#include "futures/thread_pool.h"
#include "runtime/describe.h"
#include "tutti/errors.h"
#include "tutti/thread.h"

namespace tutti::inline TUTTI_ABI::futures {

namespace {

constinit platform::atomic<std::uint32_t> pools_without_name{0};

std::size_t checked(std::optional<int> max_workers) {
  if (!max_workers) return static_cast<std::size_t>(std::min(32, platform::cores() + 4));
  if (*max_workers < 1) {
    throw ValueError("max_workers must be greater than 0, not " + std::to_string(*max_workers) +
                     runtime::in_calling_thread());
  }
  return static_cast<std::size_t>(*max_workers);
}

std::string name_of(std::string prefix) {
  if (!prefix.empty()) return prefix;
  return "ThreadPoolExecutor-" + std::to_string(pools_without_name.fetch_add(1, platform::relaxed));
}

}  // namespace

ThreadPoolExecutor::ThreadPoolExecutor(ThreadPoolOptions options)
    : pool_(std::make_shared<ThreadPool>(checked(options.max_workers),
                                         name_of(std::move(options.thread_name_prefix)),
                                         std::move(options.initializer))) {}

ThreadPoolExecutor::~ThreadPoolExecutor() {
  pool_->shut_down(false);
  if (is_own_worker()) return;
  bool was_interrupted = false;
  for (;;) {
    try {
      pool_->join();
      break;
    } catch (const KeyboardInterrupt&) {
      was_interrupted = true;
    }
  }
  if (was_interrupted) thread::interrupt_main();
}

std::size_t ThreadPoolExecutor::max_workers() const noexcept {
  return pool_->max_workers();
}

void ThreadPoolExecutor::shutdown(ShutdownOptions options) {
  pool_->shut_down(options.cancel_futures);
  if (options.wait) pool_->join();
}

bool ThreadPoolExecutor::is_own_worker() const noexcept {
  return pool_->is_own_worker();
}

bool ThreadPoolExecutor::has_free_worker() const noexcept {
  return pool_->has_permits();
}

void ThreadPoolExecutor::check_open() const {
  pool_->check_open();
}

std::shared_ptr<void> ThreadPoolExecutor::keep_alive() const noexcept {
  return pool_;
}

void ThreadPoolExecutor::schedule(SharedState& task) {
  pool_->submit(task);
}

void check_map_options(const MapOptions& options) {
  const auto refuse = [](const char* what, int value) {
    throw ValueError(std::string(what) + " must be greater than 0, not " + std::to_string(value) +
                     runtime::in_calling_thread());
  };
  if (options.chunksize < 1) refuse("chunksize", options.chunksize);
  if (options.buffersize && *options.buffersize < 1) refuse("buffersize", *options.buffersize);
}

}  // namespace tutti::inline TUTTI_ABI::futures
