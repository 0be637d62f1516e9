#include "demo/corpus.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace demo {

namespace fs = std::filesystem;

namespace {

// The whole file, or none if it can't be read or is not text.
std::optional<std::string> read_text(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  const std::streamoff size = stream.tellg();
  if (!stream || size < 0) return std::nullopt;
  std::string text(static_cast<std::size_t>(size), '\0');
  stream.seekg(0);
  stream.read(text.data(), size);
  // A file that has shrunk meanwhile, or one that is no file after all.
  if (stream.gcount() != size) return std::nullopt;
  const bool is_binary = text.substr(0, 1024).find('\0') != std::string::npos;
  if (is_binary) return std::nullopt;
  return text;
}

}  // namespace

Corpus read_corpus(const fs::path& folder) {
  if (!fs::exists(folder)) throw std::runtime_error(folder.string() + ": no such folder");
  if (!fs::is_directory(folder)) throw std::runtime_error(folder.string() + ": not a folder");
  Corpus corpus;
  const auto options = fs::directory_options::skip_permission_denied;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder, options)) {
    std::error_code ignored;  // Of an entry that has gone meanwhile: then it is no file.
    if (!fs::is_regular_file(entry.symlink_status(ignored))) continue;
    if (const auto text = read_text(entry.path())) {
      corpus.files.push_back(entry.path());
      corpus.bytes += text->size();
    } else {
      ++corpus.left_out;
    }
  }
  if (corpus.files.empty()) {
    throw std::runtime_error(folder.string() + ": there is no text file in it");
  }
  std::sort(corpus.files.begin(), corpus.files.end());
  return corpus;
}

std::string text_of(const fs::path& file) {
  std::optional<std::string> text = read_text(file);
  if (!text) throw std::runtime_error(file.string() + ": can't be read any more");
  return *std::move(text);
}

}  // namespace demo
