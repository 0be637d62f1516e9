// A timeline as a page of HTML that needs nothing else.
#pragma once

#include <string>

#include "trace/summary.h"
#include "trace/timeline.h"

namespace trace {

std::string page(const Timeline& timeline, const Summary& summary);

}  // namespace trace
