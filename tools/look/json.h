// Snapshots for scripts.
#pragma once

#include <string>
#include <vector>

#include "look/snapshot.h"

namespace look {

/// An array with an object for each program. Times in seconds; what is not known is null.
std::string to_json(const std::vector<Snapshot>& snapshots);

}  // namespace look
