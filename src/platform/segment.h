// Files in memory that processes share by mapping them: without a name, gone with their last user.
#pragma once

#include <cstddef>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::platform {

/// A descriptor, closed on exec; or the errno value that says why there is none.
struct MemoryFile {
  int error;
  int descriptor;
};

/// A file of `size` zero bytes, of which pages take memory once they are touched. Its size is
/// sealed, so that no user can cut it off under the others, who would die of SIGBUS. The system's
/// tools show it by `label`.
MemoryFile make_memory_file(const char* label, std::size_t size) noexcept;

struct MemoryFileSize {
  int error;
  std::size_t size;
};

/// The size of such a file; EINVAL for a file whose size is not sealed.
MemoryFileSize size_of_memory_file(int descriptor) noexcept;

struct Mapping {
  int error;
  void* pages;
};

/// Maps the file from its beginning, to be read, written and shared with forked children.
Mapping map_file(int descriptor, std::size_t size) noexcept;
void unmap_file(void* pages, std::size_t size) noexcept;

/// What memory is laid out and given back by.
inline constexpr std::size_t page = 4096;
/// `size`, rounded up to whole pages.
constexpr std::size_t in_pages(std::size_t size) noexcept {
  return (size + page - 1) / page * page;
}

/// Gives the memory of whole pages of the file back, for all its users: they read as zero then.
void drop_pages(int descriptor, std::size_t offset, std::size_t size) noexcept;

/// Core dumps of this process leave these pages out: to write down a sparse file would fill it.
void keep_out_of_core_dumps(void* pages, std::size_t size) noexcept;

/// Bytes of memory that the machine has.
std::size_t memory_of_machine() noexcept;

/// What the error of one of these functions means, and what to do.
const char* advice_for_memory_error(int error) noexcept;

}  // namespace tutti::inline TUTTI_ABI::platform
