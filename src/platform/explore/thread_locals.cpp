#include "platform/explore/thread_locals.h"

#include <link.h>

#include <cstring>
#include <string_view>

namespace tutti::inline TUTTI_ABI::platform::exploring {

namespace {

constinit ThreadLocals* running_locals = nullptr;

struct Block {
  char* address;
  std::size_t size;
  const char* initial_values;
  std::size_t initial_size;
};

// Libraries whose thread-local state belongs to the kernel thread: what of it must follow a thread
// (exceptions, errno) is in Context.
bool is_of_the_system(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  for (const char* prefix : {"libc.", "libc-", "libm.", "libstdc++", "libgcc_s", "ld-", "libasan",
                             "libubsan", "libtsan", "liblsan", "libpthread"}) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

std::vector<Block> find_blocks() {
  std::vector<Block> blocks;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* found) {
        if (info->dlpi_tls_data == nullptr || is_of_the_system(info->dlpi_name)) return 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& header = info->dlpi_phdr[i];
          if (header.p_type != PT_TLS) continue;
          static_cast<std::vector<Block>*>(found)->push_back(
              {static_cast<char*>(info->dlpi_tls_data), header.p_memsz,
               reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr), header.p_filesz});
        }
        return 0;
      },
      &blocks);
  return blocks;
}

// Of the kernel thread that explores.
std::vector<Block>& blocks() {
  static auto& found = *new std::vector<Block>;
  return found;
}

std::size_t total_size() {
  std::size_t sum = 0;
  for (const Block& block : blocks()) sum += block.size;
  return sum;
}

}  // namespace

void ThreadLocals::renew() {
  if (const std::size_t needed = total_size(); values_ == nullptr || size_ < needed) {
    values_ = std::make_unique<char[]>(needed);
    size_ = needed;
  }
  destructors_.clear();
  char* values = values_.get();
  for (const Block& block : blocks()) {
    std::memcpy(values, block.initial_values, block.initial_size);
    std::memset(values + block.initial_size, 0, block.size - block.initial_size);
    values += block.size;
  }
}

void ThreadLocals::copy_out() noexcept {
  char* values = values_.get();
  for (const Block& block : blocks()) {
    std::memcpy(values, block.address, block.size);
    values += block.size;
  }
}

void ThreadLocals::copy_in() const noexcept {
  const char* values = values_.get();
  for (const Block& block : blocks()) {
    std::memcpy(block.address, values, block.size);
    values += block.size;
  }
}

void ThreadLocals::destroy() {
  while (!destructors_.empty()) {
    const Destructor last = destructors_.back();
    destructors_.pop_back();
    last.call(last.object);
  }
}

void find_thread_locals() {
  blocks() = find_blocks();
}

void set_running_locals(ThreadLocals* locals) noexcept {
  running_locals = locals;
}

namespace {

bool keep_destructor(void (*destroy)(void*), void* object) {
  if (running_locals == nullptr) return false;
  running_locals->at_end(destroy, object);
  return true;
}

}  // namespace

// The compiler calls this for each thread_local object with a destructor; found here before the C++
// library's, it keeps those of explored threads until these end, not the kernel thread.
extern "C" {
int __cxa_thread_atexit_impl(void (*destroy)(void*), void* object, void* library);

int __cxa_thread_atexit(void (*destroy)(void*), void* object, void* library) noexcept {
  if (keep_destructor(destroy, object)) return 0;
  return __cxa_thread_atexit_impl(destroy, object, library);
}
}

}  // namespace tutti::inline TUTTI_ABI::platform::exploring
