// Stacks of calls, and what addresses in the program are called in its source.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::platform {

/// The addresses of calls, the innermost first.
struct CallStack {
  static constexpr std::size_t deepest = 24;
  std::array<std::uintptr_t, deepest> calls{};
  std::size_t depth = 0;

  std::span<const std::uintptr_t> view() const noexcept { return {calls.data(), depth}; }
};
/// The calling thread's, as far as there is room.
CallStack calling_stack() noexcept;

/// Fills in the addresses of the calls that the calling thread is in, the innermost first; returns
/// how many. Allocates nothing.
std::size_t capture_stack(std::span<std::uintptr_t> addresses) noexcept;

/// "race_counter.cpp:14": the innermost of the calls that is neither tutti's nor the standard
/// library's; empty when the program has no debug information. The first use reads that
/// information, which takes its time.
std::string user_line(std::span<const std::uintptr_t> calls);

/// "transfer(int)": the innermost of the calls that is neither tutti's nor the standard library's,
/// by the symbols that the program still has; empty if there is none.
std::string user_function(std::span<const std::uintptr_t> calls);

/// One line a call, such as "transfer(int) at bank.cpp:31", without those of tutti itself; with
/// the address alone where nothing is known.
std::vector<std::string> describe_stack(std::span<const std::uintptr_t> calls);

/// The name of the function at this address; empty when there is none.
std::string function_name(std::uintptr_t address);

/// The name of the global or static variable at this address, or "name+8" inside of one, for a
/// member or an element; empty when there is none.
std::string variable_name(const void* object);

}  // namespace tutti::inline TUTTI_ABI::platform
