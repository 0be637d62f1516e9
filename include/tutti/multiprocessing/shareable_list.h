// multiprocessing::ShareableList: a list of plain values in shared memory.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tutti/multiprocessing/shared_memory.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::shared_memory {

/// Python's None.
using None = std::monostate;
/// What a ShareableList holds: None, bool, int, float, str and bytes.
using ShareableItem =
    std::variant<None, bool, std::int64_t, double, std::string, std::vector<std::byte>>;

/// A list of fixed length in a SharedMemory of its own, in CPython's layout: Python programs attach
/// to it by name, and this one to theirs.
///
///     ShareableList settings({"fast", 42, 0.5, true, None()});
///     settings[1] = 43;
///     auto speed = settings.get<std::string>(0);
///     settings.shm().unlink();                       // in the end
///
/// Items may change their values and types; a text or bytes must fit into the room that its item
/// got at first: 8 bytes, or its length up to the next multiple of 8 (always one byte more at
/// least). Zeros at the end of bytes are lost, as in Python. Items are not guarded: who reads while
/// another one writes may find half of either, so share a Lock with the list. Python counterpart:
/// multiprocessing.shared_memory.ShareableList.
class ShareableList {
 public:
  using Item = ShareableItem;
  class Element;

  /// A new list with these items, in shared memory called `name`, or by a name made up. Throws as
  /// SharedMemory does, and ValueError when a text or bytes are longer than 9,999,991 bytes: the
  /// layout, which is Python's, has no way to say so.
  explicit ShareableList(const std::vector<Item>& sequence,
                         std::optional<std::string> name = std::nullopt);
  /// The list that is in the shared memory called `name`. Throws as SharedMemory does, and
  /// ValueError when there is something else in it.
  static ShareableList attach(std::string name);

  std::size_t size() const noexcept { return size_; }
  /// The item at `position`, which counts from the end when it is negative. Throws IndexError when
  /// there is none, ValueError when what is there is no item.
  Item operator[](std::ptrdiff_t position) const { return item(position); }
  /// The same, to be assigned to.
  Element operator[](std::ptrdiff_t position);
  /// The item as a T, which is one of Item's. Throws TypeError when it is something else.
  template <typename T>
  T get(std::ptrdiff_t position) const {
    Item value = item(position);
    if (T* const found = std::get_if<T>(&value)) return std::move(*found);
    throw_other_type(position);
  }
  /// Throws IndexError when there is no such position, ValueError when a text or bytes are too long
  /// for it; then the item is what it was.
  void set(std::ptrdiff_t position, const Item& value);
  /// All items.
  std::vector<Item> items() const;

  /// How many items are equal to `value`; as in Python, numbers are equal whatever their type, and
  /// true is 1.
  std::size_t count(const Item& value) const;
  /// The position of the first one. Throws ValueError when there is none.
  std::size_t index(const Item& value) const;
  /// How the items are stored, in the words of Python's struct.
  std::string format() const;

  /// The memory: to close, and to unlink in the end.
  const SharedMemory& shm() const noexcept { return memory_; }

 private:
  explicit ShareableList(SharedMemory memory);

  Item item(std::ptrdiff_t position) const;
  std::size_t checked(std::ptrdiff_t position) const;
  [[noreturn]] void throw_other_type(std::ptrdiff_t position) const;

  SharedMemory memory_;
  std::size_t size_ = 0;
};

/// One item of a list, to read and to assign to.
class ShareableList::Element {
 public:
  Element(ShareableList& list, std::ptrdiff_t position) noexcept
      : list_(list), position_(position) {}
  Element(const Element&) = default;

  const Element& operator=(const Item& value) const {
    list_.set(position_, value);
    return *this;
  }
  const Element& operator=(const Element& other) const { return *this = Item(other); }
  operator Item() const { return list_.item(position_); }
  friend bool operator==(const Element& element, const Item& value) {
    return Item(element) == value;
  }

 private:
  ShareableList& list_;
  std::ptrdiff_t position_;
};

inline ShareableList::Element ShareableList::operator[](std::ptrdiff_t position) {
  return {*this, position};
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::shared_memory

namespace tutti::inline TUTTI_ABI::multiprocessing {

using shared_memory::ShareableList;

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
