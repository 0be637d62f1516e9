#include "tutti/pickle/bytes.h"

#include <string>

#include "tutti/errors.h"
#include "tutti/pickle/packed.h"

namespace tutti::inline TUTTI_ABI::pickle {

std::string bytes_in_words(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " byte" : " bytes");
}

void Writer::throw_full(std::size_t size) const {
  throw RuntimeError(
      "a value changed while it was packed, or its tutti_serialize is not always the "
      "same: " +
      bytes_in_words(size) + " more, but room for " + bytes_in_words(room_.size() - written_) +
      " only");
}

void Reader::throw_short(std::size_t size) const {
  throw ValueError("packed value is cut off: " + bytes_in_words(size) + " expected, " +
                   bytes_in_words(rest_.size()) + " left");
}

std::size_t Reader::read_count(std::size_t smallest) {
  std::uint64_t count = 0;
  read(&count, sizeof count);
  if (count > rest_.size() / smallest) {
    throw ValueError("packed value is cut off: " + std::to_string(count) +
                     " elements of at least " + bytes_in_words(smallest) + " expected, " +
                     bytes_in_words(rest_.size()) + " left");
  }
  return static_cast<std::size_t>(count);
}

void throw_deep() {
  throw ValueError("value is nested deeper than " + std::to_string(deepest) + " levels");
}

void throw_invalid(std::string_view type, std::uint64_t found) {
  throw ValueError("packed value is damaged: " + std::to_string(found) + " is no " +
                   std::string(type));
}

void packing::throw_no_passage(const char* what) {
  throw RuntimeError(std::string(what) + " can only be given to a process as its argument");
}

}  // namespace tutti::inline TUTTI_ABI::pickle
