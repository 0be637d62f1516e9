#include "multiprocessing/receiving.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <new>
#include <string>
#include <utility>

#include "runtime/spin.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::connection {

namespace {

constexpr const char* what = "receive from";

// Memory for a message is taken in such steps, doubled: a length alone is no reason to believe in
// so many bytes.
constexpr std::size_t first_room = std::size_t{1} << 20;

std::size_t next_room(std::size_t taken, std::uint64_t wanted) {
  const std::uint64_t more = std::max<std::uint64_t>(first_room, std::uint64_t{taken} * 2);
  return static_cast<std::size_t>(std::min(more, wanted));
}

State& checked(State* state) {
  if (!state->readable.load(platform::relaxed)) {
    throw OSError(refusal(what, state->descriptor, "connection is write-only"));
  }
  return *state;
}

}  // namespace

Receiving::Receiving(State* state)
    : use_(state, what), state_(checked(state)), turn_(state->receiving) {
  // It may have become unreadable while another thread had its turn.
  checked(state);
  if (state_.incoming.process != platform::process_id()) state_.incoming = {};
}

Receiving::Receiving(State* state, std::vector<int>& arrived) : Receiving(state) {
  arrived_ = &arrived;
}

Bytes Receiving::receive(std::optional<std::size_t> longest) {
  receive_length(longest);
  Incoming& message = state_.incoming;
  while (message.body_got < message.length) {
    if (message.body_got == message.body.size()) {
      message.body.resize(next_room(message.body_got, message.length));
    }
    message.body_got += read_some(std::span(message.body).subspan(message.body_got));
  }
  return std::exchange(message, {}).body;
}

std::size_t Receiving::receive_into(std::span<std::byte> buffer) {
  receive_length(std::nullopt);
  Incoming& message = state_.incoming;
  if (message.length > buffer.size()) {
    const std::string complaint =
        refusal(what, state_.descriptor,
                "the message has " + std::to_string(message.length) +
                    " bytes, and the buffer room for " + std::to_string(buffer.size()));
    throw BufferTooShort(complaint, receive());
  }
  const auto length = static_cast<std::size_t>(message.length);
  std::copy_n(message.body.begin(), message.body_got, buffer.begin());
  try {
    while (message.body_got < length) {
      message.body_got += read_some(buffer.first(length).subspan(message.body_got));
    }
  } catch (...) {
    keep(buffer.first(message.body_got));
    throw;
  }
  message = {};
  return length;
}

void Receiving::receive_unframed(std::span<std::byte> bytes) {
  while (!bytes.empty()) bytes = bytes.subspan(read_some(bytes));
}

// Until the message's length is known, and allowed.
void Receiving::receive_length(std::optional<std::size_t> longest) {
  Incoming& message = state_.incoming;
  if (!message.has_length) {
    receive_header(short_header);
    const auto first = read_big_endian<std::uint32_t>(message.header.data());
    message.length = first;
    if (first == long_follows) {
      receive_header(long_header);
      message.length = read_big_endian<std::uint64_t>(message.header.data() + short_header);
    } else if (first > longest_of_short) {
      refuse("it is negative");
    }
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::ptrdiff_t>::max());
    if (message.length > most) refuse("no memory has so many bytes");
    message.has_length = true;
  }
  if (longest && message.length > *longest) {
    refuse("it is " + std::to_string(message.length) + " bytes, and the most allowed are " +
           std::to_string(*longest));
  }
}

void Receiving::receive_header(std::size_t size) {
  Incoming& message = state_.incoming;
  while (message.header_got < size) {
    message.header_got +=
        read_some(std::span(message.header).first(size).subspan(message.header_got));
  }
}

// For the next call, which goes on with this message.
void Receiving::keep(std::span<const std::byte> begun) noexcept {
  try {
    state_.incoming.body.assign(begun.begin(), begun.end());
  } catch (const std::bad_alloc&) {
    stop();
  }
}

// What follows can't be told apart any more: no message comes from here again.
void Receiving::stop() noexcept {
  state_.incoming = {};
  if (state_.writable.load(platform::relaxed)) {
    state_.readable.store(false, platform::relaxed);
  } else {
    state_.close();
  }
}

void Receiving::refuse(std::string_view why) {
  stop();
  std::string text = "bad message length: ";
  throw OSError(refusal(what, state_.descriptor, text.append(why)), EMSGSIZE);
}

std::size_t Receiving::read_some(std::span<std::byte> room) {
  for (;;) {
    platform::Transfer moved;
    const auto reads = [&] {
      moved = read_now(room);
      return moved.error != EAGAIN;
    };
    if (!reads() && !runtime::spin<runtime::Looks::dear>(&state_, platform::never, reads)) {
      platform::Watched watched{state_.descriptor, platform::can_read, 0};
      wait_for({&watched, 1}, platform::never);
      continue;
    }
    if (moved.size > 0) return moved.size;
    // Reset: the other end was closed before it had read everything.
    if (moved.error == 0 || moved.error == ECONNRESET) throw_end();
    throw OSError(refusal(what, state_.descriptor, reason_of(moved.error)), moved.error);
  }
}

platform::Transfer Receiving::read_now(std::span<std::byte> room) {
  if (arrived_ == nullptr || state_.stream != platform::Stream::socket) {
    return platform::read_now(state_.stream, state_.descriptor, room);
  }
  std::array<int, platform::most_passed> descriptors;
  const platform::TransferWith moved =
      platform::read_now_with(state_.descriptor, room, descriptors);
  arrived_->insert(arrived_->end(), descriptors.begin(),
                   descriptors.begin() + static_cast<std::ptrdiff_t>(moved.received));
  return moved;
}

void Receiving::throw_end() {
  const Incoming message = std::exchange(state_.incoming, {});
  std::string why = "the other end is closed";
  if (message.has_length) {
    why += ", in the middle of a message: " + std::to_string(message.body_got) + " of " +
           std::to_string(message.length) + " bytes have come";
  } else if (message.has_begun()) {
    why += ", in the middle of a message: not even its length has come";
  }
  throw EOFError(refusal(what, state_.descriptor, why));
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::connection
