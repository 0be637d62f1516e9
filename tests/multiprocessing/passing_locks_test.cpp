// Handles on their way to a process that was not forked: by their descriptors.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <utility>
#include <vector>

#include "support/throws.h"
#include "tutti/errors.h"
#include "tutti/multiprocessing/array.h"
#include "tutti/multiprocessing/barrier.h"
#include "tutti/multiprocessing/condition.h"
#include "tutti/multiprocessing/event.h"
#include "tutti/multiprocessing/semaphore.h"
#include "tutti/multiprocessing/value.h"
#include "tutti/pickle/packed.h"

namespace tests {

namespace mp = tutti::multiprocessing;
namespace pickle = tutti::pickle;

/// Gives the receiver duplicates of what the sender has given, as a socket does.
struct DuplicatedDescriptors : pickle::Passage {
  std::vector<int> sent;
  int add_descriptor(int descriptor) override {
    sent.push_back(descriptor);
    return static_cast<int>(sent.size()) - 1;
  }
  int take_descriptor(int index) override {
    return fcntl(sent.at(static_cast<std::size_t>(index)), F_DUPFD_CLOEXEC, 0);
  }
};

template <typename T>
T passed_on(const T& object) {
  DuplicatedDescriptors passage;
  std::vector<std::byte> bytes(pickle::packed_size(object));
  pickle::Writer writer(bytes, &passage);
  pickle::pack(writer, object);
  pickle::Reader reader(bytes, &passage);
  return pickle::unpack<T>(reader);
}

TEST(PassingLocks, LeadsToTheSameLock) {
  mp::Lock lock("accounts");
  mp::Lock other = passed_on(lock);
  other.acquire();
  EXPECT_TRUE(lock.locked());
  EXPECT_EQ(other.name(), "accounts");
  lock.release();
  EXPECT_FALSE(other.locked());
}

TEST(PassingLocks, LeadsToTheSameOfEachKind) {
  mp::RLock rlock;
  passed_on(rlock).acquire();
  EXPECT_TRUE(rlock.locked());
  rlock.release();

  mp::Event event;
  passed_on(event).set();
  EXPECT_TRUE(event.is_set());

  mp::Semaphore semaphore(3);
  passed_on(semaphore).acquire();
  EXPECT_EQ(semaphore.value(), 2);
  mp::BoundedSemaphore bounded(1);
  mp::BoundedSemaphore same_bounded = passed_on(bounded);
  EXPECT_TRUE(throws<tutti::ValueError>([&] { same_bounded.release(); }, {"initial value 1"}));

  mp::Barrier barrier(2);
  mp::Barrier same_barrier = passed_on(barrier);
  same_barrier.abort();
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(same_barrier.parties(), 2);

  mp::Value<int> value(1);
  mp::Value<int> same_value = passed_on(value);
  same_value = 5;
  EXPECT_EQ(value.value(), 5);
  EXPECT_EQ(passed_on(value.get_obj()).value(), 5);
  const std::scoped_lock held(same_value.get_lock());
  EXPECT_TRUE(value.get_lock().locked());

  mp::Array<int> array{1, 2, 3};
  passed_on(array)[1] = 9;
  EXPECT_EQ(array.slice(), (std::vector<int>{1, 9, 3}));
  EXPECT_EQ(passed_on(mp::RawArray<int>{4, 5})[1], 5);
}

TEST(PassingLocks, TakesTheLockOfAConditionAlong) {
  mp::Lock lock;
  mp::Condition condition(lock);
  mp::Condition other = passed_on(condition);
  other.acquire();
  EXPECT_TRUE(lock.locked());
  condition.notify();
  EXPECT_FALSE(other.wait(0));
  lock.release();
}

TEST(PassingLocks, NeedsAWayForDescriptors) {
  const mp::Lock lock;
  std::vector<std::byte> bytes(pickle::packed_size(lock));
  pickle::Writer writer(bytes);
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { pickle::pack(writer, lock); }, {"Lock"}));
}

}  // namespace tests
