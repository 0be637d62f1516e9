// Making a failing schedule easier to read: fewer context switches, then fewer steps.
#pragma once

#include "explore/execution.h"

namespace tutti::inline TUTTI_ABI::explore {

/// A schedule that fails in the same way as `failing`, which fails by `outcome`, with as few
/// context switches as was found.
Schedule shrink(const Subject& subject, const Schedule& failing, const Outcome& outcome);

}  // namespace tutti::inline TUTTI_ABI::explore
