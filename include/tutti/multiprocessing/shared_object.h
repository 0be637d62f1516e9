// What all objects that processes share by handles have in common.
#pragma once

#include <cstddef>
#include <string>

#include "tutti/multiprocessing/segment.h"
#include "tutti/threading/named.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// A handle of something that lies in a segment of its own. Copies are the same thing and have the
/// same name; a fork's child has handles as its parent had. What it is given to by name is each
/// process's affair.
class SharedObject : public threading::Named {
 public:
  SharedObject(const SharedObject& other) : Named(), segment_(other.segment_) {
    copy_name_of(other);
  }
  SharedObject& operator=(const SharedObject& other) {
    segment_ = other.segment_;
    copy_name_of(other);
    return *this;
  }

 protected:
  /// In new, zeroed memory.
  SharedObject(std::size_t size, const char* label) : segment_(Segment::make(size, label)) {}
  ~SharedObject() = default;

  template <typename State>
  State& state() const noexcept {
    return *reinterpret_cast<State*>(segment_.data());
  }

  std::size_t memory_size() const noexcept { return segment_.size(); }

  /// For tutti_serialize of the derived: the memory, and the name.
  template <typename Archive>
  void pass(Archive& archive, const char* label) {
    // That of the reader's object, made before; an array's is 0 elements.
    const std::size_t least_size = segment_.size();
    int descriptor = segment_.descriptor();
    std::string name = this->name();
    archive.descriptor(descriptor, label);
    archive(name);
    if constexpr (Archive::is_reading) {
      segment_ = Segment::adopt(descriptor, least_size, label);
      set_name(name);
    }
  }

 private:
  void copy_name_of(const SharedObject& other) {
    if (std::string name = other.name(); !name.empty()) set_name(std::move(name));
  }

  Segment segment_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
