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

void WordCount::add_words_of(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (class_of(*at) == other) {
      ++at;
      continue;
    }
    const char* const begin = at;
    while (at != end && class_of(*at) != other) ++at;
    if (class_of(*begin) == letter) add({begin, static_cast<std::size_t>(at - begin)});
  }
}

void WordCount::add(std::string_view word) {
  // Any bits will do that the tables inside the parts don't go by.
  Part& part = parts_[WordHash()(word) >> 48 & (part_count - 1)];
  if (const auto found = part.find(word); found != part.end()) {
    ++found->second;
  } else {
    part.emplace(word, 1);
  }
}

void WordCount::merge_part(std::size_t part, WordCount& from) {
  Part& ours = parts_[part];
  Part& theirs = from.parts_[part];
  // The longer one takes in the shorter one. Words that it does not have yet are not copied, but
  // move over.
  if (ours.size() < theirs.size()) ours.swap(theirs);
  ours.merge(theirs);
  for (const auto& [word, n] : theirs) ours.find(word)->second += n;
  theirs.clear();
}

void WordCount::merge(WordCount from) {
  for (std::size_t part = 0; part < part_count; ++part) merge_part(part, from);
}

std::size_t WordCount::different_words() const {
  std::size_t sum = 0;
  for (const Part& part : parts_) sum += part.size();
  return sum;
}

std::vector<std::pair<std::string, std::uint64_t>> WordCount::top(std::size_t n) const {
  std::vector<std::pair<std::string, std::uint64_t>> words;
  for (const Part& part : parts_) words.insert(words.end(), part.begin(), part.end());
  const auto end = words.begin() + static_cast<std::ptrdiff_t>(std::min(n, words.size()));
  std::partial_sort(words.begin(), end, words.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  words.erase(end, words.end());
  return words;
}

}  // namespace demo
