// The subcommands that look into running programs.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace look {

/// Adds them to the command line. The one that was chosen sets `chosen`, which returns the exit
/// code, and throws Error.
void add_commands(CLI::App& app, std::function<int()>& chosen);

}  // namespace look
