// What the copies of a Connection share, and how calls take their turns with it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "multiprocessing/wire.h"
#include "platform/stream.h"
#include "runtime/self.h"
#include "tutti/multiprocessing/connection.h"
#include "tutti/sync/lock_cell.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::connection {

/// A message that has come in part.
struct Incoming {
  /// A fork's child has a copy; the message is its parent's.
  std::uint32_t process = platform::process_id();
  std::array<std::byte, long_header> header{};
  std::size_t header_got = 0;
  bool has_length = false;
  std::uint64_t length = 0;
  Bytes body;
  std::size_t body_got = 0;

  bool has_begun() const { return header_got > 0; }
};

struct State {
  State(int owned, platform::Stream kind, bool can_receive, bool can_send)
      : descriptor(owned), stream(kind), readable(can_receive), writable(can_send) {}
  ~State() { close(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  const int descriptor;
  const platform::Stream stream;
  platform::atomic<bool> readable;
  platform::atomic<bool> writable;

  // How many calls use the descriptor, and whether it is closed: then nobody begins to use it, and
  // the last of those who still do closes it, or close() itself.
  static constexpr std::uint32_t closed_bit = std::uint32_t{1} << 31;
  platform::atomic<std::uint32_t> uses{0};

  sync::LockCell receiving;
  sync::LockCell sending;
  /// Under `receiving`.
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

// --- errors --------------------------------------------------------------------------------------

/// What the system says about an errno value.
std::string reason_of(int error);
/// "can't receive from Connection of descriptor 5: … (in thread 'Worker-1')"
std::string refusal(std::string_view what, int descriptor, std::string_view why);
[[noreturn]] void throw_closed(const char* what);

// --- turns ---------------------------------------------------------------------------------------

/// Waits for `watched`, as I/O; false when `deadline` passed first.
bool wait_for(std::span<platform::Watched> watched, std::int64_t deadline);

/// For as long as this lives the descriptor is the connection's.
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

/// One thread's turn with one direction of a connection.
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

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::connection
