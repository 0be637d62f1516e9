// fork_map: results in order, errors, and children that are killed.
#include <tutti/multiprocessing/fork_map.h>

#include <sys/resource.h>
#include <unistd.h>
#include <csignal>
#include <forward_list>
#include <numeric>
#include <stdexcept>
#include <string>

#include "support/forked.h"
#include "support/sanitizer.h"
#include "support/throws.h"
#include "tutti/multiprocessing/pool.h"
#include "tutti/multiprocessing/queue.h"
#include "tutti/multiprocessing/worker_lost.h"

namespace tests {

using tutti::multiprocessing::fork_map;
using tutti::multiprocessing::WorkerLost;

namespace {

std::vector<int> numbers(int count) {
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

int square(int n) {
  return n * n;
}

// A switch in memory that survives the child that turns it.
class SharedFlag {
 public:
  SharedFlag() : memory_(tutti::multiprocessing::Segment::make(sizeof(int), "test-flag")) {}
  bool is_first_time() const {
    return __atomic_exchange_n(reinterpret_cast<int*>(memory_.data()), 1, __ATOMIC_ACQ_REL) == 0;
  }

 private:
  tutti::multiprocessing::Segment memory_;
};

}  // namespace

TEST(ForkMap, GivesResultsInOrder) {
  for (int count : {0, 1, 2, 7, 1000}) {
    std::vector<int> expected;
    for (int n : numbers(count)) expected.push_back(square(n));
    EXPECT_EQ(fork_map(square, numbers(count)), expected);
    EXPECT_EQ(fork_map(square, numbers(count), {.processes = 5, .chunksize = 3}), expected);
  }
}

TEST(ForkMap, TakesClosuresAndWhatIsInMemory) {
  const std::vector<std::string> texts{"a", "bb", "ccc"};
  const auto longer = [&](std::size_t i) { return texts[i] + texts[i]; };
  EXPECT_EQ(fork_map(longer, std::vector<std::size_t>{2, 0, 1}),
            (std::vector<std::string>{"cccccc", "aa", "bbbb"}));
  EXPECT_EQ(fork_map([](int n) { return n % 2 == 0; }, numbers(3)),
            (std::vector<bool>{true, false, true}));
}

TEST(ForkMap, TakesRangesThatCanOnlyBeWalked) {
  const std::forward_list<int> list{3, 1, 2};
  EXPECT_EQ(fork_map(square, list), (std::vector<int>{9, 1, 4}));
}

TEST(ForkMap, RunsInOtherProcesses) {
  const pid_t here = getpid();
  for (const int process : fork_map([](int) { return static_cast<int>(getpid()); }, numbers(8))) {
    EXPECT_NE(process, here);
  }
}

TEST(ForkMap, ForksWhateverTheStartMethod) {
  using namespace tutti::multiprocessing;
  const std::string before = get_start_method();
  set_start_method("spawn", {.force = true});
  EXPECT_EQ(fork_map(square, numbers(3)), (std::vector<int>{0, 1, 4}));
  set_start_method(before, {.force = true});
}

TEST(ForkMap, LeavesWhatIsChangedInTheChild) {
  int calls = 0;
  fork_map([&](int) { ++calls; }, numbers(10));
  EXPECT_EQ(calls, 0);
}

TEST(ForkMap, BringsLargeResults) {
  const auto block = [](int n) { return std::string(1'000'000, static_cast<char>('a' + n)); };
  const std::vector<std::string> blocks = fork_map(block, numbers(20), {.processes = 3});
  for (int n = 0; n < 20; ++n) EXPECT_EQ(blocks[static_cast<std::size_t>(n)], block(n));
}

TEST(ForkMap, ThrowsTheFirstErrorInTheItemsOrder) {
  const auto fail = [](int n) {
    if (n == 30) throw std::out_of_range("thirty");
    if (n > 30) throw std::domain_error("later");
    return n;
  };
  for (int chunksize : {0, 1, 7}) {
    EXPECT_TRUE(throws<std::out_of_range>(
        [&] { fork_map(fail, numbers(100), {.processes = 3, .chunksize = chunksize}); },
        {"thirty"}));
  }
}

TEST(ForkMap, KeepsTheCausesOfAnError) {
  const auto fail = [](int) -> int {
    try {
      throw std::invalid_argument("no such file");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("no settings"));
    }
  };
  try {
    fork_map(fail, numbers(1));
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "no settings");
    EXPECT_TRUE(
        throws<std::invalid_argument>([&] { std::rethrow_if_nested(error); }, {"no such file"}));
  }
}

TEST(ForkMap, TellsOfAChildThatWasKilled) {
  const auto die = [](int n) {
    if (n == 5) raise(SIGKILL);
    return n;
  };
  EXPECT_TRUE(
      throws<WorkerLost>([&] { fork_map(die, numbers(8), {.processes = 2, .chunksize = 2}); },
                         {"killed by signal 9", "items 4 to 5"}));
  EXPECT_TRUE(throws<WorkerLost>([] { fork_map([](int) { std::_Exit(3); }, numbers(1)); },
                                 {"exit code 3", "items 0 to 0"}));
}

TEST(ForkMap, HasTheItemsOfAKilledChildDoneAgain) {
  const SharedFlag killed;
  const auto die_once = [&](int n) {
    if (n == 5 && killed.is_first_time()) raise(SIGKILL);
    return std::to_string(n);
  };
  const std::vector<std::string> texts =
      fork_map(die_once, numbers(50), {.processes = 2, .chunksize = 2, .retries = 1});
  for (int n = 0; n < 50; ++n) EXPECT_EQ(texts[static_cast<std::size_t>(n)], std::to_string(n));
}

// Shared memory is sparse, and as large as the machine's, where a process may have the addresses.
TEST(ForkMap, LikePoolAndQueueNeedsFewAddresses) {
  if (under_address_sanitizer || under_thread_sanitizer) GTEST_SKIP() << "it needs addresses";
  Forked limited([] {
    const rlimit gibibyte{std::size_t{1} << 30, std::size_t{1} << 30};
    if (setrlimit(RLIMIT_AS, &gibibyte) != 0) return 1;
    tutti::multiprocessing::Queue<int> queue;
    queue.put(7);
    if (queue.get() != 7) return 2;
    if (fork_map(square, numbers(9)).at(8) != 64) return 3;
    const auto text = [](int n) { return std::to_string(n); };
    if (fork_map(text, numbers(9), {.processes = 4}).at(8) != "8") return 4;
    tutti::multiprocessing::Pool pool(2);
    return pool.apply(square, 3) == 9 ? 0 : 5;
  });
  EXPECT_EQ(limited.join(), 0);
}

TEST(ForkMap, RefusesNegativeOptions) {
  using tutti::ValueError;
  EXPECT_TRUE(throws<ValueError>([] { fork_map(square, numbers(1), {.processes = -1}); },
                                 {"processes", "-1"}));
  EXPECT_TRUE(throws<ValueError>([] { fork_map(square, numbers(1), {.chunksize = -2}); },
                                 {"chunksize", "-2"}));
  EXPECT_TRUE(
      throws<ValueError>([] { fork_map(square, numbers(1), {.retries = -3}); }, {"retries", "-3"}));
}

}  // namespace tests
