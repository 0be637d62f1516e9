// One call that sends through a Connection.
#pragma once

#include <cstddef>
#include <span>

#include "multiprocessing/connection_state.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::connection {

/// Has the connection to itself, as far as sending goes, for as long as it lives. See Connection
/// for what is thrown.
class Sending {
 public:
  /// Throws OSError when `state` is null, closed or read-only.
  explicit Sending(State* state);

  void send(std::span<const std::byte> message);
  /// The same with copies of `descriptors`, for a Receiving that keeps them.
  void send_with(std::span<const std::byte> message, std::span<const int> descriptors);
  /// Bytes that are no message, with copies of `descriptors`.
  void send_unframed(std::span<const std::byte> bytes, std::span<const int> descriptors);

 private:
  void send_all(std::span<const std::byte> head, std::span<const std::byte> body,
                std::span<const int> descriptors);
  std::size_t write_some(std::span<const std::byte> head, std::span<const std::byte> body,
                         std::span<const int> descriptors, bool has_begun);
  void wait_for_room(bool has_begun);
  void break_off();

  const Use use_;
  State& state_;
  const Turn turn_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::connection
