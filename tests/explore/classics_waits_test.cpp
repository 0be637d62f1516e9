// Classic bugs of programs that wait: lost wake-ups, and waiting for the wrong thing.
#include "explore/classics.h"

namespace tests::classics {
namespace {

// --- a buffer of one place -----------------------------------------------------------------------

struct Buffer {
  threading::Condition changed;
  tutti::Shared<int> items = 0;

  void put(void (*tell)(threading::Condition&)) {
    std::scoped_lock held(changed);
    changed.wait_for([this] { return items == 0; });
    ++items;
    tell(changed);
  }
  void take(void (*tell)(threading::Condition&)) {
    std::scoped_lock held(changed);
    changed.wait_for([this] { return items > 0; });
    --items;
    tell(changed);
  }
};

void tell_one(threading::Condition& changed) {
  changed.notify();
}
void tell_all(threading::Condition& changed) {
  changed.notify_all();
}

// One puts two items, and two take one each.
template <void (*tell)(threading::Condition&)>
void pass_two_items() {
  Buffer buffer;
  const auto take = [&] { buffer.take(tell); };
  together(
      [&] {
        buffer.put(tell);
        buffer.put(tell);
      },
      take, take);
  explore::require(buffer.items == 0);
}

TEST(ClassicWaits, ABufferThatWakesOneOfTwoKindsOfWaitersStops) {
  expect_found(pass_two_items<tell_one>, FailureKind::lost_wakeup);
}
TEST(ClassicWaits, ABufferThatWakesAllDoesNot) {
  expect_passes(pass_two_items<tell_all>);
}

// --- if and while --------------------------------------------------------------------------------

template <typename Wait>
void take_one_of_two(Wait wait) {
  threading::Condition changed;
  tutti::Shared<int> items = 0;
  const auto take = [&] {
    std::scoped_lock held(changed);
    wait(changed, items);
    explore::require(items > 0, "nothing there");
    --items;
  };
  const auto put = [&] {
    std::scoped_lock held(changed);
    ++items;
    changed.notify();
  };
  together(
      [&] {
        put();
        put();
      },
      take, take);
}

void wait_if_empty() {
  take_one_of_two([](threading::Condition& changed, const tutti::Shared<int>& items) {
    if (items == 0) changed.wait();
  });
}
void wait_while_empty() {
  take_one_of_two([](threading::Condition& changed, const tutti::Shared<int>& items) {
    while (items == 0) changed.wait();
  });
}

TEST(ClassicWaits, WhoWaitsWithIfMayFindNothing) {
  expect_found(wait_if_empty, FailureKind::assertion);
}
TEST(ClassicWaits, WhoWaitsWithWhileFindsSomething) {
  expect_passes(wait_while_empty);
}

// --- readers and a writer ------------------------------------------------------------------------

// Readers share it. Where it prefers writers, one that waits keeps new readers out.
class ReadersLock {
 public:
  enum class Prefers { readers, writers };
  explicit ReadersLock(Prefers prefers) : prefers_(prefers) {}

  void begin_read() {
    std::scoped_lock held(changed_);
    changed_.wait_for(
        [this] { return !is_written_ && (prefers_ == Prefers::readers || writers_ == 0); });
    ++readers_;
  }
  void end_read() {
    std::scoped_lock held(changed_);
    --readers_;
    if (readers_ == 0) changed_.notify_all();
  }
  void begin_write() {
    std::scoped_lock held(changed_);
    ++writers_;
    changed_.wait_for([this] { return !is_written_ && readers_ == 0; });
    --writers_;
    is_written_ = true;
  }
  void end_write() {
    std::scoped_lock held(changed_);
    is_written_ = false;
    changed_.notify_all();
  }

 private:
  const Prefers prefers_;
  threading::Condition changed_;
  tutti::Shared<int> readers_ = 0;
  tutti::Shared<int> writers_ = 0;
  tutti::Shared<bool> is_written_ = false;
};

// A reader reads a second time before it has ended the first.
template <ReadersLock::Prefers prefers>
void read_twice() {
  ReadersLock lock(prefers);
  tutti::Shared<int> value = 0;
  together(
      [&] {
        lock.begin_read();
        lock.begin_read();
        explore::require(value == 0 || value == 1);
        lock.end_read();
        lock.end_read();
      },
      [&] {
        lock.begin_write();
        value = 1;
        lock.end_write();
      });
}

TEST(ClassicWaits, AReaderThatReadsTwiceWaitsForTheWriterThatWaitsForIt) {
  expect_found(read_twice<ReadersLock::Prefers::writers>, FailureKind::lost_wakeup);
}
TEST(ClassicWaits, WithPreferenceForReadersItDoesNot) {
  expect_passes(read_twice<ReadersLock::Prefers::readers>);
}

// --- events --------------------------------------------------------------------------------------

void clear_after_the_look() {
  threading::Event came;
  tutti::atomic<int> items = 0;
  together(
      [&] {
        while (items == 0) {
          came.clear();
          came.wait();
        }
      },
      [&] {
        ++items;
        came.set();
      });
}

void clear_before_the_look() {
  threading::Event came;
  tutti::atomic<int> items = 0;
  const auto put = [&] {
    ++items;
    came.set();
  };
  together(
      [&] {
        for (;;) {
          came.clear();
          if (items == 2) break;
          came.wait();
        }
      },
      put, put);
}

TEST(ClassicWaits, AnEventClearedAfterTheLookIsLost) {
  expect_found(clear_after_the_look, FailureKind::lost_wakeup);
}
TEST(ClassicWaits, AnEventClearedBeforeTheLookIsNot) {
  expect_passes(clear_before_the_look);
}

TEST(ClassicWaits, EachBugIsFoundByChanceToo) {
  expect_found_by_chance(
      {
          {"buffer", pass_two_items<tell_one>, FailureKind::lost_wakeup},
          {"if", wait_if_empty, FailureKind::assertion},
          {"readers", read_twice<ReadersLock::Prefers::writers>, FailureKind::lost_wakeup},
          {"event", clear_after_the_look, FailureKind::lost_wakeup},
      },
      500);
}

}  // namespace
}  // namespace tests::classics
