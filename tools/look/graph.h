// `tutti graph`: who waits for whom, as a picture.
#pragma once

#include <string>

namespace look {

/// Prints it for Graphviz, or writes a page to `html` if that is a file's name. Returns the exit
/// code.
int graph(int pid, const std::string& html);

}  // namespace look
