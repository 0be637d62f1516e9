// Producers hand integers to consumers through a queue with room for 1,024: one to one, two to two,
// four to four. One round is one integer.
//
// moodycamel's queue has no limit and keeps the order of each producer only, not of all: it can do
// less, and is there to show what that is worth.
#include <benchmark/benchmark.h>
#include <tbb/concurrent_queue.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

#include <concurrentqueue/blockingconcurrentqueue.h>

#include "together.h"
#include "tutti/queue.h"

namespace {

constexpr std::size_t capacity = 1024;

class Tutti {
 public:
  void put(int item) { queue_.put(item); }
  int get() { return queue_.get(); }

 private:
  tutti::queue::Queue<int> queue_{static_cast<int>(capacity)};
};

class MutexAndConditions {
 public:
  void put(int item) {
    std::unique_lock held(mutex_);
    not_full_.wait(held, [this] { return items_.size() < capacity; });
    items_.push_back(item);
    held.unlock();
    not_empty_.notify_one();
  }
  int get() {
    std::unique_lock held(mutex_);
    not_empty_.wait(held, [this] { return !items_.empty(); });
    const int item = items_.front();
    items_.pop_front();
    held.unlock();
    not_full_.notify_one();
    return item;
  }

 private:
  std::mutex mutex_;
  std::condition_variable not_empty_;
  std::condition_variable not_full_;
  std::deque<int> items_;
};

class TbbBounded {
 public:
  TbbBounded() { queue_.set_capacity(static_cast<std::ptrdiff_t>(capacity)); }
  void put(int item) { queue_.push(item); }
  int get() {
    int item = 0;
    queue_.pop(item);
    return item;
  }

 private:
  tbb::concurrent_bounded_queue<int> queue_;
};

class MoodycamelBlocking {
 public:
  void put(int item) { queue_.enqueue(item); }
  int get() {
    int item = 0;
    queue_.wait_dequeue(item);
    return item;
  }

 private:
  moodycamel::BlockingConcurrentQueue<int> queue_;
};

template <typename Queue, int pairs>
void queue_bounded(benchmark::State& state) {
  Queue queue;
  together(state, 2 * pairs, [&queue](int thread, std::int64_t rounds) {
    // As many integers as rounds in all, shared out evenly; the first pair has what is left over.
    const int pair = thread / 2;
    const std::int64_t mine = rounds / pairs + (pair == 0 ? rounds % pairs : 0);
    if (thread % 2 == 0) {
      for (std::int64_t i = 0; i < mine; ++i) queue.put(static_cast<int>(i));
    } else {
      for (std::int64_t i = 0; i < mine; ++i) benchmark::DoNotOptimize(queue.get());
    }
  });
}

template <int pairs>
void register_all(const std::string& subject) {
  const auto add = [&](const char* contender, void (*function)(benchmark::State&)) {
    benchmark::RegisterBenchmark((subject + "/" + contender).c_str(), function)->UseManualTime();
  };
  add("tutti", queue_bounded<Tutti, pairs>);
  add("mutex_and_conditions", queue_bounded<MutexAndConditions, pairs>);
  add("tbb_bounded", queue_bounded<TbbBounded, pairs>);
  add("moodycamel_blocking", queue_bounded<MoodycamelBlocking, pairs>);
}

[[maybe_unused]] const bool registered = [] {
  register_all<1>("queue_bounded_1_1");
  register_all<2>("queue_bounded_2_2");
  register_all<4>("queue_bounded_4_4");
  return true;
}();

}  // namespace
