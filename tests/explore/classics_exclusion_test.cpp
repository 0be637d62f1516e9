// Classic ways to keep two threads apart with loads and stores alone, and the fence they need.
#include <array>

#include "explore/classics.h"

namespace tests::classics {
namespace {

using enum std::memory_order;

// How what a thread has stored gets to the other before it looks what the other has stored.
enum class By { seq_cst_accesses, fence, nothing };

template <By by>
struct Orders {
  static constexpr std::memory_order load = by == By::seq_cst_accesses ? seq_cst : acquire;
  static constexpr std::memory_order store = by == By::seq_cst_accesses ? seq_cst : release;
  static void fence() {
    if (by == By::fence) tutti::fence(seq_cst);
  }
};

template <By by, bool has_first_fence = true>
class Peterson {
 public:
  void lock(std::size_t me) {
    wants_[me].store(true, Orders<by>::store);
    // Without it the other's store to yields_ could come later than ours and yet not bring along
    // that we want to enter.
    if (has_first_fence) Orders<by>::fence();
    yields_.store(static_cast<int>(me), Orders<by>::store);
    Orders<by>::fence();
    while (wants_[1 - me].load(Orders<by>::load) &&
           yields_.load(Orders<by>::load) == static_cast<int>(me)) {
    }
  }
  void unlock(std::size_t me) { wants_[me].store(false, release); }

 private:
  std::array<tutti::atomic<bool>, 2> wants_{};
  tutti::atomic<int> yields_ = 0;
};

template <By by>
class Dekker {
 public:
  void lock(std::size_t me) {
    wants_[me].store(true, Orders<by>::store);
    Orders<by>::fence();
    while (wants_[1 - me].load(Orders<by>::load)) {
      if (turn_.load(Orders<by>::load) == static_cast<int>(me)) continue;
      wants_[me].store(false, Orders<by>::store);
      while (turn_.load(Orders<by>::load) != static_cast<int>(me)) {
      }
      wants_[me].store(true, Orders<by>::store);
      Orders<by>::fence();
    }
  }
  void unlock(std::size_t me) {
    turn_.store(static_cast<int>(1 - me), Orders<by>::store);
    wants_[me].store(false, Orders<by>::store);
  }

 private:
  std::array<tutti::atomic<bool>, 2> wants_{};
  tutti::atomic<int> turn_ = 0;
};

// The first test that each of them passes: who wants to enter says so, then looks, and gives up if
// the other wants to as well.
template <By by>
class Polite {
 public:
  bool try_lock(std::size_t me) {
    wants_[me].store(true, Orders<by>::store);
    Orders<by>::fence();
    return !wants_[1 - me].load(Orders<by>::load);
  }

 private:
  std::array<tutti::atomic<bool>, 2> wants_{};
};

template <typename Exclusion>
void enter_one_by_one() {
  Exclusion exclusion;
  tutti::Shared<int> inside = 0;
  const auto enter = [&](std::size_t me) {
    exclusion.lock(me);
    ++inside;
    exclusion.unlock(me);
  };
  together([&] { enter(0); }, [&] { enter(1); });
  explore::require(inside == 2);
}

template <typename Exclusion>
void try_to_enter() {
  Exclusion exclusion;
  int inside = 0;
  const auto enter = [&](std::size_t me) { inside += exclusion.try_lock(me) ? 1 : 0; };
  together([&] { enter(0); }, [&] { enter(1); });
  explore::require(inside <= 1, "both are in");
}

TEST(ClassicExclusion, PoliteThreadsWithoutAFenceAreBothIn) {
  expect_found(try_to_enter<Polite<By::nothing>>, FailureKind::assertion, relaxed_memory);
}
TEST(ClassicExclusion, PoliteThreadsWithAFenceAreNot) {
  expect_passes(try_to_enter<Polite<By::fence>>, relaxed_memory);
}
TEST(ClassicExclusion, PoliteThreadsWithSeqCstAccessesAreNot) {
  expect_passes(try_to_enter<Polite<By::seq_cst_accesses>>, relaxed_memory);
}

TEST(ClassicExclusion, PetersonWithoutAFenceLetsBothIn) {
  expect_found(enter_one_by_one<Peterson<By::nothing>>, FailureKind::race, relaxed_memory);
}
TEST(ClassicExclusion, PetersonWithTheSecondFenceOnlyDoesSoToo) {
  expect_found(enter_one_by_one<Peterson<By::fence, false>>, FailureKind::race, relaxed_memory);
}
TEST(ClassicExclusion, PetersonWithFencesDoesNot) {
  expect_passes(enter_one_by_one<Peterson<By::fence>>, relaxed_memory);
}
TEST(ClassicExclusion, PetersonWithSeqCstAccessesDoesNot) {
  expect_passes(enter_one_by_one<Peterson<By::seq_cst_accesses>>, relaxed_memory);
}
TEST(ClassicExclusion, PetersonNeedsNoFenceWhereLoadsAreNeverStale) {
  expect_passes(enter_one_by_one<Peterson<By::nothing>>);
}

TEST(ClassicExclusion, DekkerWithoutAFenceLetsBothIn) {
  expect_found(enter_one_by_one<Dekker<By::nothing>>, FailureKind::race, relaxed_memory);
}
TEST(ClassicExclusion, DekkerWithAFenceDoesNot) {
  expect_passes(enter_one_by_one<Dekker<By::fence>>, relaxed_memory);
}
TEST(ClassicExclusion, DekkerWithSeqCstAccessesDoesNot) {
  expect_passes(enter_one_by_one<Dekker<By::seq_cst_accesses>>, relaxed_memory);
}
TEST(ClassicExclusion, DekkerNeedsNoFenceWhereLoadsAreNeverStale) {
  expect_passes(enter_one_by_one<Dekker<By::nothing>>);
}

TEST(ClassicExclusion, EachBugIsFoundByChanceToo) {
  expect_found_by_chance(
      {
          {"polite", try_to_enter<Polite<By::nothing>>, FailureKind::assertion, relaxed_memory},
          {"Peterson", enter_one_by_one<Peterson<By::nothing>>, FailureKind::race, relaxed_memory},
          {"Dekker", enter_one_by_one<Dekker<By::nothing>>, FailureKind::race, relaxed_memory},
      },
      500);
}

}  // namespace
}  // namespace tests::classics
