#include "tutti/multiprocessing/shared_memory.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>

#include "multiprocessing/memory_tracker.h"
#include "platform/named_memory.h"
#include "platform/process.h"
#include "runtime/describe.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::shared_memory {

struct Block {
  Block(std::string its_name, const platform::NamedMemory& open) noexcept
      : name(std::move(its_name)), memory(open) {}
  ~Block() { close(); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  void close() noexcept {
    if (!is_closed.exchange(true, platform::acq_rel)) platform::close_memory(memory);
  }

  const std::string name;
  const platform::NamedMemory memory;
  platform::atomic<bool> is_closed{false};
};

namespace {

std::string about(std::string_view what, const std::string& name, std::string_view why) {
  std::string text = "can't ";
  text.append(what).append(" shared memory '").append(name).append("': ").append(why);
  return text + runtime::in_calling_thread();
}

[[noreturn]] void throw_refused(std::string_view what, const std::string& name, int error) {
  switch (error) {
    case EEXIST:
      throw FileExistsError(about(what, name, "the name is taken"), error);
    case ENOENT:
      throw FileNotFoundError(about(what, name, "there is no block of this name"), error);
    case ENOSPC:
      throw OSError(about(what, name, "there is not enough room in /dev/shm"), error);
    default:
      throw OSError(about(what, name, std::strerror(error)), error);
  }
}

std::string checked_name(std::string name) {
  name.erase(0, name.find_first_not_of('/'));
  const bool is_one = !name.empty() && name.size() <= platform::longest_memory_name &&
                      name != "." && name != ".." &&
                      name.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
  if (is_one) return name;
  throw ValueError("shared memory can't be called '" + name + "': a name has 1 to " +
                   std::to_string(platform::longest_memory_name) +
                   " bytes, and no slash but at its begin" + runtime::in_calling_thread());
}

std::string random_name() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string name = "psm_";
  std::uint32_t number;
  platform::fill_with_random(std::as_writable_bytes(std::span(&number, 1)));
  for (int i = 0; i < 8; ++i, number >>= 4) name += digits[number & 0xf];
  return name;
}

// A block that is not yet anybody's.
struct Unclaimed {
  platform::NamedMemory memory;
  ~Unclaimed() {
    if (memory.begin != nullptr) platform::close_memory(memory);
  }
};

// Whether it has this name from now on.
bool name_block(const platform::NamedMemory& memory, const std::string& name, bool tracked) {
  if (tracked) track(name, memory.identity);
  const int error = platform::name_memory(memory, name.c_str());
  if (error == 0) return true;
  if (tracked) forget(memory.identity);
  if (error == EEXIST) return false;
  throw_refused("create", name, error);
}

std::shared_ptr<Block> create(const std::optional<std::string>& wanted, std::ptrdiff_t size,
                              bool tracked) {
  std::string name = wanted ? checked_name(*wanted) : random_name();
  Unclaimed made{platform::make_memory(static_cast<std::size_t>(size))};
  if (made.memory.error != 0) throw_refused("create", name, made.memory.error);
  while (!name_block(made.memory, name, tracked)) {
    if (wanted) throw_refused("create", name, EEXIST);
    name = random_name();
  }
  auto block = std::make_shared<Block>(std::move(name), made.memory);
  made.memory.begin = nullptr;
  return block;
}

std::shared_ptr<Block> attach(const std::optional<std::string>& wanted) {
  if (!wanted) {
    throw ValueError("shared memory to attach to needs a name" + runtime::in_calling_thread());
  }
  std::string name = checked_name(*wanted);
  Unclaimed found{platform::attach_memory(name.c_str())};
  if (found.memory.error != 0) throw_refused("attach to", name, found.memory.error);
  if (found.memory.size == 0) {
    platform::close_memory(found.memory);
    throw ValueError(about("attach to", name, "it has no bytes"));
  }
  auto block = std::make_shared<Block>(std::move(name), found.memory);
  found.memory.begin = nullptr;
  return block;
}

}  // namespace

SharedMemory::SharedMemory(std::optional<std::string> name, bool create, std::ptrdiff_t size,
                           bool track) {
  if (size < 0 || (create && size == 0)) {
    throw ValueError("the size of shared memory is a positive number, not " + std::to_string(size) +
                     runtime::in_calling_thread());
  }
  block_ = create ? shared_memory::create(name, size, track) : attach(name);
}

const std::string& SharedMemory::name() const noexcept {
  static const std::string none;
  return block_ == nullptr ? none : block_->name;
}

std::size_t SharedMemory::size() const noexcept {
  return block_ == nullptr ? 0 : block_->memory.size;
}

std::span<std::byte> SharedMemory::buf() const {
  if (block_ == nullptr || block_->is_closed.load(platform::acquire)) {
    throw ValueError(about("use", name(), "it is closed"));
  }
  return {block_->memory.begin, block_->memory.size};
}

std::span<std::byte> SharedMemory::part_for(std::size_t offset, std::optional<std::size_t> count,
                                            std::size_t size, std::size_t alignment) const {
  const std::span<std::byte> all = buf();
  if (offset > all.size() || (count && *count > (all.size() - offset) / size)) {
    throw ValueError(about("map", name(),
                           std::to_string(count.value_or(0)) + " objects of " +
                               std::to_string(size) + " bytes from byte " + std::to_string(offset) +
                               " on are beyond its " + std::to_string(all.size()) + " bytes"));
  }
  if (offset % alignment != 0) {
    throw ValueError(about("map", name(),
                           "byte " + std::to_string(offset) + " is no multiple of " +
                               std::to_string(alignment) + ", as the type's alignment asks"));
  }
  return all.subspan(offset, count.value_or((all.size() - offset) / size) * size);
}

void SharedMemory::close() const noexcept {
  if (block_ != nullptr) block_->close();
}

void SharedMemory::unlink() const {
  if (block_ == nullptr) throw ValueError("there is no shared memory to unlink");
  const int error = platform::unlink_memory(block_->name.c_str());
  forget(block_->memory.identity);
  if (error != 0) throw_refused("unlink", block_->name, error);
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::shared_memory
