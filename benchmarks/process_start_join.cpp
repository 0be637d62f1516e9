// Start a process that does nothing, and join it: by fork, and by executing a program.
#include <benchmark/benchmark.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tutti/multiprocessing.h"
#include "two_processes.h"

namespace {

using tutti::multiprocessing::Process;
using tutti::multiprocessing::StartMethod;

void nothing() {}

bool start_join_tutti(StartMethod method) {
  Process process({.target = nothing, .start_method = method});
  process.start();
  process.join();
  return process.exitcode() == 0;
}
bool start_join_fork() {
  return start_join_tutti(StartMethod::fork);
}
bool start_join_spawn() {
  return start_join_tutti(StartMethod::spawn);
}
bool start_join_forkserver() {
  return start_join_tutti(StartMethod::forkserver);
}

bool join(pid_t child) {
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool start_join_raw_fork() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  return join(child);
}

/// The system call: the handlers that the C library and this one have set for forks do not run.
bool start_join_bare_fork() {
  const long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) syscall(SYS_exit_group, 0);
  return join(static_cast<pid_t>(child));
}

/// A program that does nothing either; it lies beside this one.
bool start_join_posix_spawn() {
  static std::string program =
      std::filesystem::read_symlink("/proc/self/exe").replace_filename("start_plain");
  char* arguments[] = {program.data(), nullptr};
  pid_t child = 0;
  return posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environ) == 0 &&
         join(child);
}

void process_start_join(benchmark::State& state, bool (*start_join)()) {
  for (auto _ : state) {
    if (!start_join()) {
      state.SkipWithError("the process did not run");
      break;
    }
  }
}

void process_start_join_python(benchmark::State& state) {
  python_processes(state, R"(
import multiprocessing, sys, time
context = multiprocessing.get_context("fork")
def nothing(): pass
begin = time.perf_counter()
for _ in range(int(sys.argv[1])):
    process = context.Process(target=nothing)
    process.start()
    process.join()
print(time.perf_counter() - begin)
)",
                   "");
}

BENCHMARK_CAPTURE(process_start_join, tutti, start_join_fork)
    ->Name("process_start_join/tutti")
    ->UseRealTime();
BENCHMARK_CAPTURE(process_start_join, fork, start_join_raw_fork)
    ->Name("process_start_join/fork")
    ->UseRealTime();
BENCHMARK_CAPTURE(process_start_join, bare_fork, start_join_bare_fork)
    ->Name("process_start_join/bare_fork")
    ->UseRealTime();
BENCHMARK(process_start_join_python)->Name("process_start_join/python")->UseManualTime();
BENCHMARK_CAPTURE(process_start_join, tutti_spawn, start_join_spawn)
    ->Name("process_start_join/tutti_spawn")
    ->UseRealTime();
BENCHMARK_CAPTURE(process_start_join, tutti_forkserver, start_join_forkserver)
    ->Name("process_start_join/tutti_forkserver")
    ->UseRealTime();
BENCHMARK_CAPTURE(process_start_join, posix_spawn, start_join_posix_spawn)
    ->Name("process_start_join/posix_spawn")
    ->UseRealTime();

}  // namespace
