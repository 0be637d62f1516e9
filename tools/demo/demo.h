// The main job: count the words of a real folder in each form of concurrency there is.
#pragma once

#include <filesystem>

namespace demo {

/// Returns the exit code. Throws std::runtime_error if the folder can't be used.
int run(const std::filesystem::path& folder);

}  // namespace demo
