// Counting words.
#pragma once

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

using WordCount = std::unordered_map<std::string, std::uint64_t, WordHash, std::equal_to<>>;

/// Adds the words of `text`: runs of letters, digits and _ that do not begin with a digit.
void count_words(std::string_view text, WordCount& count);

/// Adds `from` to `into`.
void merge(WordCount& into, const WordCount& from);

/// The `n` most frequent words, ties in alphabetical order.
std::vector<std::pair<std::string, std::uint64_t>> top_words(const WordCount& count, std::size_t n);

}  // namespace demo
