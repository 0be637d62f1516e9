#include "pickle/machine.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <utility>

#include "pickle/globals.h"
#include "pickle/opcodes.h"
#include "pickle/utf8.h"
#include "tutti/errors.h"
#include "tutti/pickle/bytes.h"

namespace tutti::inline TUTTI_ABI::pickle {

namespace {

// Nodes that every tree has, so that these most common values cost nothing.
constexpr std::uint32_t none_node = 0;
constexpr std::uint32_t false_node = 1;
constexpr std::uint32_t true_node = 2;

// Python reads no more digits either, since that takes time of their number squared.
constexpr std::size_t most_digits = 4300;

std::string quoted(PythonClass python) {
  std::string name(python.module);
  name += '.';
  name += python.name;
  // It may be anything, and long.
  for (char& c : name) {
    if (c < ' ' || c > '~') c = '?';
  }
  if (name.size() > 80) name.replace(77, std::string::npos, "...");
  return name;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The number that `count` hexadecimal digits at the beginning of `text` make, which is shortened by
// them; -1 if there are none.
std::int64_t take_hex(std::string_view& text, std::size_t count) {
  if (text.size() < count) return -1;
  std::int64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int digit = hex_digit(text[i]);
    if (digit < 0) return -1;
    number = number * 16 + digit;
  }
  text.remove_prefix(count);
  return number;
}

}  // namespace

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

// --- opcodes with a body -------------------------------------------------------------------------

void Tree::Machine::decimal(std::string_view digits) {
  if (digits.ends_with('L')) digits.remove_suffix(1);
  std::int64_t small = 0;
  const char* end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, small);
  if (at != end || error == std::errc::invalid_argument) fail("an int is not a number");
  if (error == std::errc()) {
    push_int(small);
    return;
  }
  const bool is_negative = digits.front() == '-';
  if (is_negative) digits.remove_prefix(1);
  if (digits.size() > most_digits) fail("an int has more than 4300 digits");
  // Bytes of the number without its sign, the lowest first.
  std::string bytes;
  for (const char digit : digits) {
    unsigned carry = static_cast<unsigned>(digit - '0');
    for (char& byte : bytes) {
      carry += static_cast<unsigned char>(byte) * 10u;
      byte = static_cast<char>(carry);
      carry >>= 8;
    }
    if (carry != 0) bytes.push_back(static_cast<char>(carry));
  }
  bytes.push_back('\0');
  if (is_negative) {
    unsigned carry = 1;
    for (char& byte : bytes) {
      carry += static_cast<unsigned char>(~byte);
      byte = static_cast<char>(carry);
      carry >>= 8;
    }
  }
  push_big(keep(std::move(bytes)));
}

void Tree::Machine::float_line() {
  const std::string_view line = take_line();
  Node node;
  node.type = Type::floating;
  const auto [at, error] = std::from_chars(line.data(), line.data() + line.size(), node.floating);
  if (at != line.data() + line.size() || error == std::errc::invalid_argument) {
    fail("a float is not a number");
  }
  push(node);
}

// As Python 2's repr() wrote it.
void Tree::Machine::string_line() {
  std::string_view line = take_line();
  if (line.size() < 2 || line.front() != line.back() ||
      (line.front() != '\'' && line.front() != '"')) {
    fail("a string is not in quotes");
  }
  line = line.substr(1, line.size() - 2);
  std::string text;
  while (!line.empty()) {
    const char c = line.front();
    line.remove_prefix(1);
    if (c != '\\' || line.empty()) {
      text.push_back(c);
      continue;
    }
    const char escaped = line.front();
    line.remove_prefix(1);
    constexpr std::string_view codes = "abfnrtv";
    constexpr std::string_view meanings = "\a\b\f\n\r\t\v";
    if (const std::size_t at = codes.find(escaped); at != std::string_view::npos) {
      text.push_back(meanings[at]);
    } else if (escaped == 'x') {
      const std::int64_t code = take_hex(line, 2);
      if (code < 0) fail("a string has a wrong escape");
      text.push_back(static_cast<char>(code));
    } else {
      text.push_back(escaped);
    }
  }
  push_python2_string(keep(std::move(text)));
}

// Latin-1, except for \uXXXX and \UXXXXXXXX.
void Tree::Machine::unicode_line() {
  std::string_view line = take_line();
  std::string text;
  while (!line.empty()) {
    const auto c = static_cast<unsigned char>(line.front());
    line.remove_prefix(1);
    if (c == '\\' && !line.empty() && (line.front() == 'u' || line.front() == 'U')) {
      const std::size_t digits = line.front() == 'u' ? 4 : 8;
      line.remove_prefix(1);
      const std::int64_t code = take_hex(line, digits);
      if (code < 0 || code > 0x10FFFF) fail("a str has a wrong escape");
      append_utf8(text, static_cast<char32_t>(code));
    } else {
      append_utf8(text, c);
    }
  }
  push_text(keep(std::move(text)));
}

void Tree::Machine::global(std::string_view module, std::string_view name) {
  const std::optional<std::uint32_t> known = find_global({module, name});
  if (!known) fail(quoted({module, name}) + " is not plain data, so it is not read");
  Node node;
  node.type = Type::global;
  node.count = *known;
  push(node);
}

void Tree::Machine::memoize(std::uint64_t index) {
  const std::uint32_t node = pop();
  push(node);
  if (index < memo_.size()) {
    memo_[index] = node;
  } else if (index == memo_.size()) {
    memo_.push_back(node);
  } else {
    scattered_memo_[index] = node;
  }
}

void Tree::Machine::get(std::uint64_t index) {
  // One that was scattered may have been reached by counting since.
  if (index < memo_.size()) {
    push(memo_[index]);
  } else if (const auto found = scattered_memo_.find(index); found != scattered_memo_.end()) {
    push(found->second);
  } else {
    fail("no value has the number " + std::to_string(index) + " that is referred to");
  }
}

std::uint64_t Tree::Machine::line_number() {
  const std::string_view line = take_line();
  std::uint64_t number = 0;
  const auto [at, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (at != line.data() + line.size() || error != std::errc()) fail("a number is none");
  return number;
}

std::vector<std::uint32_t> Tree::Machine::parts_of(const Node& container) const {
  std::vector<std::uint32_t> parts;
  std::uint32_t run = container.runs.first;
  while (parts.size() < container.count) {
    const Run& from = tree_.runs_[run];
    const std::size_t count = std::min<std::size_t>(from.count, container.count - parts.size());
    const auto begin = tree_.parts_.begin() + from.begin;
    parts.insert(parts.end(), begin, begin + static_cast<std::ptrdiff_t>(count));
    run = from.next;
  }
  return parts;
}

void Tree::Machine::reduce() {
  const std::uint32_t arguments = pop();
  const Node callable = tree_.nodes_[pop()];
  if (tree_.nodes_[arguments].type != Type::tuple) fail("the arguments of a call are no tuple");
  if (callable.type != Type::global) {
    fail("the type " + std::string(name_of(callable.type)) + " can't be called");
  }
  push(reduced(callable, arguments));
}

// What Python's would return.
Node Tree::Machine::reduced(const Node& callable, std::uint32_t arguments) {
  Node made;
  if (callable.count >= static_cast<std::uint32_t>(Global::exception)) {
    made.type = Type::exception;
    made.count = callable.count - static_cast<std::uint32_t>(Global::exception);
    made.call = {arguments, none_node};
    return made;
  }
  const Node& tuple = tree_.nodes_[arguments];
  std::array<Node, 3> given;
  std::size_t count = 0;
  if (tuple.count <= given.size()) {
    for (const std::uint32_t part : parts_of(tuple)) given[count++] = tree_.nodes_[part];
  }
  const bool is_empty = tuple.count == 0;
  const Node& first = given[0];
  const auto is_sequence = [](const Node& node) {
    return node.type == Type::list || node.type == Type::tuple;
  };
  const auto is_number = [](const Node& node) {
    return node.type == Type::floating || (node.type == Type::integer && !node.big);
  };
  switch (static_cast<Global>(callable.count)) {
    case Global::set:
    case Global::frozenset:
      if (!is_empty && !(count == 1 && is_sequence(first))) break;
      made.runs = {0, 0};
      if (!is_empty) made = first;
      made.type =
          callable.count == static_cast<std::uint32_t>(Global::set) ? Type::set : Type::frozenset;
      return made;
    case Global::deque:
      // Its greatest length is not kept.
      if (!is_empty && !(count <= 2 && is_sequence(first) && count != 0)) break;
      made.runs = {0, 0};
      if (!is_empty) made = first;
      made.type = Type::list;
      return made;
    case Global::ordered_dict:
      if (!is_empty) break;
      made.type = Type::dict;
      made.runs = {0, 0};
      return made;
    case Global::encode:
    case Global::bytes:
    case Global::bytearray: {
      made.type = callable.count == static_cast<std::uint32_t>(Global::bytearray) ? Type::bytearray
                                                                                  : Type::bytes;
      made.data = "";
      if (is_empty && callable.count != static_cast<std::uint32_t>(Global::encode)) return made;
      if (count == 1 && (first.type == Type::bytes || first.type == Type::bytearray) &&
          callable.count != static_cast<std::uint32_t>(Global::encode)) {
        made.data = first.data;
        made.size = first.size;
        return made;
      }
      if (count != 2 || first.type != Type::text || given[1].type != Type::text) break;
      const std::string_view coding = tree_.text(given[1]);
      if (coding != "latin-1" && coding != "latin1") break;
      std::string decoded;
      for (std::string_view text = tree_.text(first); !text.empty();) {
        const char32_t code = take_code_point(text).value_or(0x100);
        if (code > 0xFF) fail("a byte is larger than 255");
        decoded.push_back(static_cast<char>(code));
      }
      const std::string_view kept = keep(std::move(decoded));
      made.data = kept.data();
      made.size = kept.size();
      return made;
    }
    case Global::complex:
      if (count != 2 || !is_number(first) || !is_number(given[1])) break;
      made.type = Type::complex;
      made.call = {arguments, none_node};
      return made;
    case Global::timedelta:
      if (count != 3 || tuple.count != 3) break;
      for (const Node& part : given) {
        if (part.type != Type::integer || part.big) fail("a timedelta is not made of ints");
      }
      made.type = Type::timedelta;
      made.call = {arguments, none_node};
      return made;
    case Global::exception:
      break;
  }
  fail("a class of plain data is called with arguments that are not plain");
}

void Tree::Machine::build() {
  const std::uint32_t state = pop();
  if (tree_.nodes_[state].type != Type::dict) fail("an object's state is no dict");
  Node& object = top(Type::exception, "a state", stack_.size());
  object.call.state = state;
}

// Returns false at the end.
bool Tree::Machine::step(unsigned char code) {
  switch (code) {
    case opcode::proto:
      if (const std::uint64_t protocol = take_number(1); protocol > 5) {
        fail("protocol " + std::to_string(protocol) + " is not known, only up to 5");
      }
      break;
    case opcode::frame:
      // Only says how much can be read at once.
      if (take_number(8) > rest_.size()) fail("cut off in a frame");
      break;
    case opcode::stop:
      return false;

    // --- values ---
    case opcode::none:
      push(none_node);
      break;
    case opcode::new_true:
      push(true_node);
      break;
    case opcode::new_false:
      push(false_node);
      break;
    case opcode::int_line:
      if (const std::string_view line = take_line(); line == "00" || line == "01") {
        push(line == "01" ? true_node : false_node);
      } else {
        decimal(line);
      }
      break;
    case opcode::long_line:
      decimal(take_line());
      break;
    case opcode::binint:
      push_int(static_cast<std::int32_t>(take_number(4)));
      break;
    case opcode::binint1:
      push_int(static_cast<std::int64_t>(take_number(1)));
      break;
    case opcode::binint2:
      push_int(static_cast<std::int64_t>(take_number(2)));
      break;
    case opcode::long1:
      push_big(take_sized(1));
      break;
    case opcode::long4:
      push_big(take_sized(4));
      break;
    case opcode::float_line:
      float_line();
      break;
    case opcode::binfloat: {
      const std::string_view bytes = take(8);
      std::uint64_t bits = 0;
      for (const char byte : bytes) bits = bits << 8 | static_cast<unsigned char>(byte);
      Node node;
      node.type = Type::floating;
      node.floating = std::bit_cast<double>(bits);
      push(node);
      break;
    }
    case opcode::string_line:
      string_line();
      break;
    case opcode::binstring:
      push_python2_string(take_sized(4));
      break;
    case opcode::short_binstring:
      push_python2_string(take_sized(1));
      break;
    case opcode::unicode_line:
      unicode_line();
      break;
    case opcode::short_binunicode:
      push_text(take_sized(1));
      break;
    case opcode::binunicode:
      push_text(take_sized(4));
      break;
    case opcode::binunicode8:
      push_text(take_sized(8));
      break;
    case opcode::short_binbytes:
      push_data(Type::bytes, take_sized(1));
      break;
    case opcode::binbytes:
      push_data(Type::bytes, take_sized(4));
      break;
    case opcode::binbytes8:
      push_data(Type::bytes, take_sized(8));
      break;
    case opcode::bytearray8:
      push_data(Type::bytearray, take_sized(8));
      break;

    // --- containers ---
    case opcode::mark:
      marks_.push_back(stack_.size());
      break;
    case opcode::empty_list:
      push_container(Type::list, stack_.size());
      break;
    case opcode::empty_tuple:
      push_container(Type::tuple, stack_.size());
      break;
    case opcode::empty_dict:
      push_container(Type::dict, stack_.size());
      break;
    case opcode::empty_set:
      push_container(Type::set, stack_.size());
      break;
    case opcode::list:
      push_container(Type::list, mark_of_top());
      break;
    case opcode::tuple:
      push_container(Type::tuple, mark_of_top());
      break;
    case opcode::dict:
      push_container(Type::dict, mark_of_top());
      break;
    case opcode::frozenset:
      push_container(Type::frozenset, mark_of_top());
      break;
    case opcode::tuple1:
    case opcode::tuple2:
    case opcode::tuple3: {
      const std::size_t count = code - std::size_t{opcode::tuple1} + 1;
      if (stack_.size() < (marks_.empty() ? 0 : marks_.back()) + count) fail("a value is missing");
      push_container(Type::tuple, stack_.size() - count);
      break;
    }
    case opcode::append: {
      const std::uint32_t part = pop();
      append_parts(top(Type::list, "an element", stack_.size()), std::span(&part, 1));
      break;
    }
    case opcode::appends:
      extend(Type::list, "elements");
      break;
    case opcode::additems:
      extend(Type::set, "elements");
      break;
    case opcode::setitem: {
      const std::uint32_t value = pop();
      const std::uint32_t key = pop();
      append_parts(top(Type::dict, "a key", stack_.size()), std::array{key, value});
      break;
    }
    case opcode::setitems:
      extend(Type::dict, "keys");
      break;

    // --- the stack and the memo ---
    case opcode::pop:
      // Of a mark, too, as Python does.
      if (!marks_.empty() && marks_.back() == stack_.size()) {
        marks_.pop_back();
      } else {
        pop();
      }
      break;
    case opcode::pop_mark:
      stack_.resize(mark_of_top());
      break;
    case opcode::dup: {
      const std::uint32_t node = pop();
      push(node);
      push(node);
      break;
    }
    case opcode::memoize:
      memoize(memo_.size() + scattered_memo_.size());
      break;
    case opcode::put_line:
      memoize(line_number());
      break;
    case opcode::binput:
      memoize(take_number(1));
      break;
    case opcode::long_binput:
      memoize(take_number(4));
      break;
    case opcode::get_line:
      get(line_number());
      break;
    case opcode::binget:
      get(take_number(1));
      break;
    case opcode::long_binget:
      get(take_number(4));
      break;

    // --- classes ---
    case opcode::global_lines: {
      const std::string_view module = take_line();
      global(module, take_line());
      break;
    }
    case opcode::stack_global: {
      const Node name = tree_.nodes_[pop()];
      const Node module = tree_.nodes_[pop()];
      if (name.type != Type::text || module.type != Type::text) fail("a class's name is no str");
      global(tree_.text(module), tree_.text(name));
      break;
    }
    case opcode::reduce:
      reduce();
      break;
    case opcode::build:
      build();
      break;
    case opcode::inst:
    case opcode::obj:
    case opcode::newobj:
    case opcode::newobj_ex:
      fail("an object of a class is not plain data, so it is not read");
    case opcode::ext1:
    case opcode::ext2:
    case opcode::ext4:
      fail("registered extensions are not plain data, so they are not read");
    case opcode::persid:
    case opcode::binpersid:
      fail("persistent ids are not read");
    case opcode::next_buffer:
    case opcode::readonly_buffer:
      fail("buffers outside of the pickle are not read");
    default:
      fail("opcode " + std::to_string(code) + " is not known");
  }
  return true;
}

void Tree::Machine::run() {
  Node node;
  add(node);
  node.type = Type::boolean;
  node.integer = 0;
  add(node);
  node.integer = 1;
  add(node);
  while (step(static_cast<unsigned char>(take(1)[0]))) {
  }
  if (!marks_.empty() || stack_.size() != 1) {
    fail("it ends with " + std::to_string(stack_.size()) + " values and " +
         std::to_string(marks_.size()) + " marks, not one value");
  }
  if (!rest_.empty()) fail("after its end: " + bytes_in_words(rest_.size()) + " more");
  tree_.root_ = stack_.back();
}

}  // namespace tutti::inline TUTTI_ABI::pickle
