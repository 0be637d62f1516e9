// Run a program that does nothing but take a lock, from its start to its end.
#include <benchmark/benchmark.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace {

/// False if the program could not be started or failed.
bool run(std::string program) {
  char* arguments[] = {program.data(), nullptr};
  pid_t child = 0;
  if (posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environ) != 0) return false;
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void program_start(benchmark::State& state, const char* name) {
  const std::string program =
      std::filesystem::read_symlink("/proc/self/exe").replace_filename(name);
  for (auto _ : state) {
    if (!run(program)) {
      state.SkipWithError("the program did not run");
      break;
    }
  }
}

BENCHMARK_CAPTURE(program_start, tutti, "start_tutti")->Name("program_start/tutti")->UseRealTime();
BENCHMARK_CAPTURE(program_start, plain, "start_plain")->Name("program_start/plain")->UseRealTime();

}  // namespace
