// A Pool whose workers are killed: each task has its result or is said to be lost, and nothing
// hangs.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <fstream>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

#include "multiprocessing/pool_memory.h"
#include "support/start_methods.h"
#include "support/throws.h"
#include "tutti/multiprocessing/pool.h"
#include "tutti/multiprocessing/process.h"
#include "tutti/tutti.h"

namespace tests {

namespace {

using namespace tutti;
using multiprocessing::Pool;
using multiprocessing::WorkerLost;

// Kills whoever packs, measures or unpacks it at the chosen moment, unless that is the parent.
enum class Moment : int { never, measured, packed, unpacked };
pid_t parent = 0;

struct Bomb {
  Moment moment = Moment::never;
  int value = 0;

  template <typename Archive>
  friend void tutti_serialize(Archive& archive, Bomb& bomb) {
    archive(bomb.moment, bomb.value);
    constexpr bool is_reading = Archive::is_reading;
    constexpr bool is_measuring = std::is_same_v<Archive, pickle::packing::Measuring>;
    const Moment now = is_reading     ? Moment::unpacked
                       : is_measuring ? Moment::measured
                                      : Moment::packed;
    if (getpid() != parent && bomb.moment == now) raise(SIGKILL);
  }
};

class PoolKillTest : public ForEachStartMethod {
 protected:
  void SetUp() override {
    ForEachStartMethod::SetUp();
    parent = getpid();
  }
};

int kill_random_child(std::mt19937& random) {
  const auto children = multiprocessing::active_children();
  if (children.empty()) return 0;
  kill(static_cast<pid_t>(*children[random() % children.size()].pid()), SIGKILL);
  return 1;
}

int work(int n) {
  // Some of it long enough to be hit.
  volatile unsigned x = static_cast<unsigned>(n);
  for (int i = 0; i < (n % 16 == 0 ? 20000 : 10); ++i) x = x * 1664525u + 1013904223u;
  return n + 1;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Started, PoolKillTest, all_start_methods(), name_of_start_method);

TEST_P(PoolKillTest, AWorkerKilledWhileItPacksOrUnpacksLosesThatTaskAlone) {
  Pool pool = context().Pool(2);
  const auto value = [](const Bomb& bomb) { return bomb.value; };
  const auto make = [](int moment) { return Bomb{Moment(moment), 5}; };
  for (int round = 0; round < 3; ++round) {
    EXPECT_THROW(pool.apply(value, Bomb{Moment::unpacked, 1}), WorkerLost);
    EXPECT_THROW(pool.apply(make, static_cast<int>(Moment::measured)), WorkerLost);
    EXPECT_THROW(pool.apply(make, static_cast<int>(Moment::packed)), WorkerLost);
    EXPECT_EQ(pool.apply(value, Bomb{Moment::never, 7}), 7);
    EXPECT_EQ(pool.apply(make, 0).value, 5);
  }
}

TEST_P(PoolKillTest, OtherTasksDoNotNotice) {
  Pool pool = context().Pool(2);
  std::vector<multiprocessing::AsyncResult<int>> results;
  for (int n = 0; n < 400; ++n) {
    results.push_back(pool.apply_async(
        [](int i) {
          if (i % 50 == 7) raise(SIGKILL);
          return i;
        },
        n));
  }
  for (int n = 0; n < 400; ++n) {
    const auto& result = results[static_cast<std::size_t>(n)];
    if (n % 50 == 7) {
      EXPECT_THROW(result.get(), WorkerLost);
    } else {
      EXPECT_EQ(result.get(), n);
    }
  }
}

TEST_P(PoolKillTest, EachTaskHasItsResultOrIsLostWhoeverIsKilledWhen) {
  if (GetParam() != multiprocessing::StartMethod::fork) {
    GTEST_SKIP() << "workers are killed faster than others become ready: that breaks the pool";
  }
  std::mt19937 random(1);
  Pool pool = context().Pool(3);
  for (int round = 0; round < 5; ++round) {
    std::vector<multiprocessing::AsyncResult<int>> results;
    int killed = 0;
    for (int n = 0; n < 2000; ++n) {
      results.push_back(pool.apply_async(work, n));
      if (n % 200 == 199) killed += kill_random_child(random);
    }
    int lost = 0;
    for (int n = 0; n < 2000; ++n) {
      try {
        ASSERT_EQ(results[static_cast<std::size_t>(n)].get(), n + 1);
      } catch (const WorkerLost&) {
        ++lost;
      }
    }
    EXPECT_LE(lost, killed);
  }
}

TEST_P(PoolKillTest, LostTasksAreRetriedIfAskedFor) {
  if (GetParam() != multiprocessing::StartMethod::fork) {
    GTEST_SKIP() << "workers are killed faster than others become ready: that breaks the pool";
  }
  std::mt19937 random(2);
  std::vector<int> numbers(20000);
  std::iota(numbers.begin(), numbers.end(), 0);
  Pool pool = context().Pool({.processes = 3, .retries = 1000});
  for (int round = 0; round < 3; ++round) {
    auto result = pool.map_async(work, numbers, 16);
    while (!result.ready()) {
      kill_random_child(random);
      result.wait(0.005);
    }
    const std::vector<int> all = result.get();
    for (int n : numbers) ASSERT_EQ(all[static_cast<std::size_t>(n)], n + 1);
  }
}

TEST_P(PoolKillTest, ATaskThatKillsEachOfItsWorkersIsLostInTheEnd) {
  Pool patient = context().Pool({.processes = 1, .retries = 2});
  EXPECT_THROW(patient.apply([] { raise(SIGKILL); }), WorkerLost);
  EXPECT_EQ(patient.apply(work, 1), 2);
}

TEST_P(PoolKillTest, AWorkerThatWritesWildlyIsKilledAndReplaced) {
  const auto offset_of_words = [] {
    const multiprocessing::PoolMemory memory(1);
    return reinterpret_cast<std::uintptr_t>(memory.results_of(0).words) -
           reinterpret_cast<std::uintptr_t>(&memory.words());
  };
  const auto overwrite = [](std::uintptr_t offset) {
    std::ifstream maps("/proc/self/maps");
    std::string line;
    while (std::getline(maps, line) && line.find("memfd:tutti pool") == std::string::npos) {
    }
    const std::uintptr_t begin = std::stoull(line, nullptr, 16);
    auto* const words = reinterpret_cast<multiprocessing::ResultWords*>(begin + offset);
    words->written.store(std::uint64_t{1} << 40);
    pause();
  };
  const std::uintptr_t offset = offset_of_words();
  Pool pool = context().Pool(1);
  EXPECT_TRUE(
      throws<WorkerLost>([&] { pool.apply(overwrite, offset); }, {"SIGKILL", "overwritten"}));
  EXPECT_EQ(pool.apply(work, 1), 2);
}

TEST_P(PoolKillTest, ClosesAndTerminatesAmongTheDead) {
  std::mt19937 random(3);
  std::vector<int> numbers(2000);
  std::iota(numbers.begin(), numbers.end(), 0);
  for (int round = 0; round < 6; ++round) {
    Pool pool = context().Pool(2);
    auto result = pool.map_async(work, numbers, 1);
    kill_random_child(random);
    if (round % 2 == 0) {
      pool.close();
    } else {
      pool.terminate();
    }
    kill_random_child(random);
    pool.join();
    EXPECT_TRUE(result.ready());
  }
  EXPECT_TRUE(multiprocessing::active_children().empty());
}

}  // namespace tests
