// Runs two bodies at once, one in this process and one in a child of it, and takes the time.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <string>

/// Calls `here(rounds)` in this process and `there(rounds)` in a forked one, both let go at the
/// same moment. Reports the wall time of a round, until both are through, as the benchmark's (which
/// must be registered with UseManualTime), and the CPU time that both use in a round as "cpu_ns".
void two_processes(benchmark::State& state, const std::function<void(std::int64_t rounds)>& here,
                   const std::function<void(std::int64_t rounds)>& there);

/// The same measured by a program for CPython, Debian's: it is called with the number of rounds and
/// `argument`, and prints the seconds that they have taken.
void python_processes(benchmark::State& state, const std::string& program,
                      const std::string& argument);
