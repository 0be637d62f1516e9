// multiprocessing::Pool: what its methods give, and what is thrown.
#include "tutti/multiprocessing/pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <map>
#include <numeric>
#include <optional>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "support/start_methods.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/multiprocessing/event.h"
#include "tutti/multiprocessing/process.h"
#include "tutti/tutti.h"

namespace tests {

namespace {

using namespace tutti;
using multiprocessing::callbacks;
using multiprocessing::Pool;
using multiprocessing::StartMethod;

int square(int n) {
  return n * n;
}
std::string greet(const std::string& name) {
  return "hello " + name;
}

std::vector<int> numbers(int count) {
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}
std::vector<int> squares(int count) {
  std::vector<int> all = numbers(count);
  for (int& n : all) n = square(n);
  return all;
}

// A function object with a state that crosses.
struct Scale {
  int by = 1;
  int operator()(int n) const { return n * by; }
};

// A value without a default, whose author says how it crosses, or that it does not.
struct Awkward {
  int value = 0;
  bool may_be_read = true;
  template <typename Archive>
  friend void tutti_serialize(Archive& archive, Awkward& awkward) {
    if constexpr (!Archive::is_reading) {
      if (awkward.value < 0) throw std::runtime_error("too low to be packed");
    }
    archive(awkward.value, awkward.may_be_read);
    if constexpr (Archive::is_reading) {
      if (!awkward.may_be_read) throw std::runtime_error("not to be unpacked");
    }
  }
};

struct Unknown : std::out_of_range {
  using std::out_of_range::out_of_range;
};

// What the initializer of a pool has given its workers.
std::optional<multiprocessing::Event> kept_event;
void keep_event(const multiprocessing::Event& event) {
  kept_event = event;
}

class PoolTest : public ForEachStartMethod {};

}  // namespace

INSTANTIATE_TEST_SUITE_P(Started, PoolTest, all_start_methods(), name_of_start_method);

// --- calls ---------------------------------------------------------------------------------------

TEST_P(PoolTest, CallsFunctionsInOtherProcesses) {
  Pool pool = context().Pool(2);
  EXPECT_EQ(pool.processes(), 2u);
  EXPECT_EQ(pool.apply(square, 7), 49);
  EXPECT_EQ(pool.apply(greet, "you"), "hello you");
  EXPECT_EQ(pool.apply([](int a, double b) { return a + b; }, 1, 0.5), 1.5);
  EXPECT_EQ(pool.apply(Scale{3}, 5), 15);
  EXPECT_NE(pool.apply([] { return getpid(); }), getpid());
  pool.apply([] {});
}

TEST_P(PoolTest, GivesAResultThatCanBeAskedFor) {
  Pool pool = context().Pool(1);
  auto result = pool.apply_async(square, 3);
  result.wait();
  EXPECT_TRUE(result.ready());
  EXPECT_TRUE(result.successful());
  EXPECT_EQ(result.get(), 9);
  EXPECT_EQ(result.get(), 9);

  auto pending = pool.apply_async([] { pause(); });
  EXPECT_FALSE(pending.ready());
  EXPECT_TRUE(throws<ValueError>([&] { pending.successful(); }, {"not ready"}));
  EXPECT_TRUE(throws<TimeoutError>([&] { pending.get(0.01); }));
}

TEST_P(PoolTest, CallsBackBeforeTheResultIsReady) {
  Pool pool = context().Pool(1);
  int seen = 0;
  std::string error;
  const auto on_error = [&](std::exception_ptr exception) {
    try {
      std::rethrow_exception(exception);
    } catch (const std::exception& caught) {
      error = caught.what();
    }
  };
  pool.apply_async(callbacks([&](int n) { seen = n; }, on_error), square, 4).wait();
  EXPECT_EQ(seen, 16);
  auto failed = pool.apply_async(
      callbacks([&](int) { seen = 0; }, on_error),
      [](int) -> int { throw std::domain_error("no"); }, 4);
  failed.wait();
  EXPECT_FALSE(failed.successful());
  EXPECT_EQ(seen, 16);
  EXPECT_EQ(error, "no");
  std::size_t count = 0;
  pool.map_async(callbacks([&](const std::vector<int>& all) { count = all.size(); }), square,
                 numbers(10))
      .wait();
  EXPECT_EQ(count, 10u);
}

TEST_P(PoolTest, CarriesLargeArgumentsAndResults) {
  Pool pool = context().Pool(2);
  const std::string large(std::size_t{1} << 20, 'x');
  for (int i = 0; i < 8; ++i) EXPECT_EQ(pool.apply(greet, large).size(), large.size() + 6);
  const std::vector<std::string> many(64, large);
  const auto same = pool.map([](const std::string& text) { return text; }, many, 3);
  EXPECT_EQ(same, many);
}

// Bytes of memory that the pool made last has in use.
std::size_t memory_of_pool() {
  std::size_t used = 0;
  for (int descriptor = 3; descriptor < 100; ++descriptor) {
    char name[64] = {};
    struct stat state;
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    if (readlink(link.c_str(), name, sizeof name - 1) <= 0 || fstat(descriptor, &state) != 0) {
      continue;
    }
    if (std::string_view(name).starts_with("/memfd:tutti pool")) {
      used = static_cast<std::size_t>(state.st_blocks) * 512;
    }
  }
  return used;
}

TEST_P(PoolTest, TheMemoryOfLargeResultsIsGivenBack) {
  Pool pool = context().Pool(1);
  constexpr std::size_t mebi = std::size_t{1} << 20;
  EXPECT_EQ(pool.apply([](std::size_t size) { return std::string(size, 'x'); }, 64 * mebi).size(),
            64 * mebi);
  EXPECT_GT(memory_of_pool(), 8 * mebi);
  // The result is there a moment before its memory is given back.
  until([] { return memory_of_pool() < 36 * mebi; });
}

// --- maps ----------------------------------------------------------------------------------------

TEST_P(PoolTest, MapsInOrderWhateverTheChunks) {
  Pool pool = context().Pool(3);
  for (const int count : {0, 1, 11, 5000}) {
    EXPECT_EQ(pool.map(square, numbers(count)), squares(count));
    for (const int chunksize : {1, 7, 10000}) {
      EXPECT_EQ(pool.map(square, numbers(count), chunksize), squares(count));
    }
  }
  EXPECT_EQ(pool.map_async(square, numbers(100)).get(), squares(100));
}

TEST(PoolChunks, AreAsInPython) {
  EXPECT_EQ(multiprocessing::default_chunksize(0, 2), 0u);
  EXPECT_EQ(multiprocessing::default_chunksize(8, 2), 1u);
  EXPECT_EQ(multiprocessing::default_chunksize(9, 2), 2u);
  EXPECT_EQ(multiprocessing::default_chunksize(100000, 2), 12500u);
}

TEST_P(PoolTest, MapsRangesOfAllKinds) {
  Pool pool = context().Pool(2);
  EXPECT_EQ(pool.map(square, std::views::iota(0, 50)), squares(50));
  const std::set<std::string> names{"Ann", "Bob"};
  EXPECT_EQ(pool.map(greet, names), (std::vector<std::string>{"hello Ann", "hello Bob"}));
  const char* texts[] = {"a", "b"};
  EXPECT_EQ(pool.map(greet, texts), (std::vector<std::string>{"hello a", "hello b"}));
  EXPECT_EQ(pool.map([](int n) { return n % 2 == 0; }, numbers(3)),
            (std::vector<bool>{true, false, true}));
  pool.map([](int) {}, numbers(20));
}

TEST_P(PoolTest, AFunctionMayReturnAReferenceToItsElement) {
  Pool pool = context().Pool(2);
  const std::vector<std::string> names{std::string(100, 'a'), std::string(100, 'b')};
  EXPECT_EQ(pool.map([](const std::string& name) -> const std::string& { return name; }, names),
            names);
  EXPECT_EQ(pool.map([](const int& n) -> const int& { return n; }, numbers(100), 7), numbers(100));
}

TEST_P(PoolTest, SpreadsTuples) {
  Pool pool = context().Pool(2);
  const std::vector<std::tuple<int, std::string>> pairs{{2, "x"}, {3, "y"}};
  const auto repeat = [](int n, const std::string& text) {
    std::string all;
    for (int i = 0; i < n; ++i) all += text;
    return all;
  };
  const std::vector<std::string> expected{"xx", "yyy"};
  EXPECT_EQ(pool.starmap(repeat, pairs), expected);
  EXPECT_EQ(pool.starmap_async(repeat, pairs).get(), expected);
}

TEST_P(PoolTest, GivesResultsOneByOne) {
  Pool pool = context().Pool(2);
  for (const int chunksize : {1, 7}) {
    std::vector<int> ordered;
    for (int n : pool.imap(square, numbers(500), chunksize)) ordered.push_back(n);
    EXPECT_EQ(ordered, squares(500));
    std::vector<int> unordered;
    for (int n : pool.imap_unordered(square, numbers(500), chunksize)) unordered.push_back(n);
    std::sort(unordered.begin(), unordered.end());
    EXPECT_EQ(unordered, squares(500));
  }
  // Python takes all elements at once.
  auto endless = pool.imap(square, std::views::iota(0));
  EXPECT_EQ(endless.next(), 0);
  EXPECT_EQ(endless.next(), 1);
}

TEST_P(PoolTest, CloseLetsAnImapTakeAllElements) {
  Pool pool = context().Pool(2);
  auto results = pool.imap(square, numbers(100), 1, 3);
  pool.close();
  std::vector<int> all;
  for (int n : results) all.push_back(n);
  EXPECT_EQ(all, squares(100));
  pool.join();
}

TEST_P(PoolTest, JoinLetsAnImapHaveWhatItHasSubmitted) {
  Pool pool = context().Pool(2);
  auto results = pool.imap(square, numbers(100), 1, 3);
  auto untouched = pool.imap_unordered(square, numbers(100), 1, 3);
  EXPECT_EQ(results.next(), 0);
  pool.close();
  pool.join();
  for (const int n : {1, 2, 3}) EXPECT_EQ(results.next(), square(n));
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(throws<ValueError>([&] { results.next(); }, {"joined", "imap"}));
  }
}

TEST_P(PoolTest, WhatARangeThrowsComesInItsPlace) {
  Pool pool = context().Pool(2);
  auto up_to_three = std::views::iota(0) | std::views::transform([](int n) {
                       return n < 3 ? n : throw std::domain_error("no more");
                     });
  auto results = pool.imap(square, up_to_three, 1, 2);
  for (const int n : {0, 1, 2}) EXPECT_EQ(results.next(), square(n));
  EXPECT_TRUE(throws<std::domain_error>([&] { results.next(); }, {"no more"}));
}

TEST_P(PoolTest, GoesOnWithTheNextResultAfterAnException) {
  Pool pool = context().Pool(2);
  const auto picky = [](int n) {
    if (n == 1) throw std::domain_error("one");
    return n;
  };
  auto results = pool.imap(picky, numbers(3));
  EXPECT_EQ(results.next(), 0);
  EXPECT_TRUE(throws<std::domain_error>([&] { results.next(); }, {"one"}));
  EXPECT_EQ(results.next(), 2);
  EXPECT_EQ(results.next(), std::nullopt);
  EXPECT_TRUE(
      throws<TimeoutError>([&] { pool.imap([](int) { pause(); }, numbers(1)).next(0.01); }));
}

// --- exceptions ----------------------------------------------------------------------------------

TEST_P(PoolTest, ExceptionsComeOutWithTypeTextAndCause) {
  Pool pool = context().Pool(1);
  EXPECT_TRUE(throws<std::length_error>(
      [&] { pool.apply([] { throw std::length_error("too long"); }); }, {"too long"}));
  EXPECT_TRUE(throws<ValueError>([&] { pool.apply([] { throw ValueError("bad"); }); }, {"bad"}));
  EXPECT_THROW(pool.apply([] { throw Unknown("seventh of six"); }), std::out_of_range);
  EXPECT_TRUE(throws<RuntimeError>([&] { pool.apply([] { throw 7; }); }, {"int"}));
  EXPECT_TRUE(throws<std::domain_error>([&] {
    pool.map([](int n) { return n == 50 ? throw std::domain_error("fifty") : n; }, numbers(100));
  }));
  try {
    pool.apply([] {
      try {
        throw std::domain_error("cause");
      } catch (...) {
        std::throw_with_nested(std::logic_error("outcome"));
      }
    });
    FAIL();
  } catch (const std::logic_error& outcome) {
    EXPECT_STREQ(outcome.what(), "outcome");
    EXPECT_TRUE(throws<std::domain_error>([&] { std::rethrow_if_nested(outcome); }, {"cause"}));
  }
}

TEST_P(PoolTest, WhatCannotBePackedFailsAlone) {
  Pool pool = context().Pool(1);
  using multiprocessing::MaybeEncodingError;
  const auto value = [](const Awkward& awkward) { return awkward.value; };
  const auto make = [](int n) { return Awkward{n, n != 7}; };
  EXPECT_TRUE(throws<MaybeEncodingError>([&] { pool.apply(value, Awkward{-1}); }, {"too low"}));
  EXPECT_TRUE(throws<MaybeEncodingError>(
      [&] {
        pool.apply(value, Awkward{1, false});
      },
      {"not to be"}));
  EXPECT_TRUE(throws<MaybeEncodingError>([&] { pool.apply(make, -1); }, {"too low"}));
  EXPECT_TRUE(throws<MaybeEncodingError>([&] { pool.apply(make, 7); }, {"not to be"}));
  EXPECT_TRUE(throws<MaybeEncodingError>(
      [&] {
        pool.map(value, std::vector<Awkward>{{1}, {-1}, {2}}, 1);
      },
      {"too low"}));
  EXPECT_EQ(pool.apply(value, Awkward{5}), 5);
}

TEST_P(PoolTest, WrongNumbersAreRefused) {
  EXPECT_TRUE(throws<ValueError>([] { Pool pool(0); }, {"processes", "0"}));
  EXPECT_TRUE(throws<ValueError>([] { Pool pool({.maxtasksperchild = 0}); }, {"maxtasksperchild"}));
  EXPECT_TRUE(throws<ValueError>([] { Pool pool({.retries = -1}); }, {"retries"}));
  Pool pool = context().Pool(1);
  EXPECT_TRUE(throws<ValueError>([&] { pool.map(square, numbers(3), 0); }, {"chunksize"}));
  EXPECT_TRUE(throws<ValueError>([&] { pool.imap(square, numbers(3), 0); }, {"chunksize"}));
}

// --- workers -------------------------------------------------------------------------------------

TEST_P(PoolTest, WorkersAreInitialized) {
  static std::string place;
  Pool pool = context().Pool(
      {.processes = 2,
       .initializer = {[](const std::string& text) { place = text; }, std::string("database")}});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(pool.apply([] { return place; }), "database");
}

TEST_P(PoolTest, AnInitializerThatAlwaysFailsBreaksThePool) {
  Pool pool = context().Pool(
      {.processes = 2, .initializer = [] { throw std::runtime_error("no database"); }});
  auto pending = pool.apply_async(square, 1);
  EXPECT_TRUE(throws<futures::BrokenProcessPool>([&] { pending.get(); }, {"no database"}));
  EXPECT_TRUE(throws<futures::BrokenProcessPool>([&] { pool.apply(square, 1); }, {"no database"}));
}

TEST_P(PoolTest, WorkersAreReplacedAfterSoManyTasks) {
  Pool pool = context().Pool({.processes = 1, .maxtasksperchild = 2});
  std::map<int, int> tasks_of;
  for (int n = 0; n < 10; ++n) ++tasks_of[pool.apply([] { return static_cast<int>(getpid()); })];
  EXPECT_EQ(tasks_of.size(), 5u);
  for (const auto& [worker, tasks] : tasks_of) EXPECT_EQ(tasks, 2);
}

TEST_P(PoolTest, ATaskThatEndsItsWorkerIsLost) {
  const std::map<StartMethod, std::string> names{
      {StartMethod::fork, "'ForkPoolWorker-1'"},
      {StartMethod::spawn, "'SpawnPoolWorker-1'"},
      {StartMethod::forkserver, "'ForkServerPoolWorker-1'"}};
  Pool pool = context().Pool(1);
  EXPECT_TRUE(throws<multiprocessing::WorkerLost>([&] { pool.apply([] { std::exit(3); }); },
                                                  {"exit code 3", names.at(GetParam()), "pid"}));
  try {
    pool.apply([] { raise(SIGUSR1); });
    FAIL();
  } catch (const multiprocessing::WorkerLost& lost) {
    EXPECT_EQ(lost.exitcode(), -SIGUSR1);
    EXPECT_NE(lost.pid(), 0u);
  }
  EXPECT_EQ(pool.apply(square, 3), 9);
}

TEST_P(PoolTest, IsNotForForkedChildren) {
  if (under_thread_sanitizer) GTEST_SKIP() << "it can't fork with threads";
  Pool pool = context().Pool(1);
  auto pending = pool.apply_async([] { pause(); });
  multiprocessing::Process child([&] {
    if (!throws<RuntimeError>([&] { pool.apply(square, 1); }, {"forked"})) std::exit(1);
    if (!throws<RuntimeError>([&] { pending.get(); }, {"forked"})) std::exit(2);
    if (!throws<RuntimeError>([&] { pool.join(); }, {"forked"})) std::exit(3);
    if (!throws<RuntimeError>([&] { pool.close(); }, {"forked"})) std::exit(4);
    if (!throws<RuntimeError>([&] { pool.terminate(); }, {"forked"})) std::exit(5);
  });
  // Not by the start method of the pool's workers.
  child.start();
  child.join();
  EXPECT_EQ(child.exitcode(), 0);
}

// --- the end -------------------------------------------------------------------------------------

TEST_P(PoolTest, CloseLetsTasksBeDone) {
  Pool pool = context().Pool(2);
  EXPECT_TRUE(throws<ValueError>([&] { pool.join(); }, {"still running"}));
  auto result = pool.map_async(square, numbers(2000), 1);
  pool.close();
  EXPECT_TRUE(throws<ValueError>([&] { pool.apply(square, 1); }, {"Pool not running"}));
  EXPECT_TRUE(throws<ValueError>([&] { pool.map(square, numbers(0)); }, {"Pool not running"}));
  EXPECT_TRUE(throws<ValueError>([&] { pool.imap(square, numbers(1)); }, {"Pool not running"}));
  pool.join();
  EXPECT_TRUE(result.ready());
  EXPECT_EQ(result.get(), squares(2000));
  EXPECT_TRUE(multiprocessing::active_children().empty());
}

TEST_P(PoolTest, TerminateEndsTasksThatRun) {
  multiprocessing::Event has_begun;
  Pool pool = context().Pool({.processes = 2, .initializer = {keep_event, has_begun}});
  // One that does not heed SIGTERM.
  auto stubborn = pool.apply_async([] {
    std::signal(SIGTERM, SIG_IGN);
    kept_event->set();
    for (;;) pause();
  });
  auto running = pool.map_async([](int) { pause(); }, numbers(10), 1);
  has_begun.wait();
  pool.terminate();
  EXPECT_TRUE(throws<RuntimeError>([&] { running.get(); }, {"terminated"}));
  EXPECT_TRUE(throws<RuntimeError>([&] { stubborn.get(); }, {"terminated"}));
  EXPECT_TRUE(throws<ValueError>([&] { pool.apply(square, 1); }, {"terminated"}));
  pool.join();
  EXPECT_TRUE(multiprocessing::active_children().empty());
}

TEST_P(PoolTest, TheDestructorTerminates) {
  std::optional<multiprocessing::AsyncResult<void>> running;
  {
    Pool pool = context().Pool(2);
    running = pool.apply_async([] { pause(); });
  }
  EXPECT_TRUE(running->ready());
  EXPECT_TRUE(multiprocessing::active_children().empty());
}

// Daemon threads stop there one after the other, in any order.
TEST_P(PoolTest, TheProgramEndsWithAPoolInAStaticObject) {
  const auto program = [this] {
    static std::optional<Pool> pool;
    pool.emplace(multiprocessing::PoolOptions{.processes = 2, .context = context()});
    pool->map_async([](int) { pause(); }, numbers(3), 1);
    std::exit(0);
  };
  if (under_thread_sanitizer) GTEST_SKIP() << "it can't fork with threads";
  for (int round = 0; round < 10; ++round) {
    EXPECT_EXIT(program(), testing::ExitedWithCode(0), "");
  }
}

}  // namespace tests
