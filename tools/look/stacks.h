// Stacks of another program's threads, and what its addresses are called in its source.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "look/attached.h"
#include "look/process.h"

struct Dwfl;

namespace look {

struct Call {
  /// "transfer(int)"; the address if nothing is known.
  std::string function;
  /// "bank.cpp:31", or the file of the program or library.
  std::string place;
  /// The compiler has put its code into that of the next one.
  bool is_inlined = false;
};

/// Uses the files that the process has mapped, for as long as it lives.
class Stacks {
 public:
  explicit Stacks(const Process& process);
  ~Stacks();
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;

  /// An address in each call that the thread is in, the innermost first; empty if that can't be
  /// found out. `attached` holds the process.
  std::vector<std::uint64_t> unwind(const Attached& attached, std::uint32_t task);
  /// The call at this address, after those that are inlined there.
  std::vector<Call> calls_at(std::uint64_t address) const;

 private:
  const Process& process_;
  Dwfl* files_;
  bool is_prepared_ = false;
  bool has_lost_it_ = false;
};

}  // namespace look
