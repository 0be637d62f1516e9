// One call that receives from a Connection.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "multiprocessing/connection_state.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::connection {

/// Has the connection to itself, as far as receiving goes, for as long as it lives. See Connection
/// for what is thrown.
class Receiving {
 public:
  /// Throws OSError when `state` is null, closed or write-only.
  explicit Receiving(State* state);
  /// The same; descriptors that come along are kept in `arrived`, whose owner they are then.
  Receiving(State* state, std::vector<int>& arrived);

  Bytes receive(std::optional<std::size_t> longest = std::nullopt);
  std::size_t receive_into(std::span<std::byte> buffer);
  /// Bytes that are no message.
  void receive_unframed(std::span<std::byte> bytes);

 private:
  void receive_length(std::optional<std::size_t> longest);
  void receive_header(std::size_t size);
  void keep(std::span<const std::byte> begun) noexcept;
  void stop() noexcept;
  [[noreturn]] void refuse(std::string_view why);
  std::size_t read_some(std::span<std::byte> room);
  platform::Transfer read_now(std::span<std::byte> room);
  [[noreturn]] void throw_end();

  const Use use_;
  State& state_;
  const Turn turn_;
  std::vector<int>* arrived_ = nullptr;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::connection
