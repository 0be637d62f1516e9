#include "multiprocessing/sending.h"

#include <algorithm>
#include <cerrno>

namespace tutti::inline TUTTI_ABI::multiprocessing::connection {

namespace {

constexpr const char* what = "send to";

State& checked(State* state) {
  if (!state->writable.load(platform::relaxed)) {
    throw OSError(refusal(what, state->descriptor, "connection is read-only"));
  }
  return *state;
}

}  // namespace

Sending::Sending(State* state) : use_(state, what), state_(checked(state)), turn_(state->sending) {
  // Another thread may have broken the sending off.
  checked(state);
}

void Sending::send(std::span<const std::byte> message) {
  send_with(message, {});
}

void Sending::send_with(std::span<const std::byte> message, std::span<const int> descriptors) {
  const Header header = header_for(message.size());
  send_all(std::span(header.bytes).first(header.size), message, descriptors);
}

void Sending::send_unframed(std::span<const std::byte> bytes, std::span<const int> descriptors) {
  send_all({}, bytes, descriptors);
}

void Sending::send_all(std::span<const std::byte> head, std::span<const std::byte> body,
                       std::span<const int> descriptors) {
  bool has_begun = false;
  while (head.size() + body.size() > 0) {
    const std::size_t moved = write_some(head, body, descriptors, has_begun);
    const std::size_t of_head = std::min(moved, head.size());
    head = head.subspan(of_head);
    body = body.subspan(moved - of_head);
    descriptors = {};
    has_begun = true;
  }
}

std::size_t Sending::write_some(std::span<const std::byte> head, std::span<const std::byte> body,
                                std::span<const int> descriptors, bool has_begun) {
  for (;;) {
    const platform::Transfer moved =
        descriptors.empty() ? platform::write_now(state_.stream, state_.descriptor, head, body)
                            : platform::write_now_with(state_.descriptor, head, body, descriptors);
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

void Sending::wait_for_room(bool has_begun) {
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
void Sending::break_off() {
  state_.writable.store(false, platform::relaxed);
  if (state_.stream == platform::Stream::socket) platform::end_writing(state_.descriptor);
  if (!state_.readable.load(platform::relaxed)) state_.close();
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::connection
