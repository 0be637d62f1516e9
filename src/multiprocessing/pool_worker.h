// A worker of a pool of processes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "multiprocessing/code_table.h"
#include "multiprocessing/pool_memory.h"
#include "tutti/multiprocessing/callable.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

struct WorkerDuties {
  const PoolMemory& memory;
  std::uint16_t seat;
  /// Called first, if there is one.
  Callable& initializer;
  std::optional<std::uint64_t> most_tasks;
  /// What becomes of a task that throws thread::SystemExit: the worker ends and the task is lost,
  /// or it has failed as by any exception.
  enum class OnExit { ends, fails } on_exit = OnExit::ends;
  /// Where tasks say in which modules their functions are; null in a forked worker.
  ModuleRecords* modules = nullptr;
};

/// Runs tasks, until the pool is closed or `most_tasks` are done. Throws what ends the process:
/// thread::SystemExit, by a task or when the initializer has failed.
void work_for_pool(const WorkerDuties& duties);

/// The target of a worker's process. `duties` are as in a forked one; what they refer to outlives
/// the start.
Callable worker_target(const WorkerDuties& duties, std::size_t workers);

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
