// The modules of the program (itself, and its shared libraries) as places that another process of
// the same program finds again.
#pragma once

#include <cstdint>
#include <string>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::platform {

struct Module {
  /// Where its first page would be if it began at address 0.
  std::uintptr_t base = 0;
  /// Empty for the program itself.
  std::string path;
  /// The linker's build id, or else a hash of the code that is loaded.
  std::string build;
  bool is_found = false;
};

/// The module that has code or data at `address`.
Module module_at(std::uintptr_t address);
/// The module of this path; a library that is not loaded is loaded.
Module load_module(const std::string& path);

/// From now on the module of this path stays where it is, also when who has loaded it closes it.
void keep_loaded(const std::string& path);

/// "unknown file": why load_module() has found nothing.
std::string describe_load_error();

}  // namespace tutti::inline TUTTI_ABI::platform
