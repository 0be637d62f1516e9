// Counting words.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace demo {

/// Lets a string_view be looked up without making a string of it.
struct WordHash : std::hash<std::string_view> {
  using is_transparent = void;
};

/// How often each word occurs. Split by hash into parts that have no word in common, so that parts
/// of several counts can be merged side by side.
class WordCount {
 public:
  using Part = std::unordered_map<std::string, std::uint64_t, WordHash, std::equal_to<>>;
  static constexpr std::size_t part_count = 8;

  /// Adds the words of `text`: runs of letters, digits and _ that do not begin with a digit.
  void add_words_of(std::string_view text);
  /// Adds one part of another count, which loses it.
  void merge_part(std::size_t part, WordCount& from);
  /// Adds all of another count.
  void merge(WordCount from);

  std::size_t different_words() const;
  /// The `n` most frequent words, ties in alphabetical order.
  std::vector<std::pair<std::string, std::uint64_t>> top(std::size_t n) const;

  bool operator==(const WordCount&) const = default;

  /// How it crosses to another process.
  template <typename Archive>
  friend void tutti_serialize(Archive& archive, WordCount& words) {
    archive(words.parts_);
  }

 private:
  void add(std::string_view word);

  std::array<Part, part_count> parts_;
};

}  // namespace demo
