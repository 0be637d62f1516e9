#include "demo/word_count.h"

#include <algorithm>
#include <array>

namespace demo {

namespace {

enum Class : unsigned char { other, digit, letter };

constexpr std::array<Class, 256> classes = [] {
  std::array<Class, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = digit;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = letter;
  for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = letter;
  table['_'] = letter;
  return table;
}();

Class class_of(char c) {
  return classes[static_cast<unsigned char>(c)];
}

}  // namespace

void count_words(std::string_view text, WordCount& count) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (class_of(*at) == other) {
      ++at;
      continue;
    }
    const char* const begin = at;
    while (at != end && class_of(*at) != other) ++at;
    if (class_of(*begin) != letter) continue;
    const std::string_view word(begin, static_cast<std::size_t>(at - begin));
    if (const auto found = count.find(word); found != count.end()) {
      ++found->second;
    } else {
      count.emplace(word, 1);
    }
  }
}

void merge(WordCount& into, const WordCount& from) {
  for (const auto& [word, n] : from) into[word] += n;
}

std::vector<std::pair<std::string, std::uint64_t>> top_words(const WordCount& count,
                                                             std::size_t n) {
  std::vector<std::pair<std::string, std::uint64_t>> words(count.begin(), count.end());
  const auto top = words.begin() + static_cast<std::ptrdiff_t>(std::min(n, words.size()));
  std::partial_sort(words.begin(), top, words.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  words.erase(top, words.end());
  return words;
}

}  // namespace demo
