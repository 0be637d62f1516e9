// Queue, SimpleQueue, JoinableQueue: what they promise, in one process and in several.
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "multiprocessing/ring.h"
#include "runtime/load.h"
#include "support/forked.h"
#include "support/sanitizer.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/multiprocessing.h"
#include "tutti/queue.h"
#include "tutti/threading.h"

namespace tests {

namespace queue = tutti::queue;
using namespace std::chrono_literals;
using tutti::multiprocessing::JoinableQueue;
using tutti::multiprocessing::Queue;
using tutti::multiprocessing::Segment;
using tutti::multiprocessing::SimpleQueue;

// --- items ---------------------------------------------------------------------------------------

struct Point {
  int x;
  int y;
  friend bool operator==(const Point&, const Point&) = default;
};

struct Report {
  std::string title;
  std::vector<Point> points;
  std::map<std::string, std::optional<double>> values;
  friend bool operator==(const Report&, const Report&) = default;
};

// Describes itself; counts how often, where a test asks for it.
class Account {
 public:
  Account() = default;
  Account(std::string owner, int balance) : owner_(std::move(owner)), balance_(balance) {}
  friend bool operator==(const Account&, const Account&) = default;

  template <class Archive>
  friend void tutti_serialize(Archive& archive, Account& account) {
    archive(account.owner_, account.balance_);
    if (account.balance_ < 0) throw std::domain_error("overdrawn");
  }

 private:
  std::string owner_;
  int balance_ = 0;
};

template <typename T>
void expect_crosses(const T& item) {
  Queue<T> there;
  Queue<T> back;
  Forked child([&] { back.put(there.get()); });
  there.put(item);
  EXPECT_EQ(back.get(), item);
  EXPECT_EQ(child.join(), 0);
}

TEST(ProcessQueue, ItemsOfAllKindsCross) {
  expect_crosses(17);
  expect_crosses(true);
  expect_crosses(Point{1, 2});
  expect_crosses(std::string());
  expect_crosses(std::string(100'000, 'x'));
  expect_crosses(Report{"title", {{1, 2}, {3, 4}}, {{"a", 1.5}, {"b", std::nullopt}}});
  expect_crosses(Account("Ann", 5));
  expect_crosses(std::vector<Account>{{"Ann", 5}, {std::string(1000, 'B'), 6}});
}

TEST(ProcessQueue, AnItemOfOneMebibyteCrosses) {
  std::vector<std::uint32_t> numbers(1 << 18);
  for (std::uint32_t i = 0; i < numbers.size(); ++i) numbers[i] = i * i;
  expect_crosses(numbers);
}

// Hands descriptors over within one process.
class ToMyself final : public tutti::pickle::Passage {
 public:
  int add_descriptor(int descriptor) override {
    descriptors_.push_back(dup(descriptor));
    return static_cast<int>(descriptors_.size()) - 1;
  }
  int take_descriptor(int index) override {
    return descriptors_.at(static_cast<std::size_t>(index));
  }

 private:
  std::vector<int> descriptors_;
};

// What a spawned process makes of `value`, there taken for a To.
template <typename To, typename From>
To given(const From& value) {
  ToMyself passage;
  std::vector<std::byte> bytes(tutti::pickle::packed_size(value));
  tutti::pickle::Writer writer(bytes, &passage);
  tutti::pickle::pack(writer, value);
  tutti::pickle::Reader reader(bytes, &passage);
  return tutti::pickle::unpack<To>(reader);
}

// --- one process ---------------------------------------------------------------------------------

TEST(ProcessQueue, FirstInFirstOut) {
  Queue<int> numbers;
  for (int i = 0; i < 1000; ++i) numbers.put(i);
  EXPECT_EQ(numbers.qsize(), 1000u);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(numbers.get(), i);
  EXPECT_TRUE(numbers.empty());
}

TEST(ProcessQueue, MaxsizeBoundsTheNumberOfItems) {
  Queue<int> numbers(2);
  EXPECT_EQ(numbers.maxsize(), 2u);
  numbers.put(1);
  EXPECT_FALSE(numbers.full());
  EXPECT_TRUE(numbers.try_put(2));
  EXPECT_TRUE(numbers.full());
  EXPECT_FALSE(numbers.try_put(3));
  EXPECT_FALSE(numbers.try_put(3, 1ms));
  EXPECT_EQ(numbers.get(), 1);
  EXPECT_TRUE(numbers.try_put(3));
  EXPECT_EQ(numbers.qsize(), 2u);
  EXPECT_EQ(Queue<int>().maxsize(), 0u);
  EXPECT_EQ(Queue<int>(-1).maxsize(), 0u);
}

TEST(ProcessQueue, FullAndEmptySayWhichQueue) {
  Queue<int> jobs(1, "jobs");
  EXPECT_TRUE(
      throws<queue::Empty>([&] { jobs.get_nowait(); }, {"Queue 'jobs' is empty", "MainThread"}));
  EXPECT_TRUE(throws<queue::Empty>([&] { jobs.get(true, 1ms); }, {"Queue 'jobs' is empty"}));
  jobs.put(1);
  EXPECT_TRUE(
      throws<queue::Full>([&] { jobs.put_nowait(2); }, {"Queue 'jobs' is full", "maxsize of 1"}));
  EXPECT_TRUE(throws<queue::Full>([&] { jobs.put(2, false); }));
  EXPECT_TRUE(throws<queue::Full>([&] { jobs.put(2, true, 0.001); }));
  EXPECT_EQ(jobs.name(), "jobs");
}

struct OpenedQueue : Queue<int> {
  using Queue<int>::Queue;
  using QueueBase::segment;
};

// As a process that was stopped in the middle of a put and a get.
TEST(ProcessQueue, WhoIsBusyWithItIsNamedByFullAndEmpty) {
  OpenedQueue jobs(1, "jobs");
  const auto is_busy = make_shared_with_children<std::atomic<bool>>(false);
  Forked other([&] {
    tutti::multiprocessing::Ring ring(jobs.segment());
    ring.header().putters.lock.acquire();
    ring.header().getters.lock.acquire();
    *is_busy = true;
    for (;;) pause();
  });
  until([&] { return is_busy->load(); });
  const std::string who = "thread 'MainThread' of process " + std::to_string(other.pid());
  EXPECT_TRUE(throws<queue::Full>([&] { jobs.put(1, true, 1ms); },
                                  {"Queue 'jobs': " + who + " is busy putting an item"}));
  EXPECT_TRUE(throws<queue::Empty>([&] { jobs.get(true, 1ms); },
                                   {"Queue 'jobs': " + who + " is busy getting an item"}));
  std::vector<int> numbers{1, 2};
  EXPECT_TRUE(throws<queue::Full>([&] { jobs.put_many(numbers, true, 1ms); }, {who}));
  EXPECT_FALSE(jobs.try_put(1, 1ms));
  EXPECT_FALSE(jobs.try_get(1ms));
  other.kill();
  jobs.put_nowait(1);
  EXPECT_EQ(jobs.get_nowait(), 1);
}

TEST(ProcessQueue, ANegativeTimeoutIsRefused) {
  Queue<int> numbers;
  EXPECT_TRUE(throws<tutti::ValueError>([&] { numbers.get(true, -1); }, {"non-negative"}));
  EXPECT_TRUE(throws<tutti::ValueError>([&] { numbers.put(1, true, -0.5); }, {"non-negative"}));
}

TEST(ProcessQueue, AfterCloseThisProcessIsRefusedAndOthersGoOn) {
  Queue<int> jobs(0, "jobs");
  Queue<int> copy = jobs;
  EXPECT_EQ(copy, jobs);
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { jobs.join_thread(); }, {"'jobs'", "close()"}));
  Queue<int> answers;
  Forked child([&] { answers.put(copy.get() + 1); });
  jobs.put(1);
  copy.close();
  EXPECT_TRUE(throws<tutti::ValueError>([&] { jobs.put(1); }, {"Queue 'jobs' is closed"}));
  EXPECT_TRUE(throws<tutti::ValueError>([&] { jobs.get(); }, {"Queue 'jobs' is closed"}));
  jobs.join_thread();
  jobs.cancel_join_thread();
  EXPECT_EQ(answers.get(), 2);
}

TEST(ProcessQueue, ManyAtATime) {
  Queue<int> numbers(3);
  std::vector<int> items{1, 2, 3, 4, 5};
  EXPECT_TRUE(throws<queue::Full>([&] { numbers.put_many(items, false); }));
  EXPECT_EQ(items, (std::vector{4, 5}));
  EXPECT_EQ(numbers.get_many(2), (std::vector{1, 2}));
  numbers.put_many(items);
  EXPECT_TRUE(items.empty());
  EXPECT_EQ(numbers.get_many(100), (std::vector{3, 4, 5}));
  EXPECT_TRUE(numbers.get_many(0).empty());
  EXPECT_TRUE(throws<queue::Empty>([&] { numbers.get_many(1, false); }));

  Queue<Account> accounts;
  accounts.put_many({{"Ann", 1}, {"Ben", 2}});
  EXPECT_EQ(accounts.get_many(5), (std::vector<Account>{{"Ann", 1}, {"Ben", 2}}));
  Queue<bool> bits;
  bits.put_many({true, false});
  EXPECT_EQ(bits.get_many(5), (std::vector{true, false}));
}

// Nests itself, more deeply than can be packed if it is asked to.
struct Nested {
  std::vector<Nested> inner;
};

TEST(ProcessQueue, AnItemThatCantBePackedStopsThoseBehindIt) {
  Nested deep;
  for (int i = 0; i < 300; ++i) {
    Nested outer;
    outer.inner.push_back(std::move(deep));
    deep = std::move(outer);
  }
  Queue<Nested> queue;
  std::vector<Nested> items(2);
  items.push_back(deep);
  items.push_back({});
  EXPECT_THROW(queue.put_many(items), tutti::ValueError);
  EXPECT_EQ(items.size(), 2u);
  EXPECT_EQ(queue.qsize(), 2u);
}

TEST(ProcessQueue, AnItemThatIsNoneStopsThoseBehindIt) {
  Queue<std::string> texts;
  auto vectors = given<Queue<std::vector<std::string>>>(texts);
  vectors.put({"one"});
  texts.put(std::string(100, '\xff'));
  vectors.put({"two"});
  EXPECT_EQ(vectors.get_many(5), (std::vector<std::vector<std::string>>{{"one"}}));
  EXPECT_THROW(vectors.get_many(5), tutti::ValueError);
  EXPECT_EQ(vectors.get_many(5), (std::vector<std::vector<std::string>>{{"two"}}));
}

TEST(ProcessQueue, GetManyCrossesLanes) {
  Queue<std::string> texts;
  std::vector<std::string> items;
  for (std::size_t i = 0; i < 60; ++i)
    items.emplace_back(i * 1000, 'a' + static_cast<char>(i % 26));
  for (int round = 0; round < 20; ++round) {
    std::vector<std::string> left = items;
    texts.put_many(left);
    ASSERT_EQ(texts.get_many(60), items);
  }
}

TEST(ProcessQueue, ShutdownLetsTheRestBeGot) {
  Queue<int> jobs(0, "jobs");
  jobs.put(1);
  jobs.put(2);
  jobs.shutdown();
  EXPECT_TRUE(jobs.is_shutdown());
  EXPECT_TRUE(throws<queue::ShutDown>([&] { jobs.put(3); }, {"Queue 'jobs' was shut down"}));
  EXPECT_EQ(jobs.get(), 1);
  EXPECT_EQ(jobs.try_get(), 2);
  EXPECT_TRUE(throws<queue::ShutDown>([&] { jobs.get(); }, {"Queue 'jobs' was shut down"}));
  EXPECT_TRUE(throws<queue::ShutDown>([&] { jobs.try_get(); }));
}

TEST(ProcessQueue, AnImmediateShutdownDropsWhatIsInIt) {
  Queue<int> jobs;
  jobs.put(1);
  jobs.put(2);
  EXPECT_EQ(jobs.get(), 1);
  jobs.shutdown(true);
  EXPECT_EQ(jobs.qsize(), 0u);
  EXPECT_TRUE(throws<queue::ShutDown>([&] { jobs.get(); }));
}

TEST(ProcessQueue, ItemsEndWithTheShutdown) {
  Queue<int> jobs;
  Queue<int> answers;
  Forked child([&] {
    int sum = 0;
    for (int& job : jobs.items()) sum += job;
    answers.put(sum);
  });
  for (int i = 1; i <= 100; ++i) jobs.put(i);
  jobs.shutdown();
  EXPECT_EQ(answers.get(), 5050);
}

// Getters that have learnt to let more come together don't wait for more when there is none to
// come.
TEST(ProcessQueue, ShutdownLetsPatientGettersGo) {
  OpenedQueue jobs;
  const tutti::multiprocessing::Ring ring(jobs.segment());
  jobs.put(1);
  jobs.shutdown();
  ring.header().getters.patience.store(31, std::memory_order_relaxed);
  EXPECT_EQ(jobs.get(), 1);
  EXPECT_THROW(jobs.get(), queue::ShutDown);
  for ([[maybe_unused]] const int job : jobs.items()) ADD_FAILURE();
}

TEST(ProcessQueue, ForManyItemsPatienceIsLearntOnce) {
  OpenedQueue jobs(100);
  const tutti::multiprocessing::Ring ring(jobs.segment());
  jobs.put_many(std::vector<int>(100));
  EXPECT_EQ(jobs.get_many(50).size(), 50U);
  auto& patience = ring.header().putters.patience;
  patience.store(1, std::memory_order_relaxed);
  jobs.put_many(std::vector<int>(50));
  EXPECT_EQ(patience.load(std::memory_order_relaxed), 3U);
}

TEST(ProcessQueue, WhoHasHardlyTimeTakesWhatIsThereAtOnce) {
  OpenedQueue jobs;
  const tutti::multiprocessing::Ring ring(jobs.segment());
  jobs.put(1);
  EXPECT_EQ(jobs.get(), 1);
  jobs.put(2);
  auto& patience = ring.header().getters.patience;
  patience.store(31, std::memory_order_relaxed);
  EXPECT_EQ(jobs.get(true, 100us), 2);
  // Nothing was learnt, for nobody has come a second time.
  EXPECT_EQ(patience.load(std::memory_order_relaxed), 31U);
}

// A getter that has not looked yet does not say that it is asleep.
TEST(ProcessQueue, WithoutACoreToSpinOnNobodyIsPatient) {
  OpenedQueue jobs;
  const tutti::multiprocessing::Ring ring(jobs.segment());
  jobs.put(1);
  EXPECT_EQ(jobs.get(), 1);
  jobs.put(2);
  ring.header().getters.patience.store(31, std::memory_order_relaxed);
  std::atomic<bool> is_over = false;
  std::vector<tutti::threading::Thread> threads;
  for (int i = 0; i < tutti::platform::cores(); ++i) {
    threads.emplace_back([&] {
      while (!is_over) tutti::platform::relax();
    });
    threads.back().start();
  }
  until([] { return !tutti::runtime::is_core_free(); });
  EXPECT_EQ(jobs.get(), 2);
  is_over = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(ring.header().sleeping_getters.word().load(), 0U);
}

TEST(ProcessQueue, ShutdownLetsThoseGoWhoWait) {
  Queue<int> empty;
  Queue<int> full(1);
  full.put(1);
  const auto waits = make_shared_with_children<std::atomic<int>>(0);
  const auto expect_shut = [](auto&& call) {
    try {
      call();
    } catch (const queue::ShutDown&) {
      return;
    }
    throw std::runtime_error("it was not shut down");
  };
  Forked getter([&] { expect_shut([&] { ++*waits, empty.get(); }); });
  Forked putter([&] { expect_shut([&] { ++*waits, full.put(2); }); });
  until([&] { return *waits == 2; });
  empty.shutdown();
  full.shutdown();
  EXPECT_EQ(getter.join(), 0);
  EXPECT_EQ(putter.join(), 0);
}

TEST(ProcessQueue, AHookThatThrowsLeavesTheQueueAsItWas) {
  Queue<Account> accounts;
  accounts.put({"Ann", 1});
  EXPECT_THROW(accounts.put({"Ben", -1}), std::domain_error);
  EXPECT_EQ(accounts.qsize(), 1u);
  EXPECT_EQ(accounts.get(), Account("Ann", 1));
}

// Its hook uses the queue that it is being put into.
struct Meddler {
  inline static Queue<Meddler>* queue = nullptr;
  int depth = 0;
  template <class Archive>
  friend void tutti_serialize(Archive& archive, Meddler& item) {
    if (queue != nullptr && item.depth == 0) queue->qsize(), queue->try_put(Meddler{1});
    archive(item.depth);
  }
};

TEST(ProcessQueue, AHookRunsWithoutALock) {
  Queue<Meddler> items;
  Meddler::queue = &items;
  items.put(Meddler{0});
  Meddler::queue = nullptr;
  EXPECT_GE(items.qsize(), 2u);
}

TEST(ProcessQueue, AnItemThatIsNoneIsToldAndGone) {
  Queue<std::string> texts;
  auto vectors = given<Queue<std::vector<std::string>>>(texts);
  texts.put(std::string(100, '\xff'));
  texts.put("next");
  EXPECT_THROW(vectors.get(), tutti::ValueError);
  EXPECT_EQ(texts.get(), "next");
}

TEST(ProcessQueue, CrossesWithItsNameToAProcessThatIsGivenIt) {
  Queue<std::string> jobs(3, "jobs");
  jobs.put("first");
  {
    auto same = given<Queue<std::string>>(jobs);
    EXPECT_EQ(same.name(), "jobs");
    EXPECT_EQ(same.maxsize(), 3u);
    EXPECT_EQ(same.get(), "first");
    same.put("second");
  }
  EXPECT_EQ(jobs.get(), "second");
  JoinableQueue<int> tasks;
  tasks.put(1);
  given<JoinableQueue<int>>(tasks).task_done();
  tasks.join();
  SimpleQueue<int> simple;
  given<SimpleQueue<int>>(simple).put(5);
  EXPECT_EQ(simple.get(), 5);
}

TEST(ProcessQueue, AsAnItemItIsRefused) {
  Queue<Queue<int>> queues;
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { queues.put(Queue<int>()); }, {"Queue"}));
  EXPECT_TRUE(queues.empty());
}

// --- memory --------------------------------------------------------------------------------------

TEST(ProcessQueue, ItemsOfChangingSizesKeepTheirOrder) {
  Queue<std::string> texts;
  std::deque<std::string> expected;
  std::uint32_t random = 12345;
  const auto next = [&] { return random = random * 1664525 + 1013904223; };
  for (int round = 0; round < 4000; ++round) {
    const bool puts = expected.empty() || next() % 100 < (round / 500 % 2 == 0 ? 70u : 30u);
    if (puts) {
      const std::size_t size = next() % 10 == 0 ? next() % 1'000'000 : next() % 2000;
      expected.emplace_back(size, static_cast<char>('a' + round % 26));
      texts.put(expected.back());
    } else {
      ASSERT_EQ(texts.get(), expected.front()) << "round " << round;
      expected.pop_front();
    }
    ASSERT_EQ(texts.qsize(), expected.size());
  }
}

TEST(ProcessQueue, TheMemoryOfALongQueueIsGivenBack) {
  struct Open : Queue<std::vector<std::byte>> {
    using tutti::multiprocessing::QueueBase::segment;
  };
  Open blocks;
  const auto memory = [&] {
    struct stat state;
    EXPECT_EQ(fstat(blocks.segment().descriptor(), &state), 0);
    return static_cast<std::size_t>(state.st_blocks) * 512;
  };
  const std::vector<std::byte> block(1 << 20, std::byte{1});
  for (int i = 0; i < 100; ++i) blocks.put(block);
  EXPECT_GE(memory(), std::size_t{100} << 20);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(blocks.get(), block);
  for (int i = 0; i < 10; ++i) {
    blocks.put(block);
    ASSERT_EQ(blocks.get(), block);
  }
  EXPECT_LE(memory(), std::size_t{64} << 20);
}

TEST(ProcessQueue, AnItemThatIsTooLargeIsRefused) {
  struct Open : Queue<int> {
    using Queue<int>::Queue;
    using QueueBase::put_item;
  };
  Open jobs(0, "jobs");
  EXPECT_TRUE(throws<tutti::ValueError>(
      [&] {
        jobs.put_item({std::size_t{1} << 40, nullptr, [](const void*, std::span<std::byte>) {}}, 0);
      },
      {"too large for Queue 'jobs'"}));
}

TEST(ProcessQueue, WhatIsNoQueueIsNotTakenForOne) {
  struct Open : Queue<int> {
    explicit Open(Segment segment) : Queue<int>(Queue<int>()) {
      QueueBase::operator=(Base(std::move(segment)));
    }
    struct Base : QueueBase {
      explicit Base(Segment segment) : QueueBase("Queue", std::move(segment)) {}
    };
  };
  EXPECT_TRUE(throws<tutti::ValueError>([] { Open(Segment::make(4096, "test")); }));
  EXPECT_TRUE(throws<tutti::ValueError>([] { Open(Segment::make(1 << 20, "test")); }));
}

// --- several processes ---------------------------------------------------------------------------

TEST(ProcessQueue, WaitersAreWokenAcrossProcesses) {
  Queue<int> there(1);
  Queue<int> back(1);
  Forked child([&] {
    for (int i = 0; i < 2000; ++i) back.put(there.get() + 1);
  });
  for (int i = 0; i < 2000; ++i) {
    there.put(i);
    ASSERT_EQ(back.get(), i + 1);
  }
  EXPECT_EQ(child.join(), 0);
}

struct Numbered {
  std::uint32_t producer;
  std::uint32_t number;
};

// Producers and consumers in processes of their own; each consumer sees each producer's items in
// their order, and all of them together see each item once.
void expect_all_cross(int producers, int consumers, std::uint32_t each, int maxsize) {
  Queue<Numbered> items(maxsize);
  Queue<std::uint64_t> sums;
  std::vector<std::unique_ptr<Forked>> children;
  for (int producer = 0; producer < producers; ++producer) {
    children.push_back(std::make_unique<Forked>([&, producer] {
      for (std::uint32_t number = 1; number <= each; ++number) {
        items.put({static_cast<std::uint32_t>(producer), number});
      }
    }));
  }
  for (int consumer = 0; consumer < consumers; ++consumer) {
    children.push_back(std::make_unique<Forked>([&] {
      std::vector<std::uint32_t> last(static_cast<std::size_t>(producers));
      std::uint64_t sum = 0;
      for (const Numbered& item : items.items()) {
        if (item.number <= last[item.producer]) throw std::runtime_error("out of order");
        last[item.producer] = item.number;
        sum += item.number;
      }
      sums.put(sum);
    }));
  }
  for (int producer = 0; producer < producers; ++producer) {
    ASSERT_EQ(children[static_cast<std::size_t>(producer)]->join(), 0);
  }
  items.shutdown();
  std::uint64_t sum = 0;
  for (int consumer = 0; consumer < consumers; ++consumer) sum += sums.get();
  EXPECT_EQ(sum, std::uint64_t{each} * (each + 1) / 2 * static_cast<std::uint64_t>(producers));
  for (int consumer = 0; consumer < consumers; ++consumer) {
    EXPECT_EQ(children[static_cast<std::size_t>(producers + consumer)]->join(), 0);
  }
}

TEST(ProcessQueue, ManyProducersAndConsumersExactly) {
  expect_all_cross(4, 4, 20'000, 100);
}
TEST(ProcessQueue, ManyProducersAndConsumersThroughOnePlace) {
  expect_all_cross(3, 3, 2'000, 1);
}
TEST(ProcessQueue, ManyProducersAndConsumersWithoutLimit) {
  expect_all_cross(8, 2, 10'000, 0);
}

TEST(ProcessQueue, ThreadsOfOneProcessUseItToo) {
  if (under_thread_sanitizer) GTEST_SKIP() << "it does not see locks in memory mapped twice";
  Queue<int> numbers(5);
  constexpr int each = 5000;
  std::array<std::uint64_t, 2> sums{};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        for (int number = 1; number <= each; ++number) numbers.put(number);
      });
      threads.emplace_back([&, i] {
        for (int count = 0; count < each; ++count) {
          sums[static_cast<std::size_t>(i)] += static_cast<std::uint64_t>(numbers.get());
        }
      });
    }
  }
  EXPECT_EQ(sums[0] + sums[1], std::uint64_t{each} * (each + 1));
}

// --- SimpleQueue and JoinableQueue ---------------------------------------------------------------

TEST(ProcessSimpleQueue, PutsAndGets) {
  SimpleQueue<std::string> texts;
  EXPECT_TRUE(texts.empty());
  Forked child([&] { texts.put("hello"); });
  EXPECT_EQ(texts.get(), "hello");
  EXPECT_EQ(texts.try_get(), std::nullopt);
  texts.close();
  EXPECT_THROW(texts.put("closed"), tutti::ValueError);
}

TEST(ProcessJoinableQueue, JoinWaitsUntilAllIsDone) {
  JoinableQueue<int> jobs;
  jobs.join();
  const auto done = make_shared_with_children<std::atomic<int>>(0);
  for (int i = 0; i < 100; ++i) jobs.put(i);
  std::array<std::optional<Forked>, 3> workers;
  for (auto& worker : workers) {
    worker.emplace([&] {
      for ([[maybe_unused]] int job : jobs.items()) {
        ++*done;
        jobs.task_done();
      }
    });
  }
  jobs.join();
  EXPECT_EQ(*done, 100);
  jobs.shutdown();
  for (auto& worker : workers) EXPECT_EQ(worker->join(), 0);
}

TEST(ProcessJoinableQueue, TaskDoneTooOftenIsRefused) {
  JoinableQueue<int> jobs(0, "jobs");
  jobs.put(1);
  jobs.get();
  jobs.task_done();
  EXPECT_TRUE(throws<tutti::ValueError>([&] { jobs.task_done(); }, {"JoinableQueue 'jobs'"}));
  jobs.join();
}

TEST(ProcessJoinableQueue, AnImmediateShutdownEndsJoin) {
  JoinableQueue<int> jobs;
  jobs.put(1);
  const auto waits = make_shared_with_children<std::atomic<int>>(0);
  Forked joiner([&] {
    ++*waits;
    jobs.join();
  });
  until([&] { return *waits == 1; });
  jobs.shutdown(true);
  EXPECT_EQ(joiner.join(), 0);
}

}  // namespace tests
