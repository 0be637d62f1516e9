// Killing a process at each of its instructions in turn.
//
// A child does its work one machine instruction at a time, and is killed by SIGKILL after so many.
// A test does that for every number of them, with everything made new for each, and checks what the
// others find.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace tests {

/// What became of a child that was to be killed.
struct Cut {
  /// The work had ended before.
  bool has_finished = false;
  std::size_t steps = 0;
  /// Of the instruction that it did not do any more.
  std::uintptr_t address = 0;

  /// "instruction 12, in tutti::…::release()".
  std::string place() const;
};

/// Forks a child that calls `prepare()` at full speed and then `work()` step by step, and kills it
/// after `steps` instructions of that. It is gone, and reaped, when this returns. `work` may wait
/// for others, but not for the caller. Throws std::runtime_error if the child ends in another way.
Cut cut_short(const std::function<void()>& prepare, const std::function<void()>& work,
              std::size_t steps);

/// For each number of steps from 0 on, `stride` apart, until the work has finished: has
/// `at_each(steps)` make things new, call cut_short() and check; it returns the Cut. Returns how
/// many there were. With TUTTI_TEST_STRIDE in the environment, that is the stride.
std::size_t for_each_cut(std::size_t stride, const std::function<Cut(std::size_t steps)>& at_each);

/// Empty if one process may step through another here; otherwise why not, for GTEST_SKIP().
std::string why_not_stepped();

}  // namespace tests
