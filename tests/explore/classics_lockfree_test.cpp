// Classic bugs of lock-free structures and of locks made from atomics.
#include <array>
#include <optional>

#include "explore/classics.h"

namespace tests::classics {
namespace {

using enum std::memory_order;

// --- a stack and ABA -----------------------------------------------------------------------------

constexpr int nobody = -1;
constexpr int everything = 3;

// Treiber's stack of the nodes 0 to 2, which lie on it from the beginning. `versioned` heads count
// their changes in the upper bits, so that a head that is the same is one that was not changed.
enum class Heads { bare, versioned };

template <Heads heads>
class Stack {
 public:
  int pop() noexcept {
    for (;;) {
      std::int64_t head = head_;
      const int top = node_of(head);
      if (top == nobody) return nobody;
      if (head_.compare_exchange_strong(head, after(head, next_[at(top)]))) return top;
    }
  }
  void push(int node) noexcept {
    for (;;) {
      std::int64_t head = head_;
      next_[at(node)] = node_of(head);
      if (head_.compare_exchange_strong(head, after(head, node))) return;
    }
  }

 private:
  static std::size_t at(int node) { return static_cast<std::size_t>(node); }
  static int node_of(std::int64_t head) { return static_cast<int>(head & 0xff) + nobody; }
  static std::int64_t after(std::int64_t head, int node) {
    const std::int64_t version = heads == Heads::versioned ? (head >> 8) + 1 : 0;
    return version << 8 | (node - nobody);
  }

  tutti::atomic<std::int64_t> head_ = 0 - nobody;
  std::array<tutti::atomic<int>, everything> next_{1, 2, nobody};
};

// One pops a node; the other pops two and puts the first back. Then all are counted.
template <Heads heads>
void pop_and_put_back() {
  Stack<heads> stack;
  std::array<int, everything> owners{};
  const auto own = [&](int node) {
    if (node == nobody) return;
    const int others = owners[static_cast<std::size_t>(node)]++;
    explore::require(others == 0, "a node has two owners");
  };
  together([&] { own(stack.pop()); },
           [&] {
             const int first = stack.pop();
             own(stack.pop());
             if (first != nobody) stack.push(first);
           });
  for (int node = stack.pop(); node != nobody; node = stack.pop()) own(node);
}

TEST(ClassicLockFree, AStackOfBareHeadsTakesAForA) {
  expect_found(pop_and_put_back<Heads::bare>, FailureKind::assertion);
}
TEST(ClassicLockFree, AStackOfVersionedHeadsDoesNot) {
  expect_passes(pop_and_put_back<Heads::versioned>);
}

// --- a work-stealing deque -----------------------------------------------------------------------

enum class Fences { left_out, seq_cst };

// Chase and Lev's deque in the orders of Lê, Pop, Cohen and Zappa Nardelli (2013), for items that
// are their own numbers.
template <Fences fences>
class Deque {
 public:
  void push(int item) {
    const int bottom = bottom_.load(relaxed);
    items_[at(bottom)].store(item, relaxed);
    bottom_.store(bottom + 1, release);
  }

  std::optional<int> take() {
    const int bottom = bottom_.load(relaxed) - 1;
    bottom_.store(bottom, relaxed);
    fence();
    int top = top_.load(relaxed);
    std::optional<int> item;
    if (top <= bottom) item = items_[at(bottom)].load(relaxed);
    if (top < bottom) return item;
    // The last one is left to who wins.
    if (top == bottom && !top_.compare_exchange_strong(top, top + 1, seq_cst, relaxed))
      item.reset();
    bottom_.store(bottom + 1, relaxed);
    return item;
  }

  std::optional<int> steal() {
    int top = top_.load(acquire);
    fence();
    if (top >= bottom_.load(acquire)) return {};
    const int item = items_[at(top)].load(relaxed);
    if (!top_.compare_exchange_strong(top, top + 1, seq_cst, relaxed)) return {};
    return item;
  }

 private:
  static std::size_t at(int place) { return static_cast<std::size_t>(place) % 2; }
  static void fence() {
    if (fences == Fences::seq_cst) tutti::fence(seq_cst);
  }

  tutti::atomic<int> top_ = 0;
  tutti::atomic<int> bottom_ = 0;
  std::array<tutti::atomic<int>, 2> items_{};
};

template <Fences fences>
void share_two_items() {
  Deque<fences> deque;
  std::array<int, 2> taken{};
  const auto count = [&](std::optional<int> item) {
    if (!item) return;
    const int before = taken[static_cast<std::size_t>(*item)]++;
    explore::require(before == 0, "an item was taken twice");
  };
  deque.push(0);
  deque.push(1);
  together(
      [&] {
        count(deque.take());
        count(deque.take());
      },
      [&] {
        count(deque.steal());
        count(deque.steal());
      });
  explore::require(taken[0] == 1 && taken[1] == 1, "an item was lost");
}

TEST(ClassicLockFree, AWorkStealingDequeWithoutFencesGivesAnItemTwice) {
  expect_found(share_two_items<Fences::left_out>, FailureKind::assertion, relaxed_memory);
}
TEST(ClassicLockFree, AWorkStealingDequeWithFencesDoesNot) {
  expect_passes(share_two_items<Fences::seq_cst>, relaxed_memory);
}
TEST(ClassicLockFree, AWorkStealingDequeNeedsNoFencesWhereLoadsAreNeverStale) {
  expect_passes(share_two_items<Fences::left_out>);
}

// --- locks made from atomics ---------------------------------------------------------------------

template <typename Spinning>
void count_under(int threads) {
  Spinning lock;
  tutti::Shared<int> counter = 0;
  together_each(threads, [&](int /*i*/) {
    std::scoped_lock held(lock);
    ++counter;
  });
  explore::require(counter == threads);
}

class TicketsTakenInTwoSteps {
 public:
  void lock() {
    const int mine = next_.load();
    next_.store(mine + 1);
    while (serving_ < mine) {
    }
  }
  void unlock() { ++serving_; }

 private:
  tutti::atomic<int> next_ = 0;
  tutti::atomic<int> serving_ = 0;
};

class TicketsTakenAtOnce {
 public:
  void lock() {
    const int mine = next_.fetch_add(1, relaxed);
    while (serving_.load(acquire) != mine) {
    }
  }
  void unlock() { serving_.store(serving_.load(relaxed) + 1, release); }

 private:
  tutti::atomic<int> next_ = 0;
  tutti::atomic<int> serving_ = 0;
};

template <std::memory_order at_lock, std::memory_order at_unlock>
class Flag {
 public:
  void lock() {
    while (is_held_.exchange(true, at_lock)) {
      while (is_held_.load(relaxed)) {
      }
    }
  }
  void unlock() { is_held_.store(false, at_unlock); }

 private:
  tutti::atomic<bool> is_held_ = false;
};

TEST(ClassicLockFree, TicketsTakenInTwoStepsAreHandedOutTwice) {
  expect_found([] { count_under<TicketsTakenInTwoSteps>(2); }, FailureKind::race);
}
TEST(ClassicLockFree, TicketsTakenAtOnceAreNot) {
  expect_passes([] { count_under<TicketsTakenAtOnce>(3); });
}
TEST(ClassicLockFree, ASpinningLockThatAcquiresNothingLeavesARace) {
  expect_found([] { count_under<Flag<relaxed, release>>(2); }, FailureKind::race);
}
TEST(ClassicLockFree, ASpinningLockThatReleasesNothingLeavesARace) {
  expect_found([] { count_under<Flag<acquire, relaxed>>(2); }, FailureKind::race);
}
TEST(ClassicLockFree, ASpinningLockThatDoesBothLeavesNone) {
  expect_passes([] { count_under<Flag<acquire, release>>(3); });
}
TEST(ClassicLockFree, ASpinningLockThatDoesBothLeavesNoneInRelaxedMemory) {
  expect_passes([] { count_under<Flag<acquire, release>>(2); }, relaxed_memory);
}
TEST(ClassicLockFree, TicketsTakenAtOnceAreNotInRelaxedMemory) {
  expect_passes([] { count_under<TicketsTakenAtOnce>(2); }, relaxed_memory);
}

// A thread that polls by exchanges changes nothing either, and could be made to wait for others.
TEST(ClassicLockFree, ALockThatSpinsOnExchangesIsNoLivelock) {
  const auto enter_twice = [] {
    tutti::atomic<bool> is_held = false;
    const auto enter = [&] {
      while (is_held.exchange(true)) {
      }
      is_held = false;
    };
    together(enter, enter);
  };
  expect_passes(enter_twice);
}

// --- a ring with one at each end -----------------------------------------------------------------

template <std::memory_order publish>
void pass_through_a_ring() {
  std::array<tutti::Shared<int>, 2> places{};
  tutti::atomic<unsigned> written = 0;
  tutti::atomic<unsigned> read = 0;
  together(
      [&] {
        for (unsigned i = 0; i < 3; ++i) {
          if (i - read.load(acquire) == places.size()) return;
          places[i % 2] = static_cast<int>(i);
          written.store(i + 1, publish);
        }
      },
      [&] {
        for (unsigned i = 0; i < 3 && written.load(acquire) > i; ++i) {
          explore::require(places[i % 2] == static_cast<int>(i));
          read.store(i + 1, publish);
        }
      });
}

TEST(ClassicLockFree, ARingThatPublishesByRelaxedStoresLeavesARace) {
  expect_found(pass_through_a_ring<relaxed>, FailureKind::race);
}
TEST(ClassicLockFree, ARingThatPublishesByReleaseDoesNot) {
  expect_passes(pass_through_a_ring<release>);
  expect_passes(pass_through_a_ring<release>, relaxed_memory);
}

TEST(ClassicLockFree, EachBugIsFoundByChanceToo) {
  expect_found_by_chance(
      {
          {"stack", pop_and_put_back<Heads::bare>, FailureKind::assertion},
          {"deque", share_two_items<Fences::left_out>, FailureKind::assertion, relaxed_memory},
          {"tickets", [] { count_under<TicketsTakenInTwoSteps>(2); }, FailureKind::race},
          {"acquire", [] { count_under<Flag<relaxed, release>>(2); }, FailureKind::race},
          {"release", [] { count_under<Flag<acquire, relaxed>>(2); }, FailureKind::race},
          {"ring", pass_through_a_ring<relaxed>, FailureKind::race},
      },
      2000);
}

}  // namespace
}  // namespace tests::classics
