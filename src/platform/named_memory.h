// Blocks of shared memory that have a name: files in /dev/shm, as shm_open() has them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::platform {

/// The longest name, in bytes.
inline constexpr std::size_t longest_memory_name = 254;

/// Which file it is, whatever name it has.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t number = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) noexcept = default;
};

/// An open block. `error` is an errno value, 0 for none.
struct NamedMemory {
  int error = 0;
  int descriptor = -1;
  FileIdentity identity;
  std::size_t size = 0;
  std::byte* begin = nullptr;
};

/// Makes a block, zeroed, mapped, and with memory behind every page, but without a name yet. ENOSPC
/// when there is not so much room.
NamedMemory make_memory(std::size_t size) noexcept;
/// Gives it a name, by which others find it whole. EEXIST when the name is taken.
int name_memory(const NamedMemory& memory, const char* name) noexcept;
/// Opens and maps the one with this name. ENOENT when there is none; of an empty one nothing is
/// mapped.
NamedMemory attach_memory(const char* name) noexcept;
/// Unmaps and closes it; the name remains.
void close_memory(const NamedMemory& memory) noexcept;

/// Takes the name away: nobody finds the block any more, and it goes with its last user.
int unlink_memory(const char* name) noexcept;
/// The same if the name is still that of `identity`; false if it is not, or is gone.
/// Async-signal-safe.
bool unlink_memory_if(const char* name, const FileIdentity& identity) noexcept;

}  // namespace tutti::inline TUTTI_ABI::platform
