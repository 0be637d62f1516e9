// Which opcode does what.
#include "pickle/machine.h"

#include <array>
#include <bit>

#include "pickle/opcodes.h"
#include "tutti/pickle/bytes.h"

namespace tutti::inline TUTTI_ABI::pickle {

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
