// Memory that explored programs give back.
#pragma once

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::platform::exploring {

/// While this lives, what the calling kernel thread deletes is kept, and given back at the end. So
/// no two objects of one execution have the same address, whatever the heap looks like when it
/// begins: objects are told apart by their addresses, and an execution that is run again has to go
/// the same way.
///
/// Under AddressSanitizer it does nothing: that keeps freed memory for a while itself.
class KeptMemory {
 public:
  KeptMemory() noexcept;
  ~KeptMemory();
  KeptMemory(const KeptMemory&) = delete;
  KeptMemory& operator=(const KeptMemory&) = delete;
};

}  // namespace tutti::inline TUTTI_ABI::platform::exploring
