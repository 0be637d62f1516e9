// Processes are killed at random while they put and get: whatever they do then, the others go on,
// nothing comes out twice, and what has been put comes out, but for what a killed one had taken.
//
// With TUTTI_STRESS_SECONDS in the environment it lasts that long.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "support/forked.h"
#include "support/sanitizer.h"
#include "support/until.h"
#include "tutti/multiprocessing.h"

namespace tests {

using tutti::multiprocessing::Queue;

constexpr std::size_t putters = 3;
constexpr std::size_t getters = 3;
constexpr std::uint64_t most_lives = 4000;
constexpr std::uint64_t most_items = 1 << 22;

/// An item's number, and some more bytes, so that records are of all sizes.
struct Load {
  std::uint64_t number = 0;
  std::vector<std::uint8_t> more;
};

/// What processes have done, in memory that survives them.
struct Ledger {
  /// A putter takes its item's number here, and then writes down how far it has come.
  std::atomic<std::uint64_t> numbers{0};
  std::array<std::atomic<std::uint8_t>, most_items> states{};
  std::atomic<std::uint64_t> gets{0};
  std::atomic<bool> ends{false};
  std::atomic<bool> is_wrong{false};

  static constexpr std::uint8_t begun = 1;
  static constexpr std::uint8_t acknowledged = 2;
  static constexpr std::uint8_t got = 4;
};

std::size_t size_of(std::uint64_t number) {
  // Most are small; some are larger than the smallest lane.
  if (number % 997 == 0) return 300'000;
  return number % 7 == 0 ? 3000 : number % 40;
}

void put_all_the_time(Queue<Load>& queue, Ledger& ledger) {
  while (!ledger.ends) {
    const std::uint64_t number = ledger.numbers++;
    if (number >= most_items) return;
    const std::vector<std::uint8_t> more(size_of(number), static_cast<std::uint8_t>(number));
    ledger.states[number] |= Ledger::begun;
    queue.put({number, more});
    ledger.states[number] |= Ledger::acknowledged;
  }
}

void note(const Load& load, Ledger& ledger) {
  const bool is_whole = load.number < most_items && load.more.size() == size_of(load.number) &&
                        std::all_of(load.more.begin(), load.more.end(), [&](std::uint8_t byte) {
                          return byte == static_cast<std::uint8_t>(load.number);
                        });
  if (!is_whole || (ledger.states[load.number].fetch_or(Ledger::got) & Ledger::got) != 0) {
    ledger.is_wrong = true;
  }
  ++ledger.gets;
}

void get_all_the_time(Queue<Load>& queue, Ledger& ledger) {
  for (;;) note(queue.get(), ledger);
}

TEST(ProcessQueueKills, NothingIsLostButWhatTheKilledHad) {
  if (under_thread_sanitizer) GTEST_SKIP() << "it loses track of memory that processes share";
  const char* wanted = std::getenv("TUTTI_STRESS_SECONDS");
  const auto end = SteadyClock::now() +
                   std::chrono::duration_cast<std::chrono::nanoseconds>(
                       std::chrono::duration<double>(wanted == nullptr ? 1.0 : std::atof(wanted)));
  Queue<Load> queue(50);
  const auto ledger = make_shared_with_children<Ledger>();
  const auto putter = [&] { put_all_the_time(queue, *ledger); };
  const auto getter = [&] { get_all_the_time(queue, *ledger); };
  std::array<std::unique_ptr<Forked>, putters + getters> users;
  for (std::size_t user = 0; user < users.size(); ++user) {
    users[user] =
        user < putters ? std::make_unique<Forked>(putter) : std::make_unique<Forked>(getter);
  }
  std::mt19937 random(20);
  std::uint64_t kills = 0;
  std::uint64_t killed_getters = 0;
  while (SteadyClock::now() < end && kills < most_lives && !ledger->is_wrong) {
    // The others go on, so that this comes about.
    const std::uint64_t so_many = ledger->gets + random() % 200;
    until([&] { return ledger->gets > so_many || ledger->numbers >= most_items; },
          "that the others go on");
    be_busy_for(std::chrono::nanoseconds(random() % 50'000));
    const std::size_t victim = random() % users.size();
    users[victim]->kill();
    ++kills;
    if (victim >= putters) ++killed_getters;
    users[victim] =
        victim < putters ? std::make_unique<Forked>(putter) : std::make_unique<Forked>(getter);
  }
  ledger->ends = true;
  for (std::size_t user = 0; user < putters; ++user) EXPECT_EQ(users[user]->join(), 0);
  until([&] { return queue.empty(); }, "that the others take the rest");
  for (std::size_t user = putters; user < users.size(); ++user) users[user]->kill();
  killed_getters += getters;

  EXPECT_FALSE(ledger->is_wrong) << "an item was got twice, or was not what was put";
  std::uint64_t acknowledged = 0;
  std::uint64_t missing = 0;
  for (const auto& state : ledger->states) {
    if ((state & Ledger::acknowledged) == 0) continue;
    ++acknowledged;
    if ((state & Ledger::got) == 0) ++missing;
  }
  // Each took at most one with it.
  EXPECT_LE(missing, killed_getters);
  EXPECT_GT(acknowledged, 1000u);
  EXPECT_GT(kills, 10u);
  std::printf("%llu processes killed; of %llu items put, %llu were with a killed getter\n",
              static_cast<unsigned long long>(kills), static_cast<unsigned long long>(acknowledged),
              static_cast<unsigned long long>(missing));
}

}  // namespace tests
