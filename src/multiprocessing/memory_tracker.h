// Who removes the blocks of shared memory that a program leaves behind, whatever it dies of.
//
// A table in memory that forked children share lists the blocks. A survivor (see
// platform/survivor.h) waits for the end of all processes that have it, and removes what is still
// listed. It starts with the first block, and ends, in a program that goes on, after the last.
//
// The order of steps makes up for a kill between any two: a block is listed before it gets its
// name, and struck off after it has lost it. An entry holds the identity of its file, so a name
// that meanwhile is somebody else's is left alone.
#pragma once

#include <string>

#include "platform/named_memory.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::shared_memory {

/// Lists a block that is about to be given `name`. Throws OSError when there can be no survivor, or
/// when too many blocks are listed.
void track(const std::string& name, const platform::FileIdentity& identity);
/// Strikes it off, if it is listed: it has no name any more, or has never got it.
void forget(const platform::FileIdentity& identity) noexcept;

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::shared_memory
