#include "suites/worker.h"

#include <cstdlib>
#include <exception>
#include <string_view>
#include <utility>

#include "support/until.h"
#include "tutti/threading.h"

namespace tests {

WorkerKind worker_kind() {
  static const WorkerKind kind = [] {
    const char* variable = std::getenv("TUTTI_TEST_WORKERS");
    const std::string_view name = variable == nullptr ? "threads" : variable;
    if (name == "daemons") return WorkerKind::daemons;
    if (name == "foreign") return WorkerKind::foreign;
    if (name == "threads") return WorkerKind::threads;
    std::abort();
  }();
  return kind;
}

void ThreadWorker::Task::run() noexcept {
  ident.store(tutti::threading::get_ident(), std::memory_order_release);
  try {
    work();
  } catch (const std::exception& error) {
    failure = error.what();
  }
  work = nullptr;
  is_done.store(true, std::memory_order_release);
}

ThreadWorker::ThreadWorker(std::function<void()> work)
    : task_(std::make_shared<Task>(std::move(work))) {
  const auto run = [task = task_] { task->run(); };
  if (worker_kind() == WorkerKind::foreign) {
    foreign_ = std::thread(run);
  } else {
    const bool is_daemon = worker_kind() == WorkerKind::daemons;
    thread_.emplace(tutti::threading::ThreadOptions{.target = run, .daemon = is_daemon});
    thread_->start();
  }
}

ThreadWorker::~ThreadWorker() {
  join();
}

Phase ThreadWorker::phase() const {
  if (thread_) return thread_->state().phase;
  const std::uint64_t ident = task_->ident.load(std::memory_order_acquire);
  if (ident == 0) return Phase::new_thread;
  for (const tutti::threading::Thread& thread : tutti::threading::enumerate()) {
    if (thread.ident() == ident) return thread.state().phase;
  }
  return Phase::dead;
}

void ThreadWorker::join() {
  until([this] { return task_->is_done.load(std::memory_order_acquire); }, "a worker's end");
  if (thread_) thread_->join();
  if (foreign_.joinable()) foreign_.join();
}

}  // namespace tests
