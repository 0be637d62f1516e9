// A bounded buffer made of a deque and two conditions over one lock. Two producers pass it the
// numbers from 1 to 20,000 through room for eight, and the sum of what three consumers get is what
// it must be.
//
//     200010000
#include <tutti/threading.h>

#include <cstddef>
#include <cstdio>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

using namespace tutti;

class BoundedBuffer {
 public:
  void put(int item) {
    std::scoped_lock held(lock_);
    not_full_.wait_for([this] { return items_.size() < capacity; });
    items_.push_back(item);
    not_empty_.notify();
  }

  /// The oldest item, or nothing once the buffer is closed and empty.
  std::optional<int> get() {
    std::scoped_lock held(lock_);
    not_empty_.wait_for([this] { return closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    const int item = items_.front();
    items_.pop_front();
    not_full_.notify();
    return item;
  }

  void close() {
    std::scoped_lock held(lock_);
    closed_ = true;
    not_empty_.notify_all();
  }

 private:
  static constexpr std::size_t capacity = 8;
  threading::Lock lock_;
  threading::Condition not_full_{lock_};
  threading::Condition not_empty_{lock_};
  std::deque<int> items_;
  bool closed_ = false;
};

BoundedBuffer buffer;

void produce(int first, int last) {
  for (int number = first; number <= last; ++number) buffer.put(number);
}

void consume(long* sum) {
  while (const auto number = buffer.get()) *sum += *number;
}

int main() {
  long sums[3] = {};
  std::vector<threading::Thread> consumers;
  for (long& sum : sums) consumers.emplace_back(consume, &sum).start();
  threading::Thread low(produce, 1, 10000);
  threading::Thread high(produce, 10001, 20000);
  low.start();
  high.start();
  low.join();
  high.join();
  buffer.close();
  for (auto& consumer : consumers) consumer.join();
  std::printf("%ld\n", sums[0] + sums[1] + sums[2]);
}
