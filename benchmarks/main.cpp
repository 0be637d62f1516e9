// Runs the benchmarks, and says on which machine and by which compiler.
#include <benchmark/benchmark.h>

#include <fstream>
#include <future>
#include <string>
#include <thread>

namespace {

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(": ") + 2);
  }
  return "unknown";
}

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "g++ " __VERSION__;
#endif
}

}  // namespace

int main(int argc, char** argv) {
  // glibc's mutex works without atomic instructions as long as a program has never had a second
  // thread. Locks are for programs that have: this thread sleeps through all benchmarks.
  std::promise<void> end;
  std::thread second([ended = end.get_future()] { ended.wait(); });

  benchmark::Initialize(&argc, argv);
  int status = 1;
  if (!benchmark::ReportUnrecognizedArguments(argc, argv)) {
    benchmark::AddCustomContext("cpu_model", cpu_model());
    benchmark::AddCustomContext("compiler", compiler());
    status = benchmark::RunSpecifiedBenchmarks() > 0 ? 0 : 1;
    benchmark::Shutdown();
  }
  end.set_value();
  second.join();
  return status;
}
