// Classes and functions that a pickle names, and what comes of calling them: plain data, or
// nothing.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "pickle/globals.h"
#include "pickle/machine.h"
#include "pickle/utf8.h"

namespace tutti::inline TUTTI_ABI::pickle {

namespace {

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

}  // namespace

void Tree::Machine::global(std::string_view module, std::string_view name) {
  const std::optional<std::uint32_t> known = find_global({module, name});
  if (!known) fail(quoted({module, name}) + " is not plain data, so it is not read");
  Node node;
  node.type = Type::global;
  node.count = *known;
  push(node);
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

}  // namespace tutti::inline TUTTI_ABI::pickle
