// Pipes, sockets and waiting for descriptors.
//
// Reading and writing never blocks here: whoever has to wait does so by poll_until(), where the
// runtime knows of it. That holds for descriptors in blocking mode too, which others may share.
// Each function handles EINTR itself; errors come back as errno values, 0 for none.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "platform/descriptor.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::platform {

/// What is written to the second can be read from the first.
DescriptorPair make_pipe() noexcept;
/// Two ends of a stream that goes both ways.
DescriptorPair make_socket_pair() noexcept;

/// What a descriptor is, as far as reading and writing differ.
enum class Stream : std::uint8_t { socket, other };
Stream stream_of(int descriptor) noexcept;
/// 0, or EBADF.
int check_descriptor(int descriptor) noexcept;

struct Transfer {
  /// How many bytes were moved; 0 of a read without an error is the end of the stream.
  std::size_t size = 0;
  /// EAGAIN when nothing could be moved without waiting.
  int error = 0;
};
Transfer read_now(Stream stream, int descriptor, std::span<std::byte> room) noexcept;
/// Writes `head` and what of `body` fits after it. EPIPE when nobody can read it any more, and no
/// signal.
Transfer write_now(Stream stream, int descriptor, std::span<const std::byte> head,
                   std::span<const std::byte> body) noexcept;

/// The most descriptors that go with one write.
inline constexpr std::size_t most_passed = 253;
/// The same over a Unix socket, with copies of open descriptors that come with the first byte.
Transfer write_now_with(int socket, std::span<const std::byte> head,
                        std::span<const std::byte> body, std::span<const int> descriptors) noexcept;
struct TransferWith : Transfer {
  /// How many were written to `descriptors`.
  std::size_t received = 0;
};
/// Descriptors that there is no room for are closed.
TransferWith read_now_with(int socket, std::span<std::byte> room,
                           std::span<int> descriptors) noexcept;

/// The other end finds the end of the stream when it has read what is there.
void end_writing(int socket) noexcept;

/// A descriptor, `events` to wait for, and in `revents` those that have come.
using Watched = pollfd;
inline constexpr short can_read = POLLIN;
inline constexpr short can_write = POLLOUT;
inline constexpr short is_no_descriptor = POLLNVAL;
/// Waits until at least one of them is ready or broken, or until `deadline`. 0, ETIMEDOUT, or the
/// error.
int poll_until(std::span<Watched> watched, std::int64_t deadline) noexcept;

/// False if nothing could be read from it by the deadline.
bool wait_until_readable(int descriptor, std::int64_t deadline) noexcept;

/// A descriptor that can be read from as soon as it was rung once; negative when there is none
/// left.
int make_bell() noexcept;
/// Async-signal-safe.
void ring(int bell) noexcept;

}  // namespace tutti::inline TUTTI_ABI::platform
