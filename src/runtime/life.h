// Who is dead, among the threads of all processes that share the registry.
#pragma once

#include "runtime/registry.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// True once the thread has ended or was killed, whichever process that shares the registry it
/// belongs or belonged to. Two or three loads; it stays true. `id` must have been read with acquire
/// from where its thread, or who prepared that, has written it with release.
bool is_dead(ThreadId id) noexcept;

}  // namespace tutti::inline TUTTI_ABI::runtime
