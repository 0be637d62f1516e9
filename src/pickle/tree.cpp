#include "tutti/pickle/tree.h"

#include <array>
#include <string>

#include "pickle/machine.h"
#include "pickle/repr.h"
#include "tutti/errors.h"
#include "tutti/pickle/bytes.h"

namespace tutti::inline TUTTI_ABI::pickle {

namespace {

// What each part of a container costs: about the memory of the value made of it.
constexpr std::size_t part_cost = 64;
// So much may be spent: for each byte of the pickle, and besides.
constexpr std::size_t allowance_for_byte = 64;
constexpr std::size_t allowance_besides = 1 << 20;

bool has_data(const Node& node) {
  return node.big || node.type == Type::text || node.type == Type::bytes ||
         node.type == Type::bytearray;
}

bool has_parts(Type type) {
  return type == Type::list || type == Type::tuple || type == Type::dict || type == Type::set ||
         type == Type::frozenset;
}

}  // namespace

std::string_view name_of(Type type) {
  constexpr std::array<std::string_view, 16> names = {
      "None",  "bool", "int", "float",     "str",     "bytes",     "bytearray", "list",
      "tuple", "dict", "set", "frozenset", "complex", "timedelta", "exception", "class"};
  return names[static_cast<std::size_t>(type)];
}

Tree::Tree(std::span<const std::byte> pickle)
    : allowance_(allowance_besides + pickle.size() * allowance_for_byte) {
  Machine(*this, pickle).run();
}

Tree::Cursor::Cursor(const Tree& tree, const Node& container) noexcept
    : tree_(tree), left_(container.count), run_(container.runs.first) {}

const Node& Tree::Cursor::next() {
  if (at_ == tree_.runs_[run_].count) {
    run_ = tree_.runs_[run_].next;
    at_ = 0;
  }
  --left_;
  return tree_.nodes_[tree_.parts_[tree_.runs_[run_].begin + at_++]];
}

void Tree::visit(const Node& node, const Place& place) {
  if (place.depth > deepest) throw_deep();
  // Parts are paid for with their container, since memory for all of them is reserved then, and a
  // container that contains itself would have it reserved at each level.
  std::size_t cost = has_data(node) ? node.size : 0;
  if (has_parts(node.type)) cost += node.count * part_cost;
  if (cost > allowance_) {
    allowance_ = 0;
    throw ValueError(
        "pickle refers to the same parts so often that the value would be many times as "
        "large as the pickle");
  }
  allowance_ -= cost;
}

// --- messages ------------------------------------------------------------------------------------

namespace {

std::string described(const Tree& tree, const Tree::Place& place) {
  std::string path;
  for (const Tree::Place* at = &place; at->above != nullptr; at = at->above) {
    std::string step = "[...]";
    if (at->key == nullptr) {
      step = "[" + std::to_string(at->index) + "]";
    } else if (at->key->type == Type::integer && !at->key->big) {
      step = "[" + std::to_string(at->key->integer) + "]";
    } else if (at->key->type == Type::text) {
      step = "[" + repr_of_text(tree.text(*at->key).substr(0, 40)) + "]";
    }
    path.insert(0, step);
    if (path.size() > 400) {
      path.insert(0, "...");
      break;
    }
  }
  return path.empty() ? path : " at " + path;
}

}  // namespace

void Tree::throw_unexpected(std::string_view expected, const Node& found,
                            const Place& place) const {
  throw ValueError("expected " + std::string(expected) + described(*this, place) + ", got " +
                   std::string(name_of(found.type)));
}

void Tree::throw_wrong_count(std::size_t expected, const Node& found, const Place& place) const {
  throw ValueError("expected " + std::to_string(expected) + " elements" + described(*this, place) +
                   ", got " + std::to_string(found.count));
}

void Tree::throw_wrong_size(std::size_t expected, const Node& found, const Place& place) const {
  throw ValueError("expected " + bytes_in_words(expected) + described(*this, place) + ", got " +
                   std::to_string(found.size));
}

void Tree::throw_inexact(const Node&, const Place& place) const {
  throw ValueError("timedelta" + described(*this, place) +
                   " is too long, or finer, for the duration that is read");
}

void Tree::throw_out_of_range(const Node& found, const Place& place) const {
  const std::string number =
      found.big ? "an int of " + bytes_in_words(found.size) : std::to_string(found.integer);
  throw ValueError("int out of range" + described(*this, place) + ": " + number);
}

// --- values --------------------------------------------------------------------------------------

std::int64_t Tree::read_int(const Node& node, const Place& place, std::int64_t lowest,
                            std::int64_t highest) {
  visit(node, place);
  if (node.type != Type::integer) throw_unexpected("int", node, place);
  if (node.big || node.integer < lowest || node.integer > highest) throw_out_of_range(node, place);
  return node.integer;
}

std::uint64_t Tree::read_uint(const Node& node, const Place& place, std::uint64_t highest) {
  visit(node, place);
  if (node.type != Type::integer) throw_unexpected("int", node, place);
  std::uint64_t value = 0;
  if (node.big) {
    // Of the eight bytes and one for the sign that the highest numbers take.
    if (node.size != sizeof value + 1 || node.data[sizeof value] != 0) {
      throw_out_of_range(node, place);
    }
    for (std::size_t i = sizeof value; i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>(node.data[i]);
    }
  } else {
    if (node.integer < 0) throw_out_of_range(node, place);
    value = static_cast<std::uint64_t>(node.integer);
  }
  if (value > highest) throw_out_of_range(node, place);
  return value;
}

bool Tree::read_bool(const Node& node, const Place& place) {
  visit(node, place);
  if (node.type != Type::boolean) throw_unexpected("bool", node, place);
  return node.integer != 0;
}

double Tree::read_float(const Node& node, const Place& place) {
  visit(node, place);
  if (node.type == Type::floating) return node.floating;
  if (node.type != Type::integer) throw_unexpected("float", node, place);
  if (node.big) throw_out_of_range(node, place);
  return static_cast<double>(node.integer);
}

std::string_view Tree::read_text(const Node& node, const Place& place) {
  visit(node, place);
  if (node.type != Type::text && node.type != Type::bytes) throw_unexpected("str", node, place);
  return text(node);
}

std::span<const std::byte> Tree::read_bytes(const Node& node, const Place& place) {
  visit(node, place);
  if (node.type != Type::bytes && node.type != Type::bytearray) {
    throw_unexpected("bytes", node, place);
  }
  return std::as_bytes(std::span(node.data, node.size));
}

std::complex<double> Tree::read_complex(const Node& node, const Place& place) {
  visit(node, place);
  if (node.type != Type::complex) throw_unexpected("complex", node, place);
  Cursor parts(*this, this->node(node.call.arguments));
  const double real = read_float(parts.next(), place);
  return {real, read_float(parts.next(), place)};
}

std::int64_t Tree::read_timedelta(const Node& node, const Place& place) {
  visit(node, place);
  if (node.type != Type::timedelta) throw_unexpected("timedelta", node, place);
  Cursor parts(*this, this->node(node.call.arguments));
  std::int64_t microseconds = 0;
  // Days, seconds of 86400, microseconds.
  for (const std::int64_t unit : {1, 86'400, 1'000'000}) {
    const std::int64_t part = read_int(parts.next(), place, INT64_MIN, INT64_MAX);
    if (__builtin_mul_overflow(microseconds, unit, &microseconds) ||
        __builtin_add_overflow(microseconds, part, &microseconds)) {
      throw_inexact(node, place);
    }
  }
  return microseconds;
}

std::vector<std::byte> Tree::read_bits(const Node& node, const Place& place, std::size_t bits) {
  visit(node, place);
  if (node.type != Type::integer) throw_unexpected("int", node, place);
  std::vector<std::byte> bytes;
  if (node.big) {
    const std::span<const std::byte> all = std::as_bytes(std::span(node.data, node.size));
    bytes.assign(all.begin(), all.end());
  } else {
    for (int i = 0; i < 8; ++i) {
      bytes.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(node.integer) >> 8 * i));
    }
  }
  for (std::size_t i = bits; i < bytes.size() * 8; ++i) {
    if ((bytes[i / 8] & std::byte{1} << static_cast<int>(i % 8)) != std::byte{0}) {
      throw_out_of_range(node, place);
    }
  }
  if (bits >= bytes.size() * 8 && (bytes.back() & std::byte{0x80}) != std::byte{0}) {
    throw_out_of_range(node, place);
  }
  return bytes;
}

}  // namespace tutti::inline TUTTI_ABI::pickle
