// The machine that runs a pickle's opcodes and builds a tree of what they leave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tutti/pickle/tree.h"

namespace tutti::inline TUTTI_ABI::pickle {

/// A stack of node indices, marks in it, and the memo. Nothing it reads is trusted: each pop looks
/// whether there is something above the last mark, each size is held against the bytes left.
class Tree::Machine {
 public:
  Machine(Tree& tree, std::span<const std::byte> pickle) noexcept
      : tree_(tree),
        all_(pickle),
        rest_(reinterpret_cast<const char*>(pickle.data()), pickle.size()) {}

  void run();

 private:
  // Nodes that every tree has, so that these most common values cost nothing.
  static constexpr std::uint32_t none_node = 0;
  static constexpr std::uint32_t false_node = 1;
  static constexpr std::uint32_t true_node = 2;

  // --- the pickle (machine_stack.cpp) ---
  std::string_view take(std::uint64_t size);
  std::string_view take_line();
  std::uint64_t take_number(std::size_t size);
  std::string_view take_sized(std::size_t size_of_size) { return take(take_number(size_of_size)); }
  [[noreturn]] void fail(const std::string& what) const;

  // --- the stack ---
  void push(std::uint32_t node) { stack_.push_back(node); }
  void push(const Node& node) { push(add(node)); }
  std::uint32_t pop();
  // The container below `end`, to which a part is `given`.
  Node& top(Type type, const char* given, std::size_t end);
  std::size_t mark_of_top();
  void push_text(std::string_view text);
  void push_python2_string(std::string_view text);
  void push_data(Type type, std::string_view data);
  void push_int(std::int64_t value);
  void push_big(std::string_view bytes);

  // --- nodes ---
  std::uint32_t add(const Node& node);
  std::string_view keep(std::string text);
  void append_parts(Node& container, std::span<const std::uint32_t> parts);
  void push_container(Type type, std::size_t begin);
  void extend(Type type, const char* given);

  // --- opcodes ---
  bool step(unsigned char code);
  void memoize(std::uint64_t index);
  void get(std::uint64_t index);

  // --- lines of text (machine_lines.cpp) ---
  void decimal(std::string_view digits);
  void float_line();
  void string_line();
  void unicode_line();
  std::uint64_t line_number();

  // --- classes (machine_calls.cpp) ---
  void global(std::string_view module, std::string_view name);
  void reduce();
  Node reduced(const Node& callable, std::uint32_t arguments);
  std::vector<std::uint32_t> parts_of(const Node& container) const;
  void build();

  Tree& tree_;
  std::span<const std::byte> all_;
  std::string_view rest_;
  std::vector<std::uint32_t> stack_;
  std::vector<std::size_t> marks_;
  // Python numbers from 0 on; other numbers are possible. Those are no hash table's keys, for
  // whoever has sent them can choose all so that they collide.
  std::vector<std::uint32_t> memo_;
  std::map<std::uint64_t, std::uint32_t> scattered_memo_;
};

}  // namespace tutti::inline TUTTI_ABI::pickle
