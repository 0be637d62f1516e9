// A list that runs through its members.
#pragma once

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// Needs no memory of its own, and any member can be taken out at once. A Node has `Node* next` and
/// `Node* previous`, null before it comes in, and is in one chain at a time. Whoever uses it has a
/// guard.
template <typename Node>
class Chain {
 public:
  bool is_empty() const noexcept { return first_ == nullptr; }
  /// Null if it is empty. The others follow by `next`.
  Node* first() const noexcept { return first_; }

  void push_back(Node& node) noexcept {
    node.next = nullptr;
    node.previous = last_;
    (last_ == nullptr ? first_ : last_->next) = &node;
    last_ = &node;
  }
  void push_front(Node& node) noexcept {
    node.previous = nullptr;
    node.next = first_;
    (first_ == nullptr ? last_ : first_->previous) = &node;
    first_ = &node;
  }
  void remove(Node& node) noexcept {
    (node.previous == nullptr ? first_ : node.previous->next) = node.next;
    (node.next == nullptr ? last_ : node.next->previous) = node.previous;
    node.next = node.previous = nullptr;
  }

 private:
  Node* first_ = nullptr;
  Node* last_ = nullptr;
};

}  // namespace tutti::inline TUTTI_ABI::runtime
