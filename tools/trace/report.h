// tutti trace report: from a timeline's file to a page.
#pragma once

#include <filesystem>

namespace trace {

/// Writes the page, and prints what it comes to. An empty `page` stands for the name of the file
/// with another ending. Returns the exit code. Throws std::runtime_error if a file can't be used.
int report(const std::filesystem::path& file, std::filesystem::path page);

}  // namespace trace
