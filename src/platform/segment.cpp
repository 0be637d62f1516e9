#include "platform/segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "platform/descriptor.h"

namespace tutti::inline TUTTI_ABI::platform {

namespace {

constexpr int size_seals = F_SEAL_SHRINK | F_SEAL_GROW;

}  // namespace

MemoryFile make_memory_file(const char* label, std::size_t size) noexcept {
  const int descriptor =
      past_the_standard_streams(memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (descriptor < 0) return {errno, -1};
  if (ftruncate(descriptor, static_cast<off_t>(size)) == 0 &&
      fcntl(descriptor, F_ADD_SEALS, size_seals | F_SEAL_SEAL) == 0) {
    return {0, descriptor};
  }
  const int error = errno;
  close(descriptor);
  return {error, -1};
}

MemoryFileSize size_of_memory_file(int descriptor) noexcept {
  struct stat state;
  if (fstat(descriptor, &state) != 0) return {errno, 0};
  const int seals = fcntl(descriptor, F_GET_SEALS);
  if (seals < 0 || (seals & size_seals) != size_seals) return {EINVAL, 0};
  return {0, static_cast<std::size_t>(state.st_size)};
}

Mapping map_file(int descriptor, std::size_t size) noexcept {
  void* const pages =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, descriptor, 0);
  if (pages == MAP_FAILED) return {errno, nullptr};
  return {0, pages};
}

void unmap_file(void* pages, std::size_t size) noexcept {
  munmap(pages, size);
}

void drop_pages(int descriptor, std::size_t offset, std::size_t size) noexcept {
  while (fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                   static_cast<off_t>(offset), static_cast<off_t>(size)) != 0 &&
         errno == EINTR) {
  }
}

void keep_out_of_core_dumps(void* pages, std::size_t size) noexcept {
  madvise(pages, size, MADV_DONTDUMP);
}

std::size_t memory_of_machine() noexcept {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long size = sysconf(_SC_PAGESIZE);
  return static_cast<std::size_t>(std::max(pages, 1L)) * static_cast<std::size_t>(size);
}

const char* advice_for_memory_error(int error) noexcept {
  switch (error) {
    case EMFILE:
      return "this process has as many open files as it may; close some, or raise 'ulimit -n'";
    case ENFILE:
      return "the machine has as many open files as it may; see fs.file-max in proc(5)";
    case ENOMEM:
      return "there is no memory for it; see 'ulimit -v', the limit of the control group, and "
             "vm.max_map_count in proc(5)";
    case EINVAL:
      return "it is not a file in memory with a sealed size";
    default:
      return "";
  }
}

}  // namespace tutti::inline TUTTI_ABI::platform
