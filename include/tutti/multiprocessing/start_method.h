// How children come into being: the start method, for the whole program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

enum class StartMethod {
  /// A copy of the parent's memory: any target, and the fastest. The default.
  fork,
  /// The program is executed once more; static objects are made, and then, in place of main(), the
  /// target is called. It must be one that can cross between processes (see Callable).
  spawn,
  /// Forked from a process that was spawned for that purpose and has done nothing else: as spawn,
  /// but faster from the second start on. Static objects are made once, in that process, and are
  /// not destroyed. If it is killed, another one takes its place; exit codes that it alone knew are
  /// 255.
  forkserver,
};

/// "fork", "spawn", "forkserver".
const char* to_string(StartMethod method) noexcept;

/// Python's keyword argument of set_start_method.
struct SetStartMethodOptions {
  /// Also if it is set already.
  bool force = false;
};

/// Sets the start method of processes that don't say theirs. Once in a program, before the first
/// process is started: afterwards it throws RuntimeError, unless by `options.force`. Throws
/// ValueError for a method that is none of get_all_start_methods().
void set_start_method(std::string_view method, SetStartMethodOptions options = {});
/// The start method in force; when it was not set, this sets the default.
std::string get_start_method();
/// All there are, the default first.
std::vector<std::string> get_all_start_methods();

/// Where a program is built so that it can't be spawned without help (start() then says so), the
/// first line of main(): in a spawned process it runs the target and ends the program; in others it
/// does nothing. Python counterpart: multiprocessing.freeze_support.
void freeze_support();

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
