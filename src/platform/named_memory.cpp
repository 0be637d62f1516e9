// See named_memory.h for what each function promises.
#include "platform/named_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "platform/descriptor.h"

namespace tutti::inline TUTTI_ABI::platform {

namespace {

constexpr const char* folder = "/dev/shm";

// "/dev/shm/name"
struct Path {
  std::array<char, 16 + longest_memory_name> text;

  explicit Path(const char* name) noexcept {
    std::size_t end = 0;
    for (const char* from : {folder, "/", name}) {
      for (; *from != '\0' && end + 1 < text.size(); ++from) text[end++] = *from;
    }
    text[end] = '\0';
  }
};

FileIdentity identity_of(const struct stat& status) {
  return {status.st_dev, status.st_ino};
}

NamedMemory failed(NamedMemory memory) noexcept {
  memory.error = errno;
  if (memory.descriptor >= 0) close(memory.descriptor);
  memory.descriptor = -1;
  return memory;
}

// Maps what is open.
NamedMemory mapped(NamedMemory memory) noexcept {
  struct stat status;
  if (fstat(memory.descriptor, &status) != 0) return failed(memory);
  memory.identity = identity_of(status);
  memory.size = static_cast<std::size_t>(status.st_size);
  if (memory.size == 0) return memory;
  void* const pages =
      mmap(nullptr, memory.size, PROT_READ | PROT_WRITE, MAP_SHARED, memory.descriptor, 0);
  if (pages == MAP_FAILED) return failed(memory);
  memory.begin = static_cast<std::byte*>(pages);
  return memory;
}

int allocate(int descriptor, off_t size) noexcept {
  for (;;) {
    // With less than that, a program that writes to its block would die of SIGBUS when memory runs
    // out.
    const int error = posix_fallocate(descriptor, 0, size);
    if (error != EINTR) return error;
  }
}

}  // namespace

NamedMemory make_memory(std::size_t size) noexcept {
  NamedMemory memory;
  memory.descriptor =
      past_the_standard_streams(open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (memory.descriptor < 0) return failed(memory);
  errno = allocate(memory.descriptor, static_cast<off_t>(size));
  return errno != 0 ? failed(memory) : mapped(memory);
}

int name_memory(const NamedMemory& memory, const char* name) noexcept {
  std::array<char, 32> source{"/proc/self/fd/"};
  char* const digits = source.data() + std::strlen(source.data());
  *std::to_chars(digits, source.end() - 1, memory.descriptor).ptr = '\0';
  return linkat(AT_FDCWD, source.data(), AT_FDCWD, Path(name).text.data(), AT_SYMLINK_FOLLOW) == 0
             ? 0
             : errno;
}

NamedMemory attach_memory(const char* name) noexcept {
  NamedMemory memory;
  // A link could lead anywhere.
  memory.descriptor =
      past_the_standard_streams(open(Path(name).text.data(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  return memory.descriptor < 0 ? failed(memory) : mapped(memory);
}

void close_memory(const NamedMemory& memory) noexcept {
  if (memory.begin != nullptr) munmap(memory.begin, memory.size);
  if (memory.descriptor >= 0) close(memory.descriptor);
}

int unlink_memory(const char* name) noexcept {
  return unlink(Path(name).text.data()) == 0 ? 0 : errno;
}

bool unlink_memory_if(const char* name, const FileIdentity& identity) noexcept {
  const Path path(name);
  struct stat status;
  return lstat(path.text.data(), &status) == 0 && identity_of(status) == identity &&
         unlink(path.text.data()) == 0;
}

}  // namespace tutti::inline TUTTI_ABI::platform
