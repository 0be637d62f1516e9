// `tutti run`: a program of pthread's, watched.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace run {

/// Adds the command to `app`; `chosen` is set when it is the one that is given. Whatever comes from
/// the program's name on is the program's own, options as well: that is cut off from the arguments
/// of this command, so that nobody reads it, and `argc` set to what is left.
void add_command(CLI::App& app, std::function<int()>& chosen, int& argc, char** argv);

}  // namespace run
