#include "two_processes.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>

#include "cpu_time.h"
#include "start_line.h"

namespace {

double cpu_seconds_of_children() {
  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

struct Shared {
  StartLine start{1};
  StartLine end{1};
};

}  // namespace

void two_processes(benchmark::State& state, const std::function<void(std::int64_t rounds)>& here,
                   const std::function<void(std::int64_t rounds)>& there) {
  using Clock = std::chrono::steady_clock;
  const std::int64_t rounds = state.max_iterations;
  double cpu = 0;
  while (state.KeepRunningBatch(rounds)) {
    void* const pages =
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) std::abort();
    auto* const shared = new (pages) Shared;
    const double cpu_before = cpu_seconds() + cpu_seconds_of_children();
    const pid_t child = fork();
    if (child < 0) std::abort();
    if (child == 0) {
      shared->start.wait();
      there(rounds);
      shared->end.open();
      _exit(0);
    }
    shared->start.wait_for_all();
    const Clock::time_point before = Clock::now();
    shared->start.open();
    here(rounds);
    shared->end.wait();
    const std::chrono::duration<double> wall = Clock::now() - before;
    waitpid(child, nullptr, 0);
    cpu = cpu_seconds() + cpu_seconds_of_children() - cpu_before;
    munmap(pages, sizeof(Shared));
    state.SetIterationTime(wall.count());
  }
  state.counters["cpu_ns"] = cpu * 1e9 / static_cast<double>(rounds);
}

void python_processes(benchmark::State& state, const std::string& program,
                      const std::string& argument) {
  const std::int64_t rounds = state.max_iterations;
  while (state.KeepRunningBatch(rounds)) {
    const std::string command =
        "/usr/bin/python3 -c '" + program + "' " + std::to_string(rounds) + " " + argument;
    const std::unique_ptr<FILE, int (*)(FILE*)> output(popen(command.c_str(), "r"), pclose);
    std::array<char, 64> text{};
    if (output == nullptr || std::fgets(text.data(), text.size(), output.get()) == nullptr) {
      return state.SkipWithError("python3 did not run");
    }
    state.SetIterationTime(std::strtod(text.data(), nullptr));
  }
}
