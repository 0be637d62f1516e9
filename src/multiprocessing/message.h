// What a process is told that does not share its parent's memory: who it is, and what to call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "platform/descriptor.h"
#include "tutti/multiprocessing/callable.h"
#include "tutti/multiprocessing/start_method.h"
#include "tutti/pickle/packed.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

struct Identity {
  std::vector<std::uint32_t> numbers;
  std::string name;
  std::string authkey;
  bool is_daemon = false;
  std::uint32_t creator = 0;
  std::string creators_name;
  /// In force in the creator.
  StartMethod start_method = StartMethod::fork;
};

struct Message {
  Identity identity;
  /// A Crossing::Entry; without a build for a process that has no target.
  FunctionName entry;
  /// Indices of descriptors, -1 for none: the child's end of its life line, and the process by
  /// which to wait for the creator's end.
  int life_line = -1;
  int creator = -1;
  // What the entry reads follows.
};

/// Descriptors on their way to another process. They stay their owners'.
class Outgoing final : public pickle::Passage {
 public:
  int add_descriptor(int descriptor) override;
  int take_descriptor(int index) override;
  const std::vector<int>& descriptors() const noexcept { return descriptors_; }

 private:
  std::vector<int> descriptors_;
};

/// Descriptors that have come. Those that nobody takes are closed.
class Incoming final : public pickle::Passage {
 public:
  explicit Incoming(std::vector<platform::Descriptor> descriptors) noexcept
      : descriptors_(std::move(descriptors)) {}
  int add_descriptor(int descriptor) override;
  int take_descriptor(int index) override;
  /// None for -1.
  platform::Descriptor take(int index);

 private:
  std::vector<platform::Descriptor> descriptors_;
};

/// `crossing` is null for a process without target.
std::vector<std::byte> write_message(const Message& message, const Crossing* crossing,
                                     Outgoing& outgoing);

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
