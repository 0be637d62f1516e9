// A copy of another program's registry of threads, taken while the program runs: nobody is stopped,
// and nothing in the program waits for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "look/process.h"
#include "runtime/registry.h"

namespace look {

/// One of its slots in use, with what its record said at one moment: nothing, if it was changed
/// whenever it was looked at, as by a thread that never waits for long.
struct RegisteredThread {
  tutti::runtime::ThreadId id = 0;
  std::uint32_t process = 0;
  const tutti::runtime::Slot* slot = nullptr;
  tutti::runtime::WaitRecord record;
  std::optional<tutti::runtime::WaitDetails> details;
};

/// The threads of one registry, of all processes that share it.
class RegistryCopy {
 public:
  /// Reads the registry at `address`, of `size` bytes. Throws Error if it is another version's.
  RegistryCopy(const Process& process, int memory, std::uint64_t address, std::uint64_t size);

  const std::vector<RegisteredThread>& threads() const noexcept { return threads_; }
  /// The program does not want to be shown.
  bool is_hidden() const noexcept { return is_hidden_; }

 private:
  void read_chunk(const Process& process, int memory, std::uint64_t address, std::uint32_t first,
                  std::vector<tutti::runtime::Slot>& slots);

  std::vector<std::vector<tutti::runtime::Slot>> chunks_;
  std::vector<RegisteredThread> threads_;
  bool is_hidden_ = false;
};

/// The registries of a process: none if it has no tutti threads or has opted out; two if one was
/// preloaded beside the program's own. Throws Error.
std::vector<RegistryCopy> registries_of(const Process& process);

}  // namespace look
