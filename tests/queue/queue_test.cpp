// tutti::queue: order, limits, waiting, tasks, shutdown.
#include "tutti/queue.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/until.h"
#include "tutti/threading.h"

namespace tests {

namespace {

using namespace tutti;
using namespace std::chrono_literals;
using threading::Phase;

TEST(Queue, GivesOutWhatWasPutInFirst) {
  queue::Queue<int> q;
  for (int i = 1; i <= 3; ++i) q.put(i);
  EXPECT_EQ(q.qsize(), 3u);
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(q.get(), i);
  EXPECT_TRUE(q.empty());
}

TEST(LifoQueue, GivesOutWhatWasPutInLast) {
  queue::LifoQueue<int> q;
  for (int i = 1; i <= 3; ++i) q.put(i);
  for (int i = 3; i >= 1; --i) EXPECT_EQ(q.get(), i);
}

TEST(PriorityQueue, GivesOutTheLowest) {
  queue::PriorityQueue<int> q;
  for (int i : {3, 1, 2, 1}) q.put(i);
  for (int i : {1, 1, 2, 3}) EXPECT_EQ(q.get(), i);
  queue::PriorityQueue<int, std::greater<>> highest_first;
  for (int i : {3, 1, 2}) highest_first.put(i);
  EXPECT_EQ(highest_first.get(), 3);
}

TEST(SimpleQueue, HasNoLimit) {
  queue::SimpleQueue<int> q;
  for (int i = 0; i < 1000; ++i) q.put(i, false, 0);
  EXPECT_EQ(q.qsize(), 1000u);
  EXPECT_EQ(q.get(), 0);
  EXPECT_EQ(q.get_nowait(), 1);
}

TEST(Queue, HoldsMoveOnlyItems) {
  queue::Queue<std::unique_ptr<std::string>> q(1);
  q.put(std::make_unique<std::string>("one"));
  auto two = std::make_unique<std::string>("two");
  EXPECT_FALSE(q.try_put(two));
  ASSERT_NE(two, nullptr) << "what was not put stays";
  EXPECT_EQ(*q.get(), "one");
  EXPECT_TRUE(q.try_put(two));
  EXPECT_EQ(two, nullptr);
}

TEST(Queue, RefusesWhatHasNoRoom) {
  queue::Queue<int> q(2);
  EXPECT_EQ(q.maxsize(), 2u);
  q.put(1);
  EXPECT_FALSE(q.full());
  q.put(2);
  EXPECT_TRUE(q.full());
  EXPECT_THROW(q.put_nowait(3), queue::Full);
  EXPECT_THROW(q.put(3, false), queue::Full);
  EXPECT_THROW(q.put(3, true, 1ms), queue::Full);
  EXPECT_EQ(q.qsize(), 2u);
}

TEST(Queue, HasNothingToGiveWhenEmpty) {
  queue::Queue<int> q;
  EXPECT_THROW(q.get_nowait(), queue::Empty);
  EXPECT_THROW(q.get(true, 1ms), queue::Empty);
  EXPECT_EQ(q.try_get(), std::nullopt);
  EXPECT_EQ(q.try_get(1ms), std::nullopt);
  EXPECT_THROW(q.get(true, -1), ValueError);
  EXPECT_THROW(q.put(1, true, -0.5), ValueError);
}

TEST(Queue, ANegativeMaxsizeIsNoLimit) {
  queue::Queue<int> q(-1);
  EXPECT_EQ(q.maxsize(), 0u);
  for (int i = 0; i < 100; ++i) q.put(i);
  EXPECT_FALSE(q.full());
}

TEST(Queue, GetWaitsForAPut) {
  queue::Queue<int> q;
  std::atomic<int> got = 0;
  threading::Thread getter([&] { got = q.get(); });
  getter.start();
  until([&] { return getter.state() == Phase::blocked_in_wait_pool; });
  EXPECT_EQ(getter.blocked_on().object, static_cast<void*>(&q));
  EXPECT_NE(getter.blocked_on().to_string().find("empty Queue"), std::string::npos);
  q.put(7);
  getter.join();
  EXPECT_EQ(got, 7);
  EXPECT_EQ(q.qsize(), 0u);
}

TEST(Queue, PutWaitsForAGet) {
  queue::Queue<int> q(1);
  q.put(1);
  threading::Thread putter([&] { q.put(2); });
  putter.start();
  until([&] { return putter.state() == Phase::blocked_in_wait_pool; });
  EXPECT_NE(putter.blocked_on().to_string().find("full Queue"), std::string::npos);
  EXPECT_EQ(q.get(), 1);
  putter.join();
  EXPECT_EQ(q.get(), 2);
}

TEST(Queue, ServesGettersInTheOrderOfTheirComing) {
  queue::Queue<int> q;
  std::vector<threading::Thread> getters;
  std::array<std::atomic<int>, 4> got{};
  for (std::size_t i = 0; i < got.size(); ++i) {
    getters.emplace_back([&, i] { got[i] = q.get(); });
    getters.back().start();
    until([&] { return getters.back().state() == Phase::blocked_in_wait_pool; });
  }
  for (int item = 1; item <= 4; ++item) q.put(item);
  for (auto& getter : getters) getter.join();
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], static_cast<int>(i) + 1);
}

TEST(Queue, AdmitsPuttersInTheOrderOfTheirComing) {
  queue::Queue<int> q(1);
  q.put(0);
  std::vector<threading::Thread> putters;
  for (int i = 1; i <= 4; ++i) {
    putters.emplace_back([&q, i] { q.put(i); });
    putters.back().start();
    until([&] { return putters.back().state() == Phase::blocked_in_wait_pool; });
  }
  for (int i = 0; i <= 4; ++i) EXPECT_EQ(q.get(), i);
  for (auto& putter : putters) putter.join();
}

TEST(Queue, CountsTasks) {
  queue::Queue<int> q;
  EXPECT_THROW(q.task_done(), ValueError);
  q.join();
  q.put(1);
  q.put(2);
  threading::Thread worker([&] {
    for (int i = 0; i < 2; ++i) {
      q.get();
      q.task_done();
    }
  });
  threading::Thread waiting([&] { q.join(); });
  waiting.start();
  until([&] { return waiting.state() == Phase::blocked_in_wait_pool; });
  worker.start();
  waiting.join();
  worker.join();
  EXPECT_THROW(q.task_done(), ValueError);
}

TEST(Queue, GivesOutTheRestAfterAShutdown) {
  queue::Queue<int> q(3);
  q.put(1);
  q.put(2);
  EXPECT_FALSE(q.is_shutdown());
  q.shutdown();
  EXPECT_TRUE(q.is_shutdown());
  EXPECT_THROW(q.put(3), queue::ShutDown);
  EXPECT_THROW(q.put_nowait(3), queue::ShutDown);
  EXPECT_EQ(q.get(), 1);
  EXPECT_EQ(q.try_get(), 2);
  EXPECT_THROW(q.get(), queue::ShutDown);
  EXPECT_THROW(q.get_nowait(), queue::ShutDown);
  EXPECT_THROW(q.try_get(), queue::ShutDown);
}

TEST(Queue, DropsTheRestAtAnImmediateShutdown) {
  queue::Queue<std::shared_ptr<int>> q;
  auto item = std::make_shared<int>(1);
  q.put(item);
  EXPECT_EQ(item.use_count(), 2);
  q.shutdown(true);
  EXPECT_EQ(item.use_count(), 1);
  EXPECT_THROW(q.get(), queue::ShutDown);
  q.join();
}

TEST(Queue, LetsAllWhoWaitGoAtAShutdown) {
  queue::Queue<int> empty;
  queue::Queue<int> full(1);
  full.put(1);
  std::atomic<int> let_go = 0;
  std::vector<threading::Thread> threads;
  const auto expect_shut_down = [&let_go](auto call) {
    try {
      call();
    } catch (const queue::ShutDown&) {
      ++let_go;
    }
  };
  threads.emplace_back([&] { expect_shut_down([&] { empty.get(); }); });
  threads.emplace_back([&] { expect_shut_down([&] { empty.get(true, 1h); }); });
  threads.emplace_back([&] { expect_shut_down([&] { full.put(2); }); });
  for (auto& thread : threads) {
    thread.start();
    until([&] { return thread.state() == Phase::blocked_in_wait_pool; });
  }
  empty.shutdown();
  full.shutdown();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(let_go, 3);
  EXPECT_EQ(full.qsize(), 1u);
}

TEST(Queue, CanBeGoneThrough) {
  queue::Queue<int> q(2);
  threading::Thread producer([&] {
    for (int i = 1; i <= 100; ++i) q.put(i);
    q.shutdown();
  });
  producer.start();
  int sum = 0;
  for (int item : q.items()) sum += item;
  producer.join();
  EXPECT_EQ(sum, 5050);
}

TEST(Queue, AnInterruptedGetTakesNothing) {
  queue::Queue<int> q;
  threading::Thread interrupting([] {
    until([] { return threading::main_thread().state() == Phase::blocked_in_wait_pool; });
    thread::interrupt_main();
  });
  interrupting.start();
  EXPECT_THROW(q.get(), KeyboardInterrupt);
  interrupting.join();
  q.put(1);
  EXPECT_EQ(q.get(), 1);
}

TEST(Queue, NamesItselfInErrors) {
  queue::Queue<int> q(1);
  q.put(1);
  try {
    q.put_nowait(2);
    FAIL();
  } catch (const queue::Full& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("Queue at 0x"), std::string::npos) << text;
    EXPECT_NE(text.find("maxsize of 1"), std::string::npos) << text;
    EXPECT_NE(text.find("MainThread"), std::string::npos) << text;
  }
}

// --- what items may be ---------------------------------------------------------------------------

template <std::size_t size, std::size_t alignment = 1>
struct alignas(alignment) Block {
  explicit Block(int value) : first(static_cast<char>(value)) { bytes[size - 2] = first; }
  bool is_whole() const {
    return bytes[size - 2] == first && reinterpret_cast<std::uintptr_t>(this) % alignment == 0;
  }
  char first;
  char bytes[size - 1]{};
};

TEST(Queue, HoldsItemsOfAnySizeAndAlignment) {
  const auto pass = []<typename Item>(const Item&) {
    queue::Queue<Item> q;
    for (int i = 0; i < 100; ++i) q.put(Item(i));
    for (int i = 0; i < 100; ++i) {
      const Item got = q.get();
      EXPECT_TRUE(got.is_whole());
      EXPECT_EQ(got.first, static_cast<char>(i));
    }
  };
  pass(Block<2>(0));
  pass(Block<4096>(0));
  pass(Block<64, 32>(0));
  pass(Block<256, 256>(0));
  queue::Queue<char> bytes;
  for (int i = 0; i < 3000; ++i) bytes.put(static_cast<char>(i));
  for (int i = 0; i < 3000; ++i) EXPECT_EQ(bytes.get(), static_cast<char>(i));
}

// Counts how much of the memory that queues of Counted take is in use.
struct Counted {
  explicit Counted(int its_value) : value(its_value) { ++living; }
  Counted(Counted&& other) noexcept : value(other.value) { ++living; }
  Counted& operator=(Counted&&) = default;
  ~Counted() { --living; }
  int value;
  static inline int living = 0;
};

TEST(Queue, LetsGoOfEachItemOnce) {
  for (const int left : {0, 1, 2, 7, 300, 1000}) {
    {
      queue::Queue<Counted> q;
      for (int i = 0; i < 1000; ++i) q.put(Counted(i));
      EXPECT_EQ(Counted::living, 1000);
      for (int i = 0; i < 1000 - left; ++i) EXPECT_EQ(q.get().value, i);
      EXPECT_EQ(Counted::living, left);
    }
    EXPECT_EQ(Counted::living, 0) << left;
  }
}

TEST(Queue, LetsGoOfTheItemsOfAnImmediateShutdown) {
  const auto shut_down_with_items = [](auto&& q) {
    for (int i = 0; i < 500; ++i) q.put(Counted(i));
    for (int i = 0; i < 300; ++i) q.get();
    q.shutdown(true);
    EXPECT_EQ(Counted::living, 0);
    EXPECT_TRUE(q.empty());
    EXPECT_THROW(q.get(), queue::ShutDown);
  };
  shut_down_with_items(queue::Queue<Counted>());
  shut_down_with_items(queue::LifoQueue<Counted>());
}

// --- items whose constructors throw --------------------------------------------------------------

// Copies and moves go well as often as `allowed` says.
struct Fragile {
  explicit Fragile(int its_value) : value(its_value) {}
  Fragile(const Fragile& other) : value(other.value) { count(); }
  Fragile& operator=(const Fragile& other) {
    count();
    value = other.value;
    return *this;
  }
  bool operator<(const Fragile& other) const { return value < other.value; }
  static void count() {
    if (allowed-- == 0) throw std::runtime_error("fragile");
  }
  int value;
  static inline int allowed = 0;
};

// Puts 1, 2 and 3 in and gets them out again, with one more failure after each number of copies,
// until all goes well; nothing may be lost, twice, or out of its place.
template <typename Queue>
void survives_failures(const std::vector<int>& order) {
  Queue q;
  for (int item = 1; item <= 3; ++item) {
    for (int allowed = 0;; ++allowed) {
      const std::size_t before = q.qsize();
      const Fragile fragile(item);
      Fragile::allowed = allowed;
      try {
        q.put(fragile);
        break;
      } catch (const std::runtime_error&) {
        ASSERT_EQ(q.qsize(), before);
      }
    }
  }
  for (const int item : order) {
    for (int allowed = 0;; ++allowed) {
      const std::size_t before = q.qsize();
      Fragile::allowed = allowed;
      try {
        EXPECT_EQ(q.get().value, item);
        q.task_done();
        break;
      } catch (const std::runtime_error&) {
        ASSERT_EQ(q.qsize(), before);
      }
    }
  }
  EXPECT_TRUE(q.empty());
  q.join();
  EXPECT_THROW(q.task_done(), ValueError);
}

TEST(Queue, LosesNothingWhenAConstructorThrows) {
  survives_failures<queue::Queue<Fragile>>({1, 2, 3});
  survives_failures<queue::LifoQueue<Fragile>>({3, 2, 1});
  survives_failures<queue::PriorityQueue<Fragile>>({1, 2, 3});
}

TEST(Queue, PutsABatchBackThatCouldNotBeHandedOver) {
  queue::Queue<Fragile> q;
  Fragile::allowed = 1000;
  for (int i = 1; i <= 5; ++i) q.put(Fragile(i));
  for (int allowed = 0; allowed < 3; ++allowed) {
    Fragile::allowed = allowed;
    EXPECT_THROW(q.get_many(3), std::runtime_error);
    EXPECT_EQ(q.qsize(), 5u);
  }
  Fragile::allowed = 1000;
  for (int i = 1; i <= 5; ++i) EXPECT_EQ(q.get().value, i);
  EXPECT_TRUE(q.empty());
}

TEST(Queue, LeavesAnItemThatWasNotPutAlone) {
  queue::Queue<Fragile> q(1);
  Fragile::allowed = 1000;
  Fragile item(1);
  EXPECT_TRUE(q.try_put(item));
  item.value = 2;
  EXPECT_FALSE(q.try_put(item));
  EXPECT_EQ(item.value, 2);
  Fragile::allowed = 0;
  EXPECT_THROW(q.try_put(item), std::runtime_error);
  EXPECT_EQ(q.qsize(), 1u);
}

// --- batches -------------------------------------------------------------------------------------

TEST(Queue, TakesAndGivesBatches) {
  const auto pass = [](auto&& q) {
    std::vector<int> items = {1, 2, 3, 4, 5};
    q.put_many(items);
    EXPECT_TRUE(items.empty());
    EXPECT_EQ(q.get_many(0), std::vector<int>());
    EXPECT_EQ(q.get_many(2).size(), 2u);
    EXPECT_EQ(q.get_many(100).size(), 3u);
    EXPECT_THROW(q.get_many(1, false), queue::Empty);
    EXPECT_THROW(q.get_many(1, true, 1ms), queue::Empty);
    q.put_many(std::vector<int>{6});
    EXPECT_EQ(q.get_many(3), std::vector<int>{6});
  };
  pass(queue::Queue<int>());
  pass(queue::Queue<int>(5));
  pass(queue::LifoQueue<int>());
  pass(queue::PriorityQueue<int>());
  pass(queue::SimpleQueue<int>());
}

TEST(Queue, KeepsTheRestOfABatchThatHasNoRoom) {
  queue::Queue<int> q(2);
  std::vector<int> items = {1, 2, 3, 4};
  EXPECT_THROW(q.put_many(items, false), queue::Full);
  EXPECT_EQ(items, (std::vector<int>{3, 4}));
  EXPECT_THROW(q.put_many(items, true, 1ms), queue::Full);
  EXPECT_EQ(items, (std::vector<int>{3, 4}));
  q.shutdown();
  EXPECT_THROW(q.put_many(items), queue::ShutDown);
  EXPECT_EQ(items, (std::vector<int>{3, 4}));
  EXPECT_EQ(q.get_many(9), (std::vector<int>{1, 2}));
  EXPECT_THROW(q.get_many(9), queue::ShutDown);
}

TEST(Queue, WaitsForTheRoomOfABatch) {
  queue::Queue<int> q(2);
  threading::Thread putter([&] {
    std::vector<int> items(1000);
    for (int i = 0; i < 1000; ++i) items[static_cast<std::size_t>(i)] = i;
    q.put_many(items);
  });
  putter.start();
  std::vector<int> got;
  while (got.size() < 1000) {
    for (const int item : q.get_many(7)) got.push_back(item);
  }
  putter.join();
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(got[static_cast<std::size_t>(i)], i);
}

// --- names ---------------------------------------------------------------------------------------

TEST(Queue, IsCalledByItsName) {
  queue::Queue<int> q(1, "jobs");
  EXPECT_EQ(q.name(), "jobs");
  const auto message = [&] {
    try {
      q.get_nowait();
    } catch (const queue::Empty& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(message().find("Queue 'jobs' is empty"), std::string::npos) << message();
  threading::Thread getter([&] { q.get(); });
  getter.start();
  until([&] { return getter.state() == Phase::blocked_in_wait_pool; });
  EXPECT_EQ(getter.blocked_on().to_string(), "empty Queue 'jobs'");
  q.put(1);
  getter.join();
  q.set_name("");
  EXPECT_NE(message().find("Queue at 0x"), std::string::npos) << message();
}

// Every item once, each producer's in order, whatever the threads and the capacity.
void pass_through(int producers, int consumers, int maxsize, int items) {
  queue::Queue<std::pair<int, int>> q(maxsize);
  std::vector<threading::Thread> threads;
  std::vector<std::vector<std::pair<int, int>>> got(static_cast<std::size_t>(consumers));
  std::vector<threading::Thread> producing;
  for (int p = 0; p < producers; ++p) {
    producing.emplace_back([&q, p, items] {
      for (int i = 0; i < items; ++i) q.put({p, i});
    });
    producing.back().start();
  }
  for (auto& mine : got) {
    threads.emplace_back([&q, &mine] {
      for (const auto& item : q.items()) {
        mine.push_back(item);
        q.task_done();
      }
    });
    threads.back().start();
  }
  for (auto& thread : producing) thread.join();
  q.join();
  q.shutdown();
  for (auto& thread : threads) thread.join();
  std::vector<int> next(static_cast<std::size_t>(producers), 0);
  std::size_t total = 0;
  for (const auto& mine : got) {
    std::vector<int> last(static_cast<std::size_t>(producers), -1);
    for (const auto& [p, i] : mine) {
      EXPECT_GT(i, last[static_cast<std::size_t>(p)]) << "out of order";
      last[static_cast<std::size_t>(p)] = i;
      ++next[static_cast<std::size_t>(p)];
    }
    total += mine.size();
  }
  EXPECT_EQ(total, static_cast<std::size_t>(producers * items));
  for (const int count : next) EXPECT_EQ(count, items);
}

TEST(Queue, PassesEachItemOnce) {
  for (const int maxsize : {0, 1, 2, 64}) {
    pass_through(1, 1, maxsize, 3'000);
    pass_through(2, 2, maxsize, 2'000);
    pass_through(4, 4, maxsize, 500);
  }
}

}  // namespace

}  // namespace tests
