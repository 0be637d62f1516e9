// Start a process that does nothing, and join it: by fork, and by executing a program.
#include <benchmark/benchmark.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "tutti/multiprocessing.h"

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

/// Python measures itself: the time to start it is no part of it.
void process_start_join_python(benchmark::State& state) {
  const std::string program =
      "/usr/bin/python3 -c 'if 1:\n"
      "  import multiprocessing, time\n"
      "  context = multiprocessing.get_context(\"fork\")\n"
      "  def nothing(): pass\n"
      "  begin = time.perf_counter()\n"
      "  for _ in range(" +
      std::to_string(state.max_iterations) +
      "):\n"
      "    process = context.Process(target=nothing)\n"
      "    process.start()\n"
      "    process.join()\n"
      "  print(time.perf_counter() - begin)\n"
      "'";
  std::FILE* python = popen(program.c_str(), "r");
  double seconds = 0;
  const bool is_read = python != nullptr && std::fscanf(python, "%lf", &seconds) == 1;
  if (python != nullptr) pclose(python);
  const auto count = static_cast<double>(state.max_iterations);
  for (auto _ : state) state.SetIterationTime(seconds / count);
  if (!is_read) state.SkipWithError("/usr/bin/python3 did not run");
}

BENCHMARK_CAPTURE(process_start_join, tutti, start_join_fork)
    ->Name("process_start_join/tutti")
    ->UseRealTime();
BENCHMARK_CAPTURE(process_start_join, fork, start_join_raw_fork)
    ->Name("process_start_join/fork")
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
