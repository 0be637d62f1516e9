#include "tutti/multiprocessing/segment.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "platform/descriptor.h"
#include "platform/segment.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

std::string explain(const char* doing, const char* label, int error) {
  const std::string advice = platform::advice_for_memory_error(error);
  return std::string("can't ") + doing + " shared memory '" + label + "': " + std::strerror(error) +
         (advice.empty() ? "" : ": " + advice);
}

}  // namespace

struct Segment::Pages {
  Pages() noexcept = default;
  ~Pages() {
    if (data != nullptr) platform::unmap_file(data, size);
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  void* data = nullptr;
  std::size_t size = 0;
  platform::Descriptor descriptor;
};

Segment::Segment(std::shared_ptr<const Pages> pages) noexcept : pages_(std::move(pages)) {}

Segment Segment::map(int descriptor, std::size_t size, const char* label) {
  platform::Descriptor owned(descriptor);
  auto pages = std::make_shared<Pages>();
  pages->descriptor = std::move(owned);
  const platform::Mapping mapping = platform::map_file(descriptor, size);
  if (mapping.error != 0) throw OSError(explain("map", label, mapping.error), mapping.error);
  platform::keep_out_of_core_dumps(mapping.pages, size);
  pages->data = mapping.pages;
  pages->size = size;
  return Segment(std::move(pages));
}

Segment Segment::make(std::size_t size, const char* label) {
  const platform::MemoryFile file = platform::make_memory_file(label, size);
  if (file.error != 0) throw OSError(explain("make", label, file.error), file.error);
  return map(file.descriptor, size, label);
}

Segment Segment::make_largest(std::size_t most, std::size_t least, const char* label) {
  constexpr std::size_t step = 4;
  for (std::size_t size = most;; size = std::max(size / step, least)) {
    try {
      {
        Segment made = make(size, label);
        if (size == most || size == least) return made;
      }
      // It would take up to all that is left: smaller once more.
      return make(std::max(size / step, least), label);
    } catch (const OSError& error) {
      if (error.code() != ENOMEM || size <= least) throw;
    }
  }
}

Segment Segment::adopt(int descriptor, std::size_t least_size, const char* label) {
  platform::Descriptor owned(descriptor);
  const platform::MemoryFileSize found = platform::size_of_memory_file(descriptor);
  if (found.error != 0) throw ValueError(explain("take over", label, found.error));
  if (found.size == 0 || found.size < least_size) {
    throw ValueError(std::string("can't take over shared memory '") + label + "': it has " +
                     std::to_string(found.size) + " bytes, which is too few");
  }
  return map(owned.release(), found.size, label);
}

std::byte* Segment::data() const noexcept {
  return pages_ == nullptr ? nullptr : static_cast<std::byte*>(pages_->data);
}

std::size_t Segment::size() const noexcept {
  return pages_ == nullptr ? 0 : pages_->size;
}

int Segment::descriptor() const noexcept {
  return pages_ == nullptr ? -1 : pages_->descriptor.get();
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
