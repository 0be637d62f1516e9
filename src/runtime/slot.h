// One thread's entry in the registry: who it is, and what it waits for.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "tutti/platform/floor.h"
#include "tutti/runtime/wait_kind.h"

namespace tutti::inline TUTTI_ABI::runtime {

using platform::atomic;

/// A thread's id: slot number in the low 16 bits (never 0), generation of the slot in the 14 above.
using ThreadId = std::uint32_t;

enum class SlotPhase : std::uint32_t {
  unused,
  /// Claimed for a thread that has not run yet.
  starting,
  running,
};

/// Where a waiting thread stands. Only the waiting routine (waiting.cpp) changes it.
///   watching → woken | parked | interrupted       parked → woken | interrupted
///   interrupted → woken                           any → watching, by the thread itself, at rest
struct Wake {
  /// Awake: polls this word, or is not waiting at all.
  static constexpr std::uint32_t watching = 0;
  /// Asleep in the kernel on this word.
  static constexpr std::uint32_t parked = 1;
  /// Told to go on.
  static constexpr std::uint32_t woken = 2;
  /// Told to look at its interrupt flag.
  static constexpr std::uint32_t interrupted = 3;
};

/// Lives in memory that children share, so it holds no pointer that others follow. All-zero =
/// unused.
struct alignas(64) Slot {
  // Identity: written by the thread that claims the slot, and by the thread itself.
  atomic<std::uint32_t> generation;
  atomic<SlotPhase> phase;
  atomic<std::uint32_t> process;
  atomic<std::uint32_t> thread;
  atomic<std::uint32_t> flags;
  atomic<std::uint32_t> next_unused;
  /// The name in words, so that it may be read while it changes.
  std::array<atomic<std::uint64_t>, 4> name;

  // Waits: written in the slow path only; all but `wake` by whoever has made the stamp odd.
  alignas(64) atomic<std::uint32_t> wake;
  /// Odd while the record below is being written, and one more after each change.
  atomic<std::uint32_t> record_stamp;
  atomic<WaitKind> kind;
  atomic<std::uint64_t> object;
  atomic<std::int64_t> since;
  atomic<std::int64_t> deadline;
  /// When the last thread that woke this one did so; tells how long waking takes.
  platform::hint<std::int64_t> woken_at;

  static constexpr std::uint32_t daemon_flag = 1;
  static constexpr std::uint32_t main_flag = 2;
  static constexpr std::uint32_t foreign_flag = 4;
  static constexpr std::size_t longest_name = 31;

  void set_name(std::string_view text) noexcept {
    std::array<char, 32> bytes{};
    text.copy(bytes.data(), longest_name);
    for (std::size_t i = 0; i < name.size(); ++i) {
      std::uint64_t word;
      std::memcpy(&word, bytes.data() + i * sizeof word, sizeof word);
      name[i].store(word, platform::relaxed);
    }
  }

  std::string get_name() const {
    std::array<char, 33> bytes{};
    for (std::size_t i = 0; i < name.size(); ++i) {
      const std::uint64_t word = name[i].load(platform::relaxed);
      std::memcpy(bytes.data() + i * sizeof word, &word, sizeof word);
    }
    return bytes.data();
  }
};
static_assert(sizeof(Slot) == 128 || sizeof(atomic<std::uint32_t>) > 4);

/// A consistent copy of a slot's wait record.
struct WaitRecord {
  WaitKind kind = WaitKind::none;
  std::uint64_t object = 0;
  std::int64_t since = 0;
  std::int64_t deadline = platform::never;
  std::uint32_t stamp = 0;
  /// Told to go on, but not on a core yet.
  bool woken = false;
};

/// What a thread waits for. Whoever moves a waiting thread to another queue changes it.
struct Reason {
  Reason(WaitKind wait_kind, const void* waited_for) noexcept
      : kind(wait_kind), object(waited_for) {}

  atomic<WaitKind> kind;
  atomic<const void*> object;
  /// Its owner has put it into the record, or is about to.
  mutable atomic<bool> is_published{false};
};

/// Reads the record as it was at one moment.
WaitRecord read_record(const Slot& slot) noexcept;
/// Says that the calling thread, owner of `slot`, is about to block.
void publish_record(Slot& slot, const Reason& reason, std::int64_t deadline) noexcept;
void clear_record(Slot& slot) noexcept;
/// Changes what the owner of `slot` waits for: `reason`, which it has published or is about to, and
/// the record, if it is published. Called while the owner can't stop waiting.
void amend_record(Slot& slot, Reason& reason, WaitKind kind, const void* object) noexcept;

}  // namespace tutti::inline TUTTI_ABI::runtime
