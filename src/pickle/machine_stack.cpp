// What the machine reads from the pickle, and what it makes of it: nodes, and the stack of them.
#include <limits>
#include <utility>

#include "pickle/machine.h"
#include "pickle/utf8.h"
#include "tutti/errors.h"
#include "tutti/pickle/bytes.h"

namespace tutti::inline TUTTI_ABI::pickle {

// --- the pickle ----------------------------------------------------------------------------------

void Tree::Machine::fail(const std::string& what) const {
  throw ValueError("pickle, at byte " + std::to_string(all_.size() - rest_.size()) + ": " + what);
}

std::string_view Tree::Machine::take(std::uint64_t size) {
  if (size > rest_.size()) {
    fail("cut off: " + bytes_in_words(size) + " expected, " + std::to_string(rest_.size()) +
         " left");
  }
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::string_view Tree::Machine::take_line() {
  const std::size_t end = rest_.find('\n');
  if (end == std::string_view::npos) fail("cut off: the end of a line expected");
  const std::string_view line = take(end);
  take(1);
  return line;
}

std::uint64_t Tree::Machine::take_number(std::size_t size) {
  const std::string_view bytes = take(size);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) {
    number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
  }
  return number;
}

// --- the stack -----------------------------------------------------------------------------------

std::uint32_t Tree::Machine::pop() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail("a value is missing");
  const std::uint32_t node = stack_.back();
  stack_.pop_back();
  return node;
}

Node& Tree::Machine::top(Type type, const char* given, std::size_t end) {
  if (end <= (marks_.empty() ? 0 : marks_.back())) fail("a value is missing");
  Node& node = tree_.nodes_[stack_[end - 1]];
  if (node.type != type) {
    fail("the type " + std::string(name_of(node.type)) + " is given " + given);
  }
  return node;
}

std::size_t Tree::Machine::mark_of_top() {
  if (marks_.empty()) fail("a mark is missing");
  const std::size_t mark = marks_.back();
  marks_.pop_back();
  return mark;
}

void Tree::Machine::push_data(Type type, std::string_view data) {
  Node node;
  node.type = type;
  node.data = data.data();
  node.size = data.size();
  push(node);
}

void Tree::Machine::push_text(std::string_view text) {
  if (!is_utf8(text)) fail("a str is not UTF-8");
  push_data(Type::text, text);
}

void Tree::Machine::push_python2_string(std::string_view text) {
  push_data(is_utf8(text) ? Type::text : Type::bytes, text);
}

void Tree::Machine::push_int(std::int64_t value) {
  Node node;
  node.type = Type::integer;
  node.integer = value;
  push(node);
}

void Tree::Machine::push_big(std::string_view bytes) {
  // What is only the sign once more is left out, as Python does, so that equal numbers look equal.
  const auto sign_of = [](char byte) { return static_cast<signed char>(byte) < 0 ? '\xFF' : '\0'; };
  while (bytes.size() > 1 && bytes.back() == sign_of(bytes[bytes.size() - 2]))
    bytes.remove_suffix(1);
  if (bytes.size() > sizeof(std::int64_t)) {
    push_data(Type::integer, bytes);
    tree_.nodes_[stack_.back()].big = true;
    return;
  }
  std::uint64_t number = bytes.empty() || sign_of(bytes.back()) == 0 ? 0 : ~std::uint64_t{0};
  for (std::size_t i = bytes.size(); i-- > 0;) {
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  }
  push_int(static_cast<std::int64_t>(number));
}

// --- nodes ---------------------------------------------------------------------------------------

std::uint32_t Tree::Machine::add(const Node& node) {
  if (tree_.nodes_.size() >= std::numeric_limits<std::uint32_t>::max()) fail("too many values");
  tree_.nodes_.push_back(node);
  return static_cast<std::uint32_t>(tree_.nodes_.size() - 1);
}

std::string_view Tree::Machine::keep(std::string text) {
  return tree_.texts_.emplace_back(std::move(text));
}

void Tree::Machine::append_parts(Node& container, std::span<const std::uint32_t> parts) {
  if (parts.empty()) return;
  std::vector<std::uint32_t>& all = tree_.parts_;
  std::vector<Run>& runs = tree_.runs_;
  if (all.size() + parts.size() > std::numeric_limits<std::uint32_t>::max())
    fail("too many values");
  const auto begin = static_cast<std::uint32_t>(all.size());
  const auto count = static_cast<std::uint32_t>(parts.size());
  all.insert(all.end(), parts.begin(), parts.end());
  if (container.count != 0 &&
      runs[container.runs.last].begin + runs[container.runs.last].count == begin) {
    runs[container.runs.last].count += count;
  } else {
    const auto run = static_cast<std::uint32_t>(runs.size());
    runs.push_back({begin, count, 0});
    if (container.count == 0) {
      container.runs.first = run;
    } else {
      runs[container.runs.last].next = run;
    }
    container.runs.last = run;
  }
  container.count += count;
}

// A new one of what is on the stack from `begin` on.
void Tree::Machine::push_container(Type type, std::size_t begin) {
  Node node;
  node.type = type;
  node.runs = {0, 0};
  append_parts(node, std::span<const std::uint32_t>(stack_).subspan(begin));
  if (type == Type::dict && node.count % 2 != 0) fail("a key has no value");
  stack_.resize(begin);
  push(node);
}

// What is above the mark goes into the container below it.
void Tree::Machine::extend(Type type, const char* given) {
  const std::size_t begin = mark_of_top();
  const auto parts = std::span<const std::uint32_t>(stack_).subspan(begin);
  if (type == Type::dict && parts.size() % 2 != 0) fail("a key has no value");
  append_parts(top(type, given, begin), parts);
  stack_.resize(begin);
}

}  // namespace tutti::inline TUTTI_ABI::pickle
