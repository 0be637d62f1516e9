// What a pickle says, before it becomes a value of any type.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::pickle {

/// Python's types that can be read.
enum class Type : std::uint8_t {
  none,
  boolean,
  integer,
  floating,
  text,
  bytes,
  bytearray,
  list,
  tuple,
  dict,
  set,
  frozenset,
  complex,
  timedelta,
  exception,
  /// A class or function by itself, which is no value here.
  global,
};

/// Python's name: "int".
std::string_view name_of(Type type);

/// One value of a Tree.
struct Node {
  /// Of a container: its parts lie in these runs.
  struct Runs {
    std::uint32_t first;
    std::uint32_t last;
  };
  /// Of what is made by calling a class: the tuple of arguments, and of an exception, the dict of
  /// its attributes; 0 if it has none.
  struct Call {
    std::uint32_t arguments;
    std::uint32_t state;
  };

  /// An int of more than 64 bits, as its bytes: two's complement, the lowest first.
  bool big = false;
  Type type = Type::none;
  /// Of a container, its parts: of a dict, keys and values. Of an exception, its class; of a
  /// global, which one.
  std::uint32_t count = 0;
  union {
    /// Also of bool.
    std::int64_t integer = 0;
    double floating;
    /// Of text, bytes, bytearray and big ints: in the pickle, or kept by the tree.
    const char* data;
    Runs runs;
    Call call;
  };
  std::size_t size = 0;
};

/// A pickle taken apart: nodes, of which one may be part of several. Reads the opcodes of protocols
/// 0 to 5 that plain data needs; of classes and functions only Python's own exceptions and types of
/// data, which it knows by name and never runs.
///
/// Takes no more memory than a small multiple of the pickle's size. Parts that occur often cost as
/// much each time they are visited, and that is limited as well, as is depth, so that a small
/// pickle can't become a large value.
class Tree {
 public:
  /// `pickle` outlives the tree. Throws ValueError when it is damaged, or has what is not plain
  /// data.
  explicit Tree(std::span<const std::byte> pickle);

  const Node& root() const { return nodes_[root_]; }

  /// Where a value is in the whole, for messages; on the stack, while its parts are visited.
  struct Place {
    const Place* above = nullptr;
    /// The key in a dict; if null, the index in a sequence.
    const Node* key = nullptr;
    std::size_t index = 0;
    std::size_t depth = 0;
  };

  /// Goes over the parts of a container.
  class Cursor {
   public:
    Cursor(const Tree& tree, const Node& container) noexcept;
    bool at_end() const noexcept { return left_ == 0; }
    const Node& next();

   private:
    const Tree& tree_;
    std::size_t left_;
    std::uint32_t run_;
    std::uint32_t at_ = 0;
  };

  std::string_view text(const Node& node) const { return {node.data, node.size}; }
  const Node& node(std::uint32_t index) const { return nodes_[index]; }

  // --- for those who make values of it: each visit counts
  // -----------------------------------------
  /// To be called when a value is made of `node`. Throws ValueError when that has happened too
  /// often, or too deep.
  void visit(const Node& node, const Place& place);
  /// Whether visits are used up: then nothing else will do either.
  bool is_exhausted() const noexcept { return allowance_ == 0; }

  [[noreturn]] void throw_unexpected(std::string_view expected, const Node& found,
                                     const Place& place) const;
  [[noreturn]] void throw_wrong_count(std::size_t expected, const Node& found,
                                      const Place& place) const;
  /// Of bytes.
  [[noreturn]] void throw_wrong_size(std::size_t expected, const Node& found,
                                     const Place& place) const;
  [[noreturn]] void throw_out_of_range(const Node& found, const Place& place) const;
  /// Of a timedelta that is no whole number of what is wanted, or too long.
  [[noreturn]] void throw_inexact(const Node& found, const Place& place) const;

  std::int64_t read_int(const Node& node, const Place& place, std::int64_t lowest,
                        std::int64_t highest);
  std::uint64_t read_uint(const Node& node, const Place& place, std::uint64_t highest);
  bool read_bool(const Node& node, const Place& place);
  /// An int will do.
  double read_float(const Node& node, const Place& place);
  /// Of a str or bytes.
  std::string_view read_text(const Node& node, const Place& place);
  /// Of bytes or bytearray.
  std::span<const std::byte> read_bytes(const Node& node, const Place& place);
  std::complex<double> read_complex(const Node& node, const Place& place);
  /// Of a timedelta, in microseconds.
  std::int64_t read_timedelta(const Node& node, const Place& place);
  /// Of an int from 0 up to so many bits, its bytes, the lowest first.
  std::vector<std::byte> read_bits(const Node& node, const Place& place, std::size_t bits);
  /// Of an exception, with its causes; null for None.
  std::exception_ptr read_exception(const Node& node, const Place& place);

 private:
  class Machine;
  struct Run {
    std::uint32_t begin;
    std::uint32_t count;
    std::uint32_t next;
  };

  std::vector<Node> nodes_;
  std::vector<Run> runs_;
  std::vector<std::uint32_t> parts_;
  std::deque<std::string> texts_;
  std::uint32_t root_ = 0;
  std::size_t allowance_;
};

}  // namespace tutti::inline TUTTI_ABI::pickle
