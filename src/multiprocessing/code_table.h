// How the tasks of a pool tell what is to be called. Forked workers have all code where the parent
// has it, so an address will do. Other workers run the same program elsewhere in memory: they get a
// word that says in which module that is, and where in it.
//
//     63      48 47          0
//     ┌──────────┬────────────┐     module: a number in the pool's memory, where the parent has
//     │ module   │ offset     │             written the module's path and build
//     └──────────┴────────────┘
//
// A worker looks a module up, loads it if need be, and compares the builds, once; see
// find_function(). What has a word stays loaded in the parent, so no word comes to mean other code.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "runtime/guard.h"
#include "tutti/multiprocessing/callable.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// In the memory that a pool's parent and workers share; zeroed memory is an empty table.
struct ModuleRecords {
  static constexpr std::size_t most = 256;
  /// Both end with a zero.
  struct Record {
    std::array<char, 4096> path;
    std::array<char, 128> build;
  };

  /// Only the parent adds records; those that are counted stay as they are.
  platform::atomic<std::uint32_t> count;
  std::array<Record, most> records;
};

/// One process's view of it. Thread-safe.
class CodeTable {
 public:
  /// Without `records` a word is the address itself: for workers that are forked.
  explicit CodeTable(ModuleRecords* records) noexcept : records_(records) {}

  /// In the parent: the word for code, or a constant, of the program's. Throws RuntimeError for
  /// code that was made at run time, or when the table is full.
  std::uint64_t word_for(std::uintptr_t address);
  /// In whichever process: where that is here. Throws RuntimeError if the module is another build,
  /// or can't be loaded.
  std::uintptr_t address_of(std::uint64_t word);

 private:
  std::size_t number_of(const FunctionName& name, std::uintptr_t base);

  ModuleRecords* records_;
  runtime::Guard guard_;
  /// Where modules begin here, as far as that is known.
  std::vector<std::optional<std::uintptr_t>> bases_;
  std::unordered_map<std::uintptr_t, std::uint64_t> words_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
