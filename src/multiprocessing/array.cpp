// The first 64 bytes of an array's segment hold its size; the elements follow.
#include "tutti/multiprocessing/array.h"

#include <limits>
#include <string>

#include "runtime/describe.h"
#include "threading/errors.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

struct alignas(64) Header {
  platform::atomic<std::uint64_t> count;
};

std::size_t bytes_for(std::size_t count, std::size_t element_size) {
  constexpr std::size_t most = std::numeric_limits<std::ptrdiff_t>::max();
  if (count > (most - sizeof(Header)) / element_size) {
    threading::throw_bad_value("an array of " + std::to_string(count) + " elements of " +
                               std::to_string(element_size) +
                               " bytes is larger than memory can be");
  }
  return sizeof(Header) + count * element_size;
}

}  // namespace

ArrayMemory::ArrayMemory(std::size_t count, std::size_t element_size)
    : SharedObject(bytes_for(count, element_size), "tutti-array") {
  state<Header>().count.store(count, platform::relaxed);
}

std::size_t ArrayMemory::size() const noexcept {
  return state<Header>().count.load(platform::relaxed);
}

void* ArrayMemory::elements() const noexcept {
  return &state<Header>() + 1;
}

void ArrayMemory::check_size(std::size_t element_size) const {
  if (bytes_for(size(), element_size) > memory_size()) {
    threading::throw_bad_value("the memory that was passed is too small for an array of " +
                               std::to_string(size()) + " elements");
  }
}

void ArrayMemory::throw_no_index(std::size_t index) const {
  throw IndexError("there is no element " + std::to_string(index) + " in " +
                   runtime::describe("Array", this) + ", which has " + std::to_string(size()) +
                   runtime::in_calling_thread());
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
