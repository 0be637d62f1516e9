#include "tutti/multiprocessing/connection.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>

#include "runtime/describe.h"
#include "runtime/descriptor_wait.h"
#include "runtime/spin.h"
#include "tutti/sync/lock_cell.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::connection {

namespace {

using platform::Stream;
using platform::Transfer;

// --- the wire ------------------------------------------------------------------------------------

constexpr std::size_t short_header = 4;
constexpr std::size_t long_header = 12;
constexpr std::uint64_t longest_of_short = 0x7fffffff;
constexpr std::uint32_t long_follows = 0xffffffff;

template <typename Number>
void write_big_endian(std::byte* to, Number number) {
  for (std::size_t i = sizeof number; i-- > 0; number = static_cast<Number>(number >> 8)) {
    to[i] = static_cast<std::byte>(number & 0xff);
  }
}

template <typename Number>
Number read_big_endian(const std::byte* from) {
  Number number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) {
    number = static_cast<Number>(number << 8 | static_cast<Number>(from[i]));
  }
  return number;
}

struct Header {
  std::array<std::byte, long_header> bytes;
  std::size_t size;
};

Header header_for(std::uint64_t length) {
  Header header;
  if (length <= longest_of_short) {
    write_big_endian(header.bytes.data(), static_cast<std::uint32_t>(length));
    header.size = short_header;
  } else {
    write_big_endian(header.bytes.data(), long_follows);
    write_big_endian(header.bytes.data() + short_header, length);
    header.size = long_header;
  }
  return header;
}

// Memory for a message is taken in such steps, doubled: a length alone is no reason to believe in
// so many bytes.
constexpr std::size_t first_room = std::size_t{1} << 20;

std::size_t next_room(std::size_t taken, std::uint64_t wanted) {
  const std::uint64_t more = std::max<std::uint64_t>(first_room, std::uint64_t{taken} * 2);
  return static_cast<std::size_t>(std::min(more, wanted));
}

// A message that has come in part.
struct Incoming {
  // A fork's child has a copy; the message is its parent's.
  std::uint32_t process = platform::process_id();
  std::array<std::byte, long_header> header{};
  std::size_t header_got = 0;
  bool has_length = false;
  std::uint64_t length = 0;
  Bytes body;
  std::size_t body_got = 0;

  bool has_begun() const { return header_got > 0; }
};

// --- errors --------------------------------------------------------------------------------------

std::string reason_of(int error) {
  return std::strerror(error);
}

std::string about(int descriptor) {
  return "Connection of descriptor " + std::to_string(descriptor);
}

// "can't receive from Connection of descriptor 5: …"
std::string refusal(std::string_view what, int descriptor, std::string_view why) {
  std::string text = "can't ";
  text.append(what).append(" ").append(about(descriptor)).append(": ").append(why);
  return text + runtime::in_calling_thread();
}

[[noreturn]] void throw_closed(const char* what) {
  throw OSError(std::string("can't ") + what + " a Connection: handle is closed" +
                    runtime::in_calling_thread(),
                EBADF);
}

void check_value(bool is_good, const char* complaint) {
  if (!is_good) throw ValueError(complaint + runtime::in_calling_thread());
}

// --- waiting -------------------------------------------------------------------------------------

// Waits for `watched`; false when `deadline` passed first.
bool wait_for(std::span<platform::Watched> watched, std::int64_t deadline) {
  runtime::Self& self = runtime::self();
  const runtime::DescriptorWait wait = runtime::wait_for_descriptors(self, watched, deadline);
  runtime::stop_or_throw(self, wait.ended);
  if (wait.error != 0) {
    throw OSError("can't wait for descriptors: " + reason_of(wait.error) +
                      runtime::in_calling_thread(),
                  wait.error);
  }
  return wait.ended != runtime::Ended::timed_out;
}

// One thread's turn with one direction of a connection.
class Turn {
 public:
  explicit Turn(sync::LockCell& cell) : cell_(cell) {
    // A thread that was in the middle of its own turn when this process was forked off.
    const std::uint32_t owner = cell.owner();
    if (owner != 0 && runtime::vanished_in_fork(owner)) cell.release_for_dead(owner);
    cell.acquire(runtime::WaitKind::lock);
  }
  ~Turn() { cell_.release(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  sync::LockCell& cell_;
};

}  // namespace

// --- the handle ----------------------------------------------------------------------------------

struct Connection::State {
  State(int owned, Stream kind, bool can_receive, bool can_send)
      : descriptor(owned), stream(kind), readable(can_receive), writable(can_send) {}
  ~State() { close(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  const int descriptor;
  const Stream stream;
  platform::atomic<bool> readable;
  platform::atomic<bool> writable;

  // How many calls use the descriptor, and whether it is closed: then nobody begins to use it, and
  // the last of those who still do closes it, or close() itself.
  static constexpr std::uint32_t closed_bit = std::uint32_t{1} << 31;
  platform::atomic<std::uint32_t> uses{0};

  sync::LockCell receiving;
  sync::LockCell sending;
  // Under `receiving`.
  Incoming incoming;

  bool is_closed() const noexcept { return (uses.load(platform::relaxed) & closed_bit) != 0; }

  void close() noexcept {
    // acq_rel, here and in end_use(): what others did with the descriptor comes before its end.
    if (uses.fetch_or(closed_bit, platform::acq_rel) == 0) platform::close_descriptor(descriptor);
  }
  bool begin_use() noexcept {
    std::uint32_t known = uses.load(platform::relaxed);
    do {
      if ((known & closed_bit) != 0) return false;
    } while (!uses.compare_exchange_weak(known, known + 1, platform::acquire, platform::relaxed));
    return true;
  }
  void end_use() noexcept {
    if (uses.fetch_sub(1, platform::acq_rel) == (closed_bit | 1)) {
      platform::close_descriptor(descriptor);
    }
  }
};

namespace {

// For as long as this lives the descriptor is the connection's.
template <typename State>
class Use {
 public:
  Use(State* state, const char* what) : state_(state) {
    if (state == nullptr || !state->begin_use()) throw_closed(what);
  }
  ~Use() { state_->end_use(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  State* state_;
};

}  // namespace

// --- receiving -----------------------------------------------------------------------------------

class Connection::Receiving {
 public:
  explicit Receiving(State* state) : use_(state, what), state_(*checked(state)), turn_(state->receiving) {
    // It may have become unreadable while another thread had its turn.
    checked(state);
    if (incoming().process != platform::process_id()) incoming() = {};
  }

  Bytes receive(std::optional<std::size_t> longest) {
    receive_length(longest);
    Incoming& message = incoming();
    while (message.body_got < message.length) {
      if (message.body_got == message.body.size()) {
        message.body.resize(next_room(message.body_got, message.length));
      }
      message.body_got += read_some(std::span(message.body).subspan(message.body_got));
    }
    Bytes body = std::move(message.body);
    incoming() = {};
    return body;
  }

  std::size_t receive_into(std::span<std::byte> buffer) {
    receive_length(std::nullopt);
    Incoming& message = incoming();
    if (message.length > buffer.size()) {
      const std::string complaint = refusal(
          what, state_.descriptor,
          "the message has " + std::to_string(message.length) + " bytes, and the buffer room for " +
              std::to_string(buffer.size()));
      throw BufferTooShort(complaint, receive(std::nullopt));
    }
    const auto length = static_cast<std::size_t>(message.length);
    std::copy_n(message.body.begin(), message.body_got, buffer.begin());
    try {
      while (message.body_got < length) {
        message.body_got += read_some(buffer.first(length).subspan(message.body_got));
      }
    } catch (const KeyboardInterrupt&) {
      message.body.assign(buffer.begin(),
                          buffer.begin() + static_cast<std::ptrdiff_t>(message.body_got));
      throw;
    }
    incoming() = {};
    return length;
  }

 private:
  static constexpr const char* what = "receive from";

  static State* checked(State* state) {
    if (!state->readable.load(platform::relaxed)) {
      throw OSError(refusal(what, state->descriptor, "connection is write-only"));
    }
    return state;
  }

  Incoming& incoming() { return state_.incoming; }

  // Until the message's length is known, and allowed.
  void receive_length(std::optional<std::size_t> longest) {
    Incoming& message = incoming();
    if (!message.has_length) {
      receive_header(short_header);
      const auto first = read_big_endian<std::uint32_t>(message.header.data());
      message.length = first;
      if (first == long_follows) {
        receive_header(long_header);
        message.length = read_big_endian<std::uint64_t>(message.header.data() + short_header);
      } else if (first > longest_of_short) {
        refuse("the length that it announces is negative");
      }
      constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::ptrdiff_t>::max());
      if (message.length > most) refuse("the length that it announces is no size in memory");
      message.has_length = true;
    }
    if (longest && message.length > *longest) {
      refuse("it has " + std::to_string(message.length) + " bytes, and the most allowed are " +
             std::to_string(*longest));
    }
  }

  void receive_header(std::size_t size) {
    Incoming& message = incoming();
    while (message.header_got < size) {
      message.header_got +=
          read_some(std::span(message.header).first(size).subspan(message.header_got));
    }
  }

  // What follows can't be told apart any more: no message comes from here again.
  [[noreturn]] void refuse(std::string_view why) {
    incoming() = {};
    if (state_.writable.load(platform::relaxed)) {
      state_.readable.store(false, platform::relaxed);
    } else {
      state_.close();
    }
    throw OSError(refusal(what, state_.descriptor, "bad message length: ").append(why),
                  EMSGSIZE);
  }

  std::size_t read_some(std::span<std::byte> room) {
    for (;;) {
      Transfer moved;
      const auto reads = [&] {
        moved = platform::read_now(state_.stream, state_.descriptor, room);
        return moved.error != EAGAIN;
      };
      if (!reads() && !runtime::spin<runtime::Looks::ever_rarer>(this, platform::never, reads)) {
        platform::Watched watched{state_.descriptor, platform::can_read, 0};
        wait_for({&watched, 1}, platform::never);
        continue;
      }
      if (moved.size > 0) return moved.size;
      if (moved.error == 0 || moved.error == ECONNRESET) throw_end();
      throw OSError(refusal(what, state_.descriptor, reason_of(moved.error)), moved.error);
    }
  }

  [[noreturn]] void throw_end() {
    const Incoming message = std::exchange(incoming(), {});
    std::string why = "the other end is closed";
    if (message.has_length) {
      why += ", in the middle of a message: " + std::to_string(message.body_got) + " of " +
             std::to_string(message.length) + " bytes have come";
    } else if (message.has_begun()) {
      why += ", in the middle of a message: not even its length has come";
    }
    throw EOFError(refusal(what, state_.descriptor, why));
  }

  const Use<State> use_;
  State& state_;
  const Turn turn_;
};

// --- sending -------------------------------------------------------------------------------------

class Connection::Sending {
 public:
  explicit Sending(State* state) : use_(state, what), state_(*checked(state)), turn_(state->sending) {
    checked(state);
  }

  void send(std::span<const std::byte> body) {
    const Header header = header_for(body.size());
    std::span<const std::byte> head = std::span(header.bytes).first(header.size);
    const std::size_t total = head.size() + body.size();
    while (head.size() + body.size() > 0) {
      const std::size_t moved = write_some(head, body, head.size() + body.size() < total);
      const std::size_t of_head = std::min(moved, head.size());
      head = head.subspan(of_head);
      body = body.subspan(moved - of_head);
    }
  }

 private:
  static constexpr const char* what = "send to";

  static State* checked(State* state) {
    if (!state->writable.load(platform::relaxed)) {
      throw OSError(refusal(what, state->descriptor, "connection is read-only"));
    }
    return state;
  }

  std::size_t write_some(std::span<const std::byte> head, std::span<const std::byte> body,
                         bool has_begun) {
    for (;;) {
      const Transfer moved = platform::write_now(state_.stream, state_.descriptor, head, body);
      if (moved.error == 0) return moved.size;
      if (moved.error == EAGAIN) {
        wait_for_room(has_begun);
      } else if (moved.error == EPIPE || moved.error == ECONNRESET) {
        throw BrokenPipeError(refusal(what, state_.descriptor, "the other end is closed"),
                              moved.error);
      } else {
        throw OSError(refusal(what, state_.descriptor, reason_of(moved.error)), moved.error);
      }
    }
  }

  void wait_for_room(bool has_begun) {
    platform::Watched watched{state_.descriptor, platform::can_write, 0};
    try {
      wait_for({&watched, 1}, platform::never);
    } catch (...) {
      if (has_begun) break_off();
      throw;
    }
  }

  // Half a message is out, and the rest will not follow: the other end is to find the end of the
  // stream there, and not to take the next message for that rest.
  void break_off() {
    state_.writable.store(false, platform::relaxed);
    if (state_.stream == Stream::socket) platform::end_writing(state_.descriptor);
    if (!state_.readable.load(platform::relaxed)) state_.close();
  }

  const Use<State> use_;
  State& state_;
  const Turn turn_;
};

// --- Connection ----------------------------------------------------------------------------------

Connection::Connection(int descriptor, bool readable, bool writable) {
  check_value(descriptor >= 0, "invalid handle: a descriptor is not negative");
  check_value(readable || writable, "at least one of readable and writable must be true");
  if (const int error = platform::check_descriptor(descriptor); error != 0) {
    throw OSError(refusal("make", descriptor, reason_of(error)), error);
  }
  state_ = std::make_shared<State>(descriptor, platform::stream_of(descriptor), readable, writable);
}

void Connection::send_bytes(std::span<const std::byte> buffer, std::ptrdiff_t offset,
                            std::optional<std::ptrdiff_t> size) const {
  const auto length = static_cast<std::ptrdiff_t>(buffer.size());
  check_value(offset >= 0, "offset is negative");
  check_value(offset <= length, "buffer length < offset");
  check_value(!size || *size >= 0, "size is negative");
  check_value(!size || *size <= length - offset, "buffer length < offset + size");
  Sending(state_.get())
      .send(buffer.subspan(static_cast<std::size_t>(offset),
                           static_cast<std::size_t>(size.value_or(length - offset))));
}

Bytes Connection::recv_bytes(std::optional<std::ptrdiff_t> maxlength) const {
  check_value(!maxlength || *maxlength >= 0, "negative maxlength");
  std::optional<std::size_t> longest;
  if (maxlength) longest = static_cast<std::size_t>(*maxlength);
  return Receiving(state_.get()).receive(longest);
}

std::size_t Connection::recv_bytes_into(std::span<std::byte> buffer, std::ptrdiff_t offset) const {
  check_value(offset >= 0, "negative offset");
  check_value(static_cast<std::size_t>(offset) <= buffer.size(), "offset too large");
  return Receiving(state_.get()).receive_into(buffer.subspan(static_cast<std::size_t>(offset)));
}

bool Connection::poll(Timeout timeout) const {
  const Use<State> use(state_.get(), "poll");
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
  if (!is_one_ready() &&
      (deadline <= platform::now() || !wait_for(watched, deadline))) {
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
