// The main job: count the words of a real folder in each form of concurrency there is.
#pragma once

#include <filesystem>

#include "demo/forms.h"

namespace demo {

/// With Chaos::kills, the processes form loses workers all the time, to the same result. Returns
/// the exit code. Throws std::runtime_error if the folder can't be used.
int run(const std::filesystem::path& folder, Chaos chaos = Chaos::none);

}  // namespace demo
