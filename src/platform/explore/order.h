// What each thread may know: happens-before by vector clocks, races, and stale loads.
//
// The model is that of the C++ standard with three simplifications, all of which leave behaviour
// out and invent none: stores to one word take effect in the order in which they are executed; a
// failed compare-exchange reads the newest value; loads never see stores of the future (no
// out-of-thin-air, no load buffering). What is in: stale loads as long as coherence, happens-before
// and the seq_cst rules allow them (store buffering, message passing without release, independent
// reads of independent writes), release sequences, and fences.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "platform/explore/scheduler.h"

namespace tutti::inline TUTTI_ABI::platform::exploring {

/// For each thread, the number of its last event that is known.
struct Clock {
  std::array<std::uint32_t, most_threads> times{};

  void join(const Clock& other, unsigned width) noexcept {
    for (unsigned i = 0; i < width; ++i) {
      if (times[i] < other.times[i]) times[i] = other.times[i];
    }
  }
  bool knows(unsigned thread, std::uint32_t time) const noexcept { return times[thread] >= time; }
};

class Order {
 public:
  void restart(const Rules& rules) noexcept;
  void begin_thread(unsigned thread, unsigned starter) noexcept;
  void join_thread(unsigned ended, unsigned joiner) noexcept;

  std::uint64_t load(Tag& tag, std::uint64_t newest, std::memory_order order) noexcept;
  void peek(Tag& tag, std::uint64_t newest, std::memory_order order) noexcept;
  void store(Tag& tag, std::uint64_t before, std::uint64_t value, std::memory_order order) noexcept;
  void exchange(Tag& tag, std::uint64_t before, std::uint64_t value,
                std::memory_order order) noexcept;
  void fence(std::memory_order order) noexcept;

  /// An access to a plain object. The thread whose access it races with, or most_threads.
  struct Race {
    unsigned other = most_threads;
    std::uint32_t other_step = 0;
  };
  Race read(Tag& tag) noexcept;
  Race write(Tag& tag) noexcept;

  /// A plain object was accessed although order was not followed.
  bool is_missed() const noexcept { return is_missed_; }
  void miss() noexcept { is_missed_ = true; }

 private:
  static constexpr std::size_t longest_history = 8;
  /// A store becomes visible after a while: a thread loads a word's newest value after so many
  /// stale ones at the latest.
  static constexpr unsigned most_stale_loads = 4;

  /// A value that a word has had.
  struct Message {
    std::uint64_t value = 0;
    /// What who acquires it learns.
    Clock released;
    /// When each thread has first read or written it; 0 for never.
    std::array<std::uint32_t, most_threads> seen{};
    /// Its place in the order of seq_cst operations, if one has written or read it; the earliest.
    std::uint32_t seq_cst = 0;
  };
  struct Word {
    std::vector<Message> history;
    /// How many stale loads each thread has made of it one after the other.
    std::array<std::uint8_t, most_threads> stale_loads{};
  };
  struct Plain {
    unsigned writer = most_threads;
    std::uint32_t written = 0;
    std::uint32_t write_step = 0;
    Clock reads;
    std::array<std::uint32_t, most_threads> read_steps{};
  };
  struct Thread {
    Clock clock;
    /// As it was at the last release fence.
    Clock fenced;
    bool has_fenced = false;
    /// What relaxed loads have read, for an acquire fence to come.
    Clock unfenced;
    /// What its seq_cst fences have made known to it, and the place of the last of them.
    Clock visible;
    std::uint32_t last_fence = 0;
  };

  Word& word_of(Tag& tag, std::uint64_t value) noexcept;
  Plain& plain_of(Tag& tag) noexcept;
  void acquire_from(const Message& message, std::memory_order order) noexcept;
  bool is_known(const Message& message, std::memory_order order) const noexcept;
  void see(Message& message, std::memory_order order) noexcept;
  void append(Word& word, std::uint64_t value, std::memory_order order, const Clock* sequence);
  std::size_t oldest_visible(const Word& word, std::memory_order order) const noexcept;

  Thread& me() noexcept { return threads_[scheduler().running().index]; }
  unsigned my_index() const noexcept { return scheduler().running().index; }

  std::uint32_t execution_ = 0;
  bool is_followed_ = false;
  bool is_relaxed_ = false;
  bool is_missed_ = false;
  unsigned width_ = 0;
  std::array<Thread, most_threads> threads_;
  /// What threads knew at their seq_cst fences.
  Clock fences_;
  /// The number of seq_cst operations so far.
  std::uint32_t seq_cst_ = 0;
  std::vector<Word> words_;
  std::size_t word_count_ = 0;
  std::vector<Plain> plains_;
  std::size_t plain_count_ = 0;
};

Order& order() noexcept;

}  // namespace tutti::inline TUTTI_ABI::platform::exploring
