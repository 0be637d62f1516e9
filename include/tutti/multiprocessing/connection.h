// multiprocessing::Pipe and Connection: messages between processes, in Python's own format.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "tutti/errors.h"
#include "tutti/pickle.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::connection {

/// What goes through a connection besides values.
using Bytes = std::vector<std::byte>;

/// A range that lies in memory as it is, and whose bytes mean the same everywhere. Text counts as
/// text, so that a literal goes without the zero at its end.
template <typename Range>
concept PlainBuffer = std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range> &&
    std::is_trivially_copyable_v<std::ranges::range_value_t<Range>> &&
    !std::convertible_to<Range, std::string_view>;

/// What the copies of a Connection share.
struct State;

/// One end of a pipe or of a stream socket, for whole messages.
///
///     auto [here, there] = multiprocessing::Pipe();
///     multiprocessing::Process child([here, end = there] {
///       here.close();                  // the parent's
///       end.send(std::vector{1, 2, 3});
///     });
///     child.start();
///     there.close();                   // the child has its own
///     auto numbers = here.recv<std::vector<int>>();
///
/// A handle: copies are the same connection, as references are in Python. The descriptor is closed
/// by close(), or with the last copy; it is not inherited over exec. A child made by fork() has its
/// own copy of everything, both ends included, so each process closes the end that is not its own:
/// otherwise nobody ever finds the end of the stream.
///
/// On the wire a message is its length, four bytes with sign and the highest first, and its bytes;
/// longer than 2 GiB - 1, -1 and then eight bytes of length. That is what CPython's Connections
/// send and expect, and values cross as pickles: see tutti/pickle.h. So the other end may be a
/// Python program's.
///
/// Thread-safe: messages of several threads don't mix, each direction is one thread's at a time.
/// Between processes that share one end they may, as with any pipe. Waiting counts as I/O in
/// threads' states, and heeds an interruption of the main thread: a message that was received in
/// part is gone on with by the next call, one that was sent in part ends the sending. Python
/// counterpart: multiprocessing.connection.Connection.
class Connection {
 public:
  /// A closed one.
  Connection() noexcept = default;
  /// Owns `descriptor` from now on. Throws ValueError when it is negative or good for nothing,
  /// OSError when it is not open; then it is still the caller's.
  explicit Connection(int descriptor, bool readable = true, bool writable = true);

  /// Sends a value as one message. What can't cross is an error of the compiler. Throws ValueError
  /// for a value that Python has none for; the rest as send_bytes(). Python counterpart: send.
  template <typename T>
  void send(const T& value) const {
    if constexpr (std::same_as<T, Connection>) {
      send_connection(value);
    } else if constexpr (std::is_convertible_v<const T&, std::string_view> &&
                         !std::same_as<T, std::string>) {
      // A literal is a text, not an array of characters.
      send(std::string(std::string_view(value)));
    } else {
      send_bytes(std::span<const std::byte>(pickle::dumps(value)));
    }
  }

  /// Waits for a message and returns it as a T; of type pickle::Object, which may be any, if none
  /// is given. Throws ValueError when it is no T: the message is gone then, and the connection as
  /// good as before; the rest as recv_bytes(). Python counterpart: recv.
  ///
  /// A Connection can be sent to a process that asks for one by recv<Connection>(), through a
  /// duplex Pipe or another Unix socket; it is open in both then. For others the message is a tuple
  /// of three, without the descriptor.
  template <typename T = pickle::Object>
  T recv() const {
    if constexpr (std::same_as<T, Connection>) {
      return recv_connection();
    } else {
      return pickle::loads<T>(recv_bytes());
    }
  }

  /// Sends the bytes of `buffer` from `offset` on, `size` or all of them, as one message; waits
  /// while the other end does not keep up. Throws BrokenPipeError when nobody can receive it any
  /// more, OSError when the connection is closed or read-only, ValueError for a part that is not in
  /// the buffer, KeyboardInterrupt in an interrupted main thread.
  void send_bytes(std::span<const std::byte> buffer, std::ptrdiff_t offset = 0,
                  std::optional<std::ptrdiff_t> size = std::nullopt) const;
  /// The same for the characters of a text.
  void send_bytes(std::string_view text, std::ptrdiff_t offset = 0,
                  std::optional<std::ptrdiff_t> size = std::nullopt) const {
    send_bytes(std::as_bytes(std::span(text)), offset, size);
  }
  /// The same for other ranges of plain values; `offset` and `size` are in bytes.
  template <PlainBuffer Buffer>
  void send_bytes(const Buffer& buffer, std::ptrdiff_t offset = 0,
                  std::optional<std::ptrdiff_t> size = std::nullopt) const {
    send_bytes(std::as_bytes(std::span(std::ranges::data(buffer), std::ranges::size(buffer))),
               offset, size);
  }

  /// Waits for a message and returns its bytes. One that is longer than `maxlength` is refused with
  /// OSError before any memory is taken for it, and the connection can't be read from any more.
  /// Without a limit memory is taken as bytes arrive, whatever length was announced. Throws
  /// EOFError when the other end is closed everywhere, also in the middle of a message; OSError
  /// when the connection is closed or write-only, or what came is no message; ValueError for a
  /// negative `maxlength`; KeyboardInterrupt in an interrupted main thread.
  Bytes recv_bytes(std::optional<std::ptrdiff_t> maxlength = std::nullopt) const;

  /// Waits for a message, writes it to `buffer` from `offset` on and returns its size. Throws
  /// BufferTooShort, which holds the message, when it does not fit; ValueError when `offset` is not
  /// in the buffer; the rest as recv_bytes().
  std::size_t recv_bytes_into(std::span<std::byte> buffer, std::ptrdiff_t offset = 0) const;
  /// The same for other ranges of plain values; `offset` and the result are in bytes.
  template <PlainBuffer Buffer>
  requires(!std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<Buffer>>>)
      std::size_t recv_bytes_into(Buffer&& buffer, std::ptrdiff_t offset = 0)
  const {
    return recv_bytes_into(
        std::as_writable_bytes(std::span(std::ranges::data(buffer), std::ranges::size(buffer))),
        offset);
  }

  /// Waits until something can be received, for `timeout`, which by default is none; false when it
  /// passed first. The end of the stream counts as something. Throws OSError when the connection is
  /// closed or write-only, KeyboardInterrupt in an interrupted main thread.
  bool poll(Timeout timeout = 0) const;

  /// The descriptor, which stays the connection's. Throws OSError when it is closed.
  int fileno() const;
  /// Gives the descriptor away; all copies are closed from now on. Throws OSError when it is
  /// closed, or in use by another thread.
  int detach() const;
  /// Closes it, for all copies in this process. Threads that are in the middle of a call keep the
  /// descriptor until they come back. Closing twice does nothing.
  void close() const noexcept;
  bool closed() const noexcept;
  bool readable() const noexcept;
  bool writable() const noexcept;

  /// To pass it to a spawned process.
  template <typename Archive>
  friend void tutti_serialize(Archive& archive, Connection& connection) {
    bool can_receive = connection.readable();
    bool can_send = connection.writable();
    archive(can_receive, can_send);
    int descriptor = Archive::is_reading ? -1 : connection.fileno();
    archive.descriptor(descriptor, "Connection");
    if constexpr (Archive::is_reading) connection = taken_over(descriptor, can_receive, can_send);
  }
  /// Null for one that was made closed.
  State* state() const noexcept { return state_.get(); }
  /// Whether they are copies of one.
  friend bool operator==(const Connection&, const Connection&) noexcept = default;

 private:
  void send_connection(const Connection& connection) const;
  Connection recv_connection() const;
  // Closes the descriptor if it is good for nothing.
  static Connection taken_over(int descriptor, bool readable, bool writable);

  std::shared_ptr<State> state_;
};

/// Two connections to each other. With `duplex` each can send and receive (a pair of Unix sockets);
/// else the first can only receive, and the second only send (a pipe). Throws OSError when the
/// system refuses, as it does when too many descriptors are open. Python counterpart:
/// multiprocessing.Pipe.
std::pair<Connection, Connection> Pipe(bool duplex = true);

// --- waiting for several -------------------------------------------------------------------------

/// Something with a descriptor that can be waited for: a Connection, a socket, a process's
/// sentinel.
class Waitable {
 public:
  Waitable(int descriptor) noexcept : descriptor_(descriptor) {}
  template <typename Object>
  requires requires(const Object& object) {
    { object.fileno() } -> std::convertible_to<int>;
  }
  Waitable(const Object& object) : descriptor_(object.fileno()) {}

  int fileno() const noexcept { return descriptor_; }
  friend bool operator==(const Waitable&, const Waitable&) noexcept = default;

 private:
  int descriptor_;
};

/// Whether each of `objects` is ready; none is when `timeout` has passed.
std::vector<bool> ready_among(std::span<const Waitable> objects, Timeout timeout);

/// Waits until at least one of `objects` is ready: a message or the end of the stream for a
/// connection, data or its end for a socket, the end of the process for a sentinel. Returns those
/// that are, in the order given; none when `timeout` passed first, or when there are none to wait
/// for. Throws OSError when one of them is closed, KeyboardInterrupt in an interrupted main thread.
/// Thread-safe. Python counterpart: multiprocessing.connection.wait.
template <std::convertible_to<Waitable> Object>
std::vector<Object> wait(const std::vector<Object>& objects, Timeout timeout = forever) {
  const std::vector<Waitable> all(objects.begin(), objects.end());
  const std::vector<bool> is_ready = ready_among(all, timeout);
  std::vector<Object> ready;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (is_ready[i]) ready.push_back(objects[i]);
  }
  return ready;
}
/// The same for objects of several kinds.
inline std::vector<Waitable> wait(std::initializer_list<Waitable> objects,
                                  Timeout timeout = forever) {
  return wait(std::vector<Waitable>(objects), timeout);
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::connection

namespace tutti::inline TUTTI_ABI::multiprocessing {

using connection::Connection;
using connection::Pipe;

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
