// Classic bugs of writes that others see too early, too late, or in another order.
#include <array>
#include <string>

#include "explore/classics.h"

namespace tests::classics {
namespace {

using enum std::memory_order;

// --- two words that belong together --------------------------------------------------------------

// All but the last thread set both words; the last looks at them.
template <int threads>
void set_both_one_by_one() {
  tutti::atomic<int> a = 0;
  tutti::atomic<int> b = 0;
  together_each(threads, [&](int i) {
    if (i < threads - 1) {
      a = 1;
      b = -1;
    } else {
      const int left = a;
      const int right = b;
      explore::require((left == 0 && right == 0) || (left == 1 && right == -1), "half of it");
    }
  });
}

template <int threads>
void set_both_under_a_lock() {
  threading::Lock lock;
  tutti::Shared<int> a = 0;
  tutti::Shared<int> b = 0;
  together_each(threads, [&](int i) {
    std::scoped_lock held(lock);
    if (i < threads - 1) {
      a = 1;
      b = -1;
    } else {
      explore::require((a == 0 && b == 0) || (a == 1 && b == -1), "half of it");
    }
  });
}

TEST(ClassicReorder, AThirdThreadSeesHalfOfAnUpdate) {
  expect_found(set_both_one_by_one<3>, FailureKind::assertion);
}
TEST(ClassicReorder, AFourthThreadSeesHalfOfAnUpdate) {
  expect_found(set_both_one_by_one<4>, FailureKind::assertion);
}
TEST(ClassicReorder, AFifthThreadSeesHalfOfAnUpdate) {
  expect_found(set_both_one_by_one<5>, FailureKind::assertion);
}
TEST(ClassicReorder, AThirdThreadSeesAllOfAnUpdateUnderALock) {
  expect_passes(set_both_under_a_lock<3>);
}
TEST(ClassicReorder, AFourthThreadSeesAllOfAnUpdateUnderALock) {
  expect_passes(set_both_under_a_lock<4>);
}
TEST(ClassicReorder, AFifthThreadSeesAllOfAnUpdateUnderALock) {
  expect_passes(set_both_under_a_lock<5>);
}

// --- messages ------------------------------------------------------------------------------------

template <std::memory_order publish, std::memory_order look>
void pass_a_message() {
  tutti::Shared<int> message = 0;
  tutti::atomic<bool> is_there = false;
  together(
      [&] {
        message = 42;
        is_there.store(true, publish);
      },
      [&] {
        if (is_there.load(look)) explore::require(message == 42);
      });
}

template <std::memory_order publish, std::memory_order look>
void wait_for_a_message() {
  tutti::Shared<int> message = 0;
  tutti::atomic<bool> is_there = false;
  together(
      [&] {
        message = 42;
        is_there.store(true, publish);
      },
      [&] {
        while (!is_there.load(look)) {
        }
        explore::require(message == 42);
      });
}

template <std::memory_order publish>
void pass_an_atomic_message() {
  tutti::atomic<int> message = 0;
  tutti::atomic<bool> is_there = false;
  together(
      [&] {
        message.store(42, relaxed);
        is_there.store(true, publish);
      },
      [&] {
        if (is_there.load(acquire)) explore::require(message.load(relaxed) == 42, "an old one");
      });
}

TEST(ClassicReorder, AMessageBehindARelaxedStoreIsARace) {
  expect_found(pass_a_message<relaxed, acquire>, FailureKind::race);
  expect_found(pass_a_message<relaxed, acquire>, FailureKind::race, relaxed_memory);
}
TEST(ClassicReorder, AMessageBehindARelaxedLoadIsARace) {
  expect_found(pass_a_message<release, relaxed>, FailureKind::race);
  expect_found(pass_a_message<release, relaxed>, FailureKind::race, relaxed_memory);
}
TEST(ClassicReorder, AMessageBetweenReleaseAndAcquireIsNone) {
  expect_passes(pass_a_message<release, acquire>);
  expect_passes(pass_a_message<release, acquire>, relaxed_memory);
}
TEST(ClassicReorder, AMessageThatIsWaitedForIsNone) {
  expect_passes(wait_for_a_message<release, acquire>);
}
TEST(ClassicReorder, AMessageThatIsWaitedForIsNoneInRelaxedMemory) {
  expect_passes(wait_for_a_message<release, acquire>, relaxed_memory);
}
TEST(ClassicReorder, AnAtomicMessageBehindARelaxedStoreIsOld) {
  expect_found(pass_an_atomic_message<relaxed>, FailureKind::assertion, relaxed_memory);
}
TEST(ClassicReorder, AnAtomicMessageBehindAReleaseIsNot) {
  expect_passes(pass_an_atomic_message<release>, relaxed_memory);
}

// --- double-checked locking ----------------------------------------------------------------------

template <std::memory_order publish, std::memory_order look>
void make_at_first_use() {
  threading::Lock lock;
  tutti::Shared<int> made = 0;
  tutti::atomic<bool> is_made = false;
  const auto use = [&] {
    if (!is_made.load(look)) {
      std::scoped_lock held(lock);
      if (!is_made.load(relaxed)) {
        made = made + 1;
        is_made.store(true, publish);
      }
    }
    explore::require(made == 1);
  };
  together(use, use);
}

TEST(ClassicReorder, ADoubleCheckByRelaxedAccessesIsARace) {
  expect_found(make_at_first_use<relaxed, relaxed>, FailureKind::race);
  expect_found(make_at_first_use<relaxed, acquire>, FailureKind::race, relaxed_memory);
  expect_found(make_at_first_use<release, relaxed>, FailureKind::race, relaxed_memory);
}
TEST(ClassicReorder, ADoubleCheckByReleaseAndAcquireIsNone) {
  expect_passes(make_at_first_use<release, acquire>);
}
TEST(ClassicReorder, ADoubleCheckByReleaseAndAcquireIsNoneInRelaxedMemory) {
  expect_passes(make_at_first_use<release, acquire>, relaxed_memory);
}

TEST(ClassicReorder, EachBugIsFoundByChanceToo) {
  expect_found_by_chance(
      {
          {"three", set_both_one_by_one<3>, FailureKind::assertion},
          {"four", set_both_one_by_one<4>, FailureKind::assertion},
          {"five", set_both_one_by_one<5>, FailureKind::assertion},
          {"relaxed store", pass_a_message<relaxed, acquire>, FailureKind::race},
          {"relaxed load", pass_a_message<release, relaxed>, FailureKind::race},
          {"atomic", pass_an_atomic_message<relaxed>, FailureKind::assertion, relaxed_memory},
          {"double check", make_at_first_use<relaxed, relaxed>, FailureKind::race},
      },
      500);
}

}  // namespace
}  // namespace tests::classics
