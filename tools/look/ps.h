// `tutti ps`: the programs of this machine that have tutti threads, and what each thread does.
#pragma once

#include <vector>

namespace look {

enum class Format { table, json };

/// Of all programs that this user may look into if no process is named. Returns the exit code.
int ps(const std::vector<int>& pids, Format format);

}  // namespace look
