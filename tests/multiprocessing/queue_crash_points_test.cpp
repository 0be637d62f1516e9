// A process is killed at one instruction of a put or get after the other; others must go on, and
// find everything but what the killed one had not finished putting or had taken.
//
// By default at every how-manieth instruction; at each of them with TUTTI_TEST_STRIDE=1.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/forked.h"
#include "support/sanitizer.h"
#include "support/stepped.h"
#include "support/until.h"
#include "tutti/multiprocessing.h"

namespace tests {

using tutti::multiprocessing::JoinableQueue;
using tutti::multiprocessing::Queue;

using Items = std::vector<std::string>;

// So long may an operation take that nothing keeps from going on.
constexpr double soon = 20;

const std::string marker = "put after the kill";

bool is_asleep(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string stat(std::istreambuf_iterator<char>(file), {});
  const std::size_t end_of_name = stat.rfind(')');
  return end_of_name != std::string::npos && stat.substr(end_of_name + 2, 1) == "S";
}

// What is left is got one after the other, until the marker.
Items rest_of(Queue<std::string>& queue) {
  Items items;
  do {
    std::optional<std::string> item = queue.try_get(soon);
    if (!item) throw std::runtime_error("nothing can be got");
    items.push_back(*std::move(item));
  } while (items.back() != marker);
  items.pop_back();
  return items;
}

class Tally {
 public:
  explicit Tally(std::string operation) : operation_(std::move(operation)) {}
  ~Tally() {
    std::printf("| %-46s | %7zu | %5zu | %4zu |\n", operation_.c_str(), instructions_, kills_,
                lost_);
    std::fflush(stdout);
  }
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  Cut count(const Cut& cut, bool lost) {
    instructions_ = std::max(instructions_, cut.steps);
    if (!cut.has_finished) ++kills_;
    if (lost) ++lost_;
    return cut;
  }

 private:
  const std::string operation_;
  std::size_t instructions_ = 0;
  std::size_t kills_ = 0;
  std::size_t lost_ = 0;
};

/// A put of `item` after `before`. It may be lost if the putter was killed, and nothing else.
void cut_puts(const std::string& operation, std::size_t stride, const Items& before,
              const std::string& item, std::size_t scale = 1) {
  Tally tally(operation);
  for_each_cut(stride, [&](std::size_t steps) {
    Queue<std::string> queue;
    for (const std::string& earlier : before) queue.put(earlier);
    const Cut cut = cut_short([&] { queue.qsize(); }, [&] { queue.put(item); }, steps * scale);
    EXPECT_TRUE(queue.try_put(marker, soon));
    Items expected = before;
    const Items found = rest_of(queue);
    const bool lost = found == expected;
    expected.push_back(item);
    EXPECT_TRUE(found == expected || (lost && !cut.has_finished));
    EXPECT_TRUE(queue.empty());
    return tally.count(cut, lost);
  });
}

/// A get of the first of `before`. It may be lost if the getter was killed, and nothing else.
void cut_gets(const std::string& operation, std::size_t stride, const Items& before,
              std::size_t scale = 1) {
  Tally tally(operation);
  for_each_cut(stride, [&](std::size_t steps) {
    Queue<std::string> queue;
    for (const std::string& item : before) queue.put(item);
    const Cut cut = cut_short([&] { queue.qsize(); }, [&] { queue.get(); }, steps * scale);
    EXPECT_TRUE(queue.try_put(marker, soon));
    Items found = rest_of(queue);
    const bool lost = found.size() < before.size();
    if (lost) found.insert(found.begin(), before.front());
    EXPECT_EQ(found, before);
    EXPECT_TRUE(lost || !cut.has_finished);
    return tally.count(cut, lost);
  });
}

class ProcessQueueCrashPoints : public testing::Test {
 protected:
  void SetUp() override {
    if (under_thread_sanitizer || under_address_sanitizer) GTEST_SKIP() << "too many instructions";
    const std::string why = why_not_stepped();
    if (!why.empty()) GTEST_SKIP() << why;
  }
};

TEST_F(ProcessQueueCrashPoints, PutIntoAnEmptyQueue) {
  cut_puts("put, empty queue", 13, {}, "item");
}

TEST_F(ProcessQueueCrashPoints, PutBehindOthers) {
  cut_puts("put, behind others", 41, {"first", "second"}, "item");
}

// Leaves no more than 48 bytes of the first lane for the next item.
std::string filling_a_lane() {
  return std::string((256 << 10) - 100, 'x');
}

TEST_F(ProcessQueueCrashPoints, PutAtTheBeginningOfTheLane) {
  Tally tally("put, from the end of the lane to its beginning");
  const std::string item(100, 'y');
  for_each_cut(29, [&](std::size_t steps) {
    Queue<std::string> queue;
    queue.put(filling_a_lane());
    queue.get();
    const Cut cut = cut_short([&] { queue.qsize(); }, [&] { queue.put(item); }, steps);
    EXPECT_TRUE(queue.try_put(marker, soon));
    const Items found = rest_of(queue);
    EXPECT_TRUE(found == Items{item} || (found.empty() && !cut.has_finished));
    return tally.count(cut, found.empty());
  });
}

TEST_F(ProcessQueueCrashPoints, PutIntoAnotherLane) {
  cut_puts("put, into another lane", 37, {filling_a_lane()}, std::string(100, 'y'));
}

// Each byte of a large copy may be an instruction, so that kills are far apart.
struct Large {
  const bool is_thorough = std::getenv("TUTTI_TEST_STRIDE") != nullptr;
  const std::size_t size = is_thorough ? 1 << 20 : 8 << 10;
  const std::size_t scale = is_thorough ? 3001 : 2059;
  const std::string title = is_thorough ? ", 1 MiB" : ", 8 KiB";
};

TEST_F(ProcessQueueCrashPoints, PutOfALargeItem) {
  const Large large;
  cut_puts("put" + large.title, 1, {"first"}, std::string(large.size, 'y'), large.scale);
}

TEST_F(ProcessQueueCrashPoints, PutAfterAKilledPutter) {
  Tally tally("put, when the lock is a killed one's");
  for_each_cut(23, [&](std::size_t steps) {
    Queue<std::string> queue;
    queue.put("first");
    // In the midst of it; how far does not matter.
    cut_short([&] { queue.qsize(); }, [&] { queue.put("never"); }, 150);
    const Cut cut = cut_short([&] { queue.qsize(); }, [&] { queue.put("item"); }, steps);
    EXPECT_TRUE(queue.try_put(marker, soon));
    Items found = rest_of(queue);
    std::erase(found, "never");
    const bool lost = found == Items{"first"};
    EXPECT_TRUE(found == (Items{"first", "item"}) || (lost && !cut.has_finished));
    return tally.count(cut, lost);
  });
}

TEST_F(ProcessQueueCrashPoints, PutThatWakesAGetter) {
  Tally tally("put, with sleeping getters");
  for_each_cut(31, [&](std::size_t steps) {
    Queue<std::string> queue;
    Queue<std::string> got;
    const auto get = [&] { got.put(queue.get()); };
    Forked one(get);
    Forked other(get);
    until([&] { return is_asleep(one.pid()) && is_asleep(other.pid()); });
    const Cut cut = cut_short([&] { queue.qsize(); }, [&] { queue.put("item"); }, steps);
    // As many as are missing for two, so that each gets one.
    EXPECT_TRUE(queue.try_put(marker, soon));
    Items found{got.try_get(soon).value_or("nothing")};
    const bool lost = found.front() == marker;
    if (lost) queue.put("item");
    found.push_back(got.try_get(soon).value_or("nothing"));
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, (Items{"item", marker}));
    EXPECT_TRUE(!lost || !cut.has_finished);
    EXPECT_EQ(one.join(), 0);
    EXPECT_EQ(other.join(), 0);
    return tally.count(cut, lost);
  });
}

TEST_F(ProcessQueueCrashPoints, PutIntoAFullQueueInVain) {
  Tally tally("put_nowait, full queue");
  for_each_cut(23, [&](std::size_t steps) {
    Queue<std::string> queue(1);
    queue.put("first");
    const Cut cut = cut_short([&] { queue.qsize(); }, [&] { queue.try_put("item"); }, steps);
    EXPECT_EQ(queue.try_get(soon), "first");
    EXPECT_TRUE(queue.try_put(marker, soon));
    EXPECT_EQ(rest_of(queue), Items{});
    return tally.count(cut, false);
  });
}

TEST_F(ProcessQueueCrashPoints, GetFromASmallQueue) {
  cut_gets("get", 17, {"first", "second"});
}

TEST_F(ProcessQueueCrashPoints, GetOfTheLastItem) {
  cut_gets("get, the last item", 31, {"only"});
}

TEST_F(ProcessQueueCrashPoints, GetFromTheNextLane) {
  Tally tally("get, from the next lane");
  for_each_cut(41, [&](std::size_t steps) {
    Queue<std::string> queue;
    queue.put(filling_a_lane());
    for (int i = 0; i < 3; ++i) queue.put(std::string(100, 'a' + static_cast<char>(i)));
    queue.get();
    const Cut cut = cut_short([&] { queue.qsize(); }, [&] { queue.get(); }, steps);
    EXPECT_TRUE(queue.try_put(marker, soon));
    Items found = rest_of(queue);
    const bool lost = found.size() == 2;
    if (!lost) found.erase(found.begin());
    EXPECT_EQ(found, (Items{std::string(100, 'b'), std::string(100, 'c')}));
    EXPECT_TRUE(lost || !cut.has_finished);
    return tally.count(cut, lost);
  });
}

// So large a lane that its pages are given back.
TEST_F(ProcessQueueCrashPoints, GetThatGivesPagesBack) {
  Tally tally("get, from the next lane, giving pages back");
  for_each_cut(61, [&](std::size_t steps) {
    Queue<std::string> queue;
    const std::string huge(11 << 20, 'x');
    for (int i = 0; i < 2; ++i) queue.put(huge);
    for (int i = 0; i < 2; ++i) queue.get();
    // In a large lane putters look every 64 KiB whether a small one would do; here, at the next.
    queue.put(std::string(65'328, 'y'));
    queue.get();
    const Items later{std::string(200, 'f'), "second"};
    for (const std::string& item : later) queue.put(item);
    const Cut cut = cut_short([&] { queue.qsize(); }, [&] { queue.get(); }, steps);
    EXPECT_TRUE(queue.try_put(marker, soon));
    Items found = rest_of(queue);
    const bool lost = found.size() == 1;
    if (!lost) found.erase(found.begin());
    EXPECT_EQ(found, Items{"second"});
    EXPECT_TRUE(lost || !cut.has_finished);
    return tally.count(cut, lost);
  });
}

TEST_F(ProcessQueueCrashPoints, GetOfALargeItem) {
  const Large large;
  cut_gets("get" + large.title, 1, {std::string(large.size, 'y'), "second"}, large.scale);
}

TEST_F(ProcessQueueCrashPoints, GetThatWakesAPutter) {
  Tally tally("get, with a sleeping putter");
  for_each_cut(31, [&](std::size_t steps) {
    Queue<std::string> queue(1);
    queue.put("first");
    Forked putter([&] { queue.put("second"); });
    until([&] { return is_asleep(putter.pid()); });
    const Cut cut = cut_short([&] { queue.qsize(); }, [&] { queue.get(); }, steps);
    Items found{queue.try_get(soon).value_or("nothing")};
    const bool lost = found.front() == "second";
    if (!lost) found.push_back(queue.try_get(soon).value_or("nothing"));
    EXPECT_EQ(found, lost ? Items{"second"} : (Items{"first", "second"}));
    EXPECT_TRUE(lost || !cut.has_finished);
    EXPECT_EQ(putter.join(), 0);
    return tally.count(cut, lost);
  });
}

TEST_F(ProcessQueueCrashPoints, TaskDone) {
  Tally tally("task_done, with a sleeping joiner");
  for_each_cut(13, [&](std::size_t steps) {
    JoinableQueue<int> queue;
    queue.put(1);
    Forked joiner([&] { queue.join(); });
    until([&] { return is_asleep(joiner.pid()); });
    const Cut cut = cut_short([&] { queue.qsize(); }, [&] { queue.task_done(); }, steps);
    bool was_done = false;
    try {
      queue.task_done();
    } catch (const tutti::ValueError&) {
      was_done = true;
    }
    EXPECT_TRUE(was_done || !cut.has_finished);
    EXPECT_EQ(joiner.join(), 0);
    return tally.count(cut, false);
  });
}

TEST_F(ProcessQueueCrashPoints, Shutdown) {
  Tally tally("shutdown(immediate)");
  for_each_cut(13, [&](std::size_t steps) {
    Queue<std::string> queue;
    queue.put("first");
    const Cut cut = cut_short([&] { queue.qsize(); }, [&] { queue.shutdown(true); }, steps);
    EXPECT_TRUE(queue.is_shutdown() || !cut.has_finished);
    if (queue.is_shutdown()) {
      EXPECT_TRUE(queue.empty());
      EXPECT_THROW(queue.put("item"), tutti::queue::ShutDown);
      EXPECT_THROW(queue.try_get(soon), tutti::queue::ShutDown);
    } else {
      EXPECT_EQ(queue.try_get(soon), "first");
      queue.shutdown();
      EXPECT_THROW(queue.get(), tutti::queue::ShutDown);
    }
    return tally.count(cut, false);
  });
}

}  // namespace tests
