#include "tutti/multiprocessing/connection.h"

#include <cerrno>
#include <string>
#include <tuple>

#include "multiprocessing/passing.h"
#include "multiprocessing/receiving.h"
#include "multiprocessing/sending.h"
#include "runtime/describe.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::connection {

namespace {

void check_value(bool is_good, const char* complaint) {
  if (!is_good) throw ValueError(complaint + runtime::in_calling_thread());
}

}  // namespace

// --- Connection ----------------------------------------------------------------------------------

Connection::Connection(int descriptor, bool readable, bool writable) {
  check_value(descriptor >= 0, "invalid handle: a descriptor is not negative");
  check_value(readable || writable, "at least one of readable and writable must be true");
  if (const int error = platform::check_descriptor(descriptor); error != 0) {
    throw OSError(refusal("make", descriptor, reason_of(error)), error);
  }
  state_ = std::make_shared<State>(descriptor, platform::stream_of(descriptor), readable, writable);
}

Connection Connection::taken_over(int descriptor, bool readable, bool writable) try {
  return Connection(descriptor, readable, writable);
} catch (...) {
  platform::close_descriptor(descriptor);
  throw;
}

void Connection::send_bytes(std::span<const std::byte> buffer, std::ptrdiff_t offset,
                            std::optional<std::ptrdiff_t> size) const {
  const auto length = static_cast<std::ptrdiff_t>(buffer.size());
  check_value(offset >= 0, "offset is negative");
  check_value(offset <= length, "buffer length < offset");
  check_value(!size || *size >= 0, "size is negative");
  check_value(!size || *size <= length - offset, "buffer length < offset + size");
  Sending(state()).send(buffer.subspan(static_cast<std::size_t>(offset),
                                       static_cast<std::size_t>(size.value_or(length - offset))));
}

Bytes Connection::recv_bytes(std::optional<std::ptrdiff_t> maxlength) const {
  check_value(!maxlength || *maxlength >= 0, "negative maxlength");
  std::optional<std::size_t> longest;
  if (maxlength) longest = static_cast<std::size_t>(*maxlength);
  return Receiving(state()).receive(longest);
}

std::size_t Connection::recv_bytes_into(std::span<std::byte> buffer, std::ptrdiff_t offset) const {
  check_value(offset >= 0, "negative offset");
  check_value(static_cast<std::size_t>(offset) <= buffer.size(), "offset too large");
  return Receiving(state()).receive_into(buffer.subspan(static_cast<std::size_t>(offset)));
}

// --- connections as messages ---------------------------------------------------------------------

namespace {

// Its mark, and whether it can receive and send.
using ConnectionMessage = std::tuple<std::string, bool, bool>;
constexpr const char* mark = "tutti.Connection";

}  // namespace

void Connection::send_connection(const Connection& connection) const {
  // Nobody closes it before it has been sent.
  const Use use(connection.state(), "send");
  const int descriptor = connection.state()->descriptor;
  const ConnectionMessage message(mark, connection.readable(), connection.writable());
  Sending(state()).send_with(pickle::dumps(message), {&descriptor, 1});
}

Connection Connection::recv_connection() const {
  Arrived arrived;
  const Bytes bytes = Receiving(state(), arrived.descriptors).receive();
  const auto [found, can_receive, can_send] = pickle::loads<ConnectionMessage>(bytes);
  if (found != mark || arrived.descriptors.size() != 1) {
    throw ValueError("the message is no Connection, or its descriptor was lost on the way" +
                     runtime::in_calling_thread());
  }
  return taken_over(arrived.take(), can_receive, can_send);
}

// --- waiting and the end -------------------------------------------------------------------------

bool Connection::poll(Timeout timeout) const {
  const Use use(state_.get(), "poll");
  if (!state_->readable.load(platform::relaxed)) {
    throw OSError(refusal("poll", state_->descriptor, "connection is write-only"));
  }
  const Waitable self(state_->descriptor);
  return ready_among({&self, 1}, timeout).front();
}

int Connection::fileno() const {
  if (closed()) throw_closed("ask for the descriptor of");
  return state_->descriptor;
}

int Connection::detach() const {
  std::uint32_t unused = 0;
  if (closed()) throw_closed("detach");
  if (!state_->uses.compare_exchange_strong(unused, State::closed_bit, platform::acq_rel,
                                            platform::relaxed)) {
    throw OSError(refusal("detach", state_->descriptor, "another thread uses it"), EBUSY);
  }
  return state_->descriptor;
}

void Connection::close() const noexcept {
  if (state_ != nullptr) state_->close();
}

bool Connection::closed() const noexcept {
  return state_ == nullptr || state_->is_closed();
}

bool Connection::readable() const noexcept {
  return state_ != nullptr && state_->readable.load(platform::relaxed);
}

bool Connection::writable() const noexcept {
  return state_ != nullptr && state_->writable.load(platform::relaxed);
}

// --- Pipe, wait ----------------------------------------------------------------------------------

std::pair<Connection, Connection> Pipe(bool duplex) {
  const platform::DescriptorPair ends =
      duplex ? platform::make_socket_pair() : platform::make_pipe();
  if (ends.error != 0) {
    throw OSError("can't make a Pipe: " + reason_of(ends.error) + runtime::in_calling_thread(),
                  ends.error);
  }
  return {Connection(ends.first, true, duplex), Connection(ends.second, duplex, true)};
}

std::vector<bool> ready_among(std::span<const Waitable> objects, Timeout timeout) {
  std::vector<bool> ready(objects.size(), false);
  if (objects.empty()) return ready;
  std::vector<platform::Watched> watched;
  watched.reserve(objects.size());
  for (const Waitable& object : objects) {
    watched.push_back({object.fileno(), platform::can_read, 0});
  }
  const std::int64_t deadline = timeout.deadline();
  const auto is_one_ready = [&] { return platform::poll_until(watched, 0) == 0; };
  if (!is_one_ready() && (deadline <= platform::now() || !wait_for(watched, deadline))) {
    return ready;
  }
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if ((watched[i].revents & platform::is_no_descriptor) != 0) {
      throw OSError("can't wait for descriptor " + std::to_string(watched[i].fd) +
                        ": it is not open" + runtime::in_calling_thread(),
                    EBADF);
    }
    ready[i] = watched[i].revents != 0;
  }
  return ready;
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::connection
