// The parts of the page that are the same for all timelines: the files in page/, made into
// constants by CMake.
#pragma once

namespace trace {

extern const char* const page_frame;
extern const char* const page_style;
extern const char* const page_script;

}  // namespace trace
