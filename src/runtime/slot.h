// One thread's entry in the registry: who it is, and what it waits for.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "platform/life.h"
#include "platform/stack.h"
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
  /// Told to look at its flags: whether it is interrupted, or must look around.
  static constexpr std::uint32_t interrupted = 3;
};

/// A short text in words, so that it may be read while it changes; each is stored with release and
/// loaded with acquire, as sequence locks want it. All-zero = empty.
class SharedText {
 public:
  static constexpr std::size_t longest = 31;

  void set(std::string_view text) noexcept {
    std::array<char, longest + 1> bytes{};
    text.copy(bytes.data(), longest);
    for (std::size_t i = 0; i < words_.size(); ++i) {
      std::uint64_t word;
      std::memcpy(&word, bytes.data() + i * sizeof word, sizeof word);
      words_[i].store(word, platform::release);
    }
  }

  std::string get() const { return bytes().data(); }
  /// The same, ended by a zero, without allocating anything.
  std::array<char, longest + 2> bytes() const noexcept {
    std::array<char, longest + 2> bytes{};
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const std::uint64_t word = words_[i].load(platform::acquire);
      std::memcpy(bytes.data() + i * sizeof word, &word, sizeof word);
    }
    return bytes;
  }

 private:
  std::array<atomic<std::uint64_t>, 4> words_;
};

/// Which thread a slot has, and how far it is; in one word, so that it changes for that thread
/// only.
///
///      31     16 15            2 1     0
///     ┌─────────┬───────────────┬───────┐
///     │ 0       │ generation    │ phase │
///     └─────────┴───────────────┴───────┘
///
/// unused → unused of the next generation → starting, by who claims it, alone; starting → running,
/// by the thread; starting, running → unused, by a compare-exchange, for a sweeper may be first.
struct Occupancy {
  static constexpr std::uint32_t most_generations = 1 << 14;

  std::uint32_t word;

  constexpr SlotPhase phase() const noexcept { return SlotPhase{word & 3}; }
  constexpr std::uint32_t generation() const noexcept { return word >> 2; }
  constexpr Occupancy in(SlotPhase phase) const noexcept {
    return {(word & ~3u) | static_cast<std::uint32_t>(phase)};
  }
  constexpr Occupancy next() const noexcept { return {(generation() + 1) % most_generations << 2}; }
};

/// Lives in memory that children share and that other programs may look into, so it holds no
/// pointer that others follow. All-zero = unused.
struct alignas(64) Slot {
  // Identity: written by the thread that claims the slot, and by the thread itself.
  atomic<std::uint32_t> occupancy;
  atomic<std::uint32_t> process;
  atomic<std::uint32_t> thread;
  atomic<std::uint32_t> flags;
  atomic<std::uint32_t> next_unused;
  SharedText name;
  /// Held by the thread while it has the phase `running`.
  platform::Life life;

  // Waits: written in the slow path only; all but `wake` by whoever has made the stamp odd.
  alignas(64) atomic<std::uint32_t> wake;
  /// Odd while the record below is being written, and one more after each change.
  atomic<std::uint32_t> record_stamp;
  atomic<WaitKind> kind;
  /// 1 if the wait can be ended by an exception.
  atomic<std::uint32_t> may_fail;
  atomic<std::uint64_t> object;
  atomic<std::int64_t> since;
  atomic<std::int64_t> deadline;
  /// When the last thread that woke this one did so; tells how long waking takes.
  platform::hint<std::int64_t> woken_at;
  /// Set by those who want the waiting thread to look around; see detector.h.
  atomic<std::uint32_t> must_look;
  /// Whose threads may end the wait; written with `kind`.
  atomic<platform::Reach> reach;
  /// Counts the questions of threads, of whatever process, that suspect a ring: shared_ring.h.
  atomic<std::uint32_t> questions;

  // acquire: pairs with the release in enter().
  Occupancy occupied() const noexcept { return {occupancy.load(platform::acquire)}; }
  SlotPhase phase() const noexcept { return occupied().phase(); }
  /// By who has claimed it. release: whoever sees the phase sees what was written before.
  void enter(SlotPhase phase) noexcept {
    const Occupancy now{occupancy.load(platform::relaxed)};
    occupancy.store(now.in(phase).word, platform::release);
  }

  static constexpr std::uint32_t daemon_flag = 1;
  static constexpr std::uint32_t main_flag = 2;
  static constexpr std::uint32_t foreign_flag = 4;
  /// A daemon that was parked for good at the end of the program.
  static constexpr std::uint32_t stopped_flag = 8;

  // More about a wait that has lasted for a while, written by the waiting thread itself.
  /// The record_stamp of the wait that it is about.
  alignas(64) atomic<std::uint32_t> details_stamp;
  /// Who has what it waits for; 0 if that is not known.
  atomic<ThreadId> holder;
  atomic<std::uint32_t> stack_depth;
  /// In which wait that was before it was seen to have it: its record_stamp; 0 for none.
  atomic<std::uint32_t> holders_wait;
  SharedText object_name;
  /// How many questions there had been before this was found out.
  atomic<std::uint32_t> answered;
  /// Return addresses, the innermost call first.
  alignas(64) std::array<atomic<std::uint64_t>, platform::CallStack::deepest> stack;
};
static_assert(sizeof(Slot) == 448 || sizeof(atomic<std::uint32_t>) > 4);

/// A consistent copy of a slot's wait record.
struct WaitRecord {
  WaitKind kind = WaitKind::none;
  std::uint64_t object = 0;
  std::int64_t since = 0;
  std::int64_t deadline = platform::never;
  std::uint32_t stamp = 0;
  /// Told to go on, but not on a core yet.
  bool woken = false;
  /// The wait can be ended by an exception.
  bool may_fail = false;
  /// Whose threads may end it: those of this process, or of others, too.
  platform::Reach reach = platform::Reach::process;
};

/// What is known besides about a wait that has lasted for a while.
struct WaitDetails {
  ThreadId holder = 0;
  /// The stamp of a wait without limit in which the holder was before it was seen to have what this
  /// one waits for; 0 if it was in none.
  std::uint32_t holders_wait = 0;
  /// How many questions are answered by this.
  std::uint32_t answered = 0;
  std::string object_name;
  platform::CallStack stack;
};

/// What a thread waits for. Whoever moves a waiting thread to another queue changes it.
struct Reason {
  Reason(WaitKind wait_kind, const void* waited_for,
         platform::Reach whose_threads_end_it = platform::Reach::process) noexcept
      : kind(wait_kind), object(waited_for), reach(whose_threads_end_it) {}

  atomic<WaitKind> kind;
  atomic<const void*> object;
  const platform::Reach reach;
  /// Its owner has put it into the record, or is about to.
  mutable atomic<bool> is_published{false};
};

/// Reads the record as it was at one moment.
WaitRecord read_record(const Slot& slot) noexcept;
/// The same in one look, and nothing if it is being changed: for those who must not wait for its
/// writer, such as a signal's handler, or who have only a copy. Async-signal-safe.
std::optional<WaitRecord> try_read_record(const Slot& slot) noexcept;
/// Says that the calling thread, owner of `slot`, is about to block.
void publish_record(Slot& slot, const Reason& reason, std::int64_t deadline,
                    bool may_fail = false) noexcept;
void clear_record(Slot& slot) noexcept;
/// Changes what the owner of `slot` waits for: `reason`, which it has published or is about to, and
/// the record, if it is published. Called while the owner can't stop waiting.
void amend_record(Slot& slot, Reason& reason, WaitKind kind, const void* object) noexcept;

/// By the owner of `slot`, about the wait of which its record had this stamp.
void publish_details(Slot& slot, std::uint32_t stamp, const WaitDetails& details) noexcept;
/// Nothing if there are none about the wait of `record`.
std::optional<WaitDetails> read_details(const Slot& slot, const WaitRecord& record);

}  // namespace tutti::inline TUTTI_ABI::runtime
