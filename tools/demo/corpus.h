// The files whose words are counted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace demo {

struct Corpus {
  std::vector<std::filesystem::path> files;
  std::uint64_t bytes = 0;
  /// Files left out: binary or unreadable.
  std::size_t left_out = 0;
};

/// All text files below `folder`, links not followed. Reads each once, so that what is timed later
/// finds them in the page cache. Throws std::runtime_error when there are none.
Corpus read_corpus(const std::filesystem::path& folder);

/// The text of a file of a corpus. Throws std::runtime_error if it can't be read any more.
std::string text_of(const std::filesystem::path& file);

}  // namespace demo
