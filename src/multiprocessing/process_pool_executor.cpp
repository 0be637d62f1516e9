#include "tutti/multiprocessing/process_pool_executor.h"

#include "multiprocessing/worker_pool.h"
#include "tutti/multiprocessing/pool.h"

namespace tutti::inline TUTTI_ABI::futures {

ProcessPoolExecutor::ProcessPoolExecutor(ProcessPoolOptions options) {
  multiprocessing::PoolOptions checked;
  checked.processes = options.max_workers;
  checked.initializer = std::move(options.initializer);
  checked.maxtasksperchild = options.max_tasks_per_child;
  checked.context = options.mp_context;
  multiprocessing::WorkerPoolOptions made = multiprocessing::checked(std::move(checked));
  made.kind = "ProcessPoolExecutor";
  made.is_brittle = true;
  pool_ = multiprocessing::WorkerPool::start(std::move(made));
}

ProcessPoolExecutor::~ProcessPoolExecutor() {
  if (pool_->is_of_another_process()) return;
  pool_->close();
  pool_->join_uninterrupted();
}

void ProcessPoolExecutor::shutdown(ShutdownOptions options) {
  if (pool_->is_of_another_process()) return pool_->check_open();
  pool_->close();
  if (options.cancel_futures) pool_->cancel_pending();
  if (options.wait) pool_->join();
}

}  // namespace tutti::inline TUTTI_ABI::futures
