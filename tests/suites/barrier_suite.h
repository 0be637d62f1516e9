// What holds for a Barrier.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <stdexcept>

#include "suites/stage.h"

namespace tests {

using tutti::threading::BrokenBarrierError;

template <typename Flavour>
class Barrier : public Stage<Flavour> {
 protected:
  using BarrierType = typename Flavour::Barrier;

  static constexpr int broken = -1;

  /// Starts workers that wait once, and write down their rank, or `broken`. Returns when they wait.
  void start_waiters(BarrierType& barrier, int n) {
    for (int i = 0; i < n; ++i) {
      this->start_into_wait_pool([&barrier, &ranks = ranks_] { ranks.add(rank_at(barrier)); });
    }
  }

  static int rank_at(BarrierType& barrier) {
    try {
      return barrier.wait();
    } catch (const BrokenBarrierError&) {
      return broken;
    }
  }

  void expect_all_broken(std::size_t n) {
    this->finish();
    EXPECT_EQ(ranks_.entries(), std::vector<int>(n, broken));
  }

  Journal<int>& ranks_ = this->template make<Journal<int>>();
};

TYPED_TEST_SUITE_P(Barrier);

TYPED_TEST_P(Barrier, OfLessThanOnePartyIsRefused) {
  for (const int parties : {0, -1, std::numeric_limits<int>::min()}) {
    EXPECT_TRUE(throws<tutti::ValueError>([&] { typename TypeParam::Barrier bad(parties); },
                                          {std::to_string(parties), "MainThread"}));
  }
}

TYPED_TEST_P(Barrier, OfOnePartyHoldsNobodyUp) {
  auto& barrier = this->template make<typename TypeParam::Barrier>(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(barrier.wait(), 0);
  EXPECT_EQ(barrier.wait(0), 0);
  EXPECT_EQ(barrier.n_waiting(), 0);
  EXPECT_FALSE(barrier.broken());
}

TYPED_TEST_P(Barrier, KnowsItsPartiesAndWhoWaits) {
  auto& barrier = this->template make<typename TypeParam::Barrier>(4);
  EXPECT_EQ(barrier.parties(), 4);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(barrier.n_waiting(), i);
    this->start_waiters(barrier, 1);
  }
  EXPECT_EQ(barrier.n_waiting(), 3);
  EXPECT_EQ(this->ranks_.size(), 0u);
  barrier.wait();
  EXPECT_EQ(barrier.n_waiting(), 0);
  EXPECT_FALSE(barrier.broken());
  this->finish();
}

TYPED_TEST_P(Barrier, GivesEachPartyItsRankOfArrival) {
  auto& barrier = this->template make<typename TypeParam::Barrier>(4);
  auto& right = this->template make<Journal<bool>>();
  for (int i = 0; i < 3; ++i) {
    this->start_into_wait_pool([&barrier, &right, i] { right.add(barrier.wait() == i); });
  }
  EXPECT_EQ(barrier.wait(), 3);
  this->finish();
  EXPECT_EQ(right.count(true), 3u);
}

TYPED_TEST_P(Barrier, IsPassedInLockstepAgainAndAgain) {
  constexpr int parties = 4;
  constexpr int rounds = 60;
  auto& barrier = this->template make<typename TypeParam::Barrier>(parties);
  auto& before = this->template make<std::atomic<int>>(0);
  auto& after = this->template make<std::atomic<int>>(0);
  auto& wrong = this->template make<std::atomic<int>>(0);
  for (int i = 0; i < parties; ++i) {
    this->start([&barrier, &before, &after, &wrong] {
      for (int round = 0; round < rounds; ++round) {
        ++before;
        if (after != round * parties) ++wrong;
        barrier.wait();
        ++after;
        if (before != (round + 1) * parties) ++wrong;
        barrier.wait();
      }
    });
  }
  this->finish();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(after.load(), parties * rounds);
  EXPECT_EQ(barrier.n_waiting(), 0);
  EXPECT_FALSE(barrier.broken());
}

TYPED_TEST_P(Barrier, TheLastToComeCallsTheActionBeforeTheOthersGoOn) {
  auto& log = this->template make<Journal<int>>();
  auto& barrier = this->template make<typename TypeParam::Barrier>(3, std::function<void()>([&log] {
                                                                     tutti::sleep(0.002);
                                                                     log.add(1);
                                                                   }));
  for (int i = 0; i < 3; ++i) {
    this->start([&barrier, &log] {
      for (int round = 0; round < 10; ++round) {
        barrier.wait();
        log.add(2);
        barrier.wait();
      }
    });
  }
  this->finish();
  // Each round: the action, three parties in between, the action again.
  std::vector<int> expected;
  for (int round = 0; round < 10; ++round) expected.insert(expected.end(), {1, 2, 2, 2, 1});
  EXPECT_EQ(log.entries(), expected);
}

TYPED_TEST_P(Barrier, WhoComesWhileTheActionRunsBelongsToTheNextRound) {
  auto& in_action = this->template make<typename TypeParam::Event>();
  auto& go_on = this->template make<typename TypeParam::Event>();
  auto& barrier = this->template make<typename TypeParam::Barrier>(
      2, std::function<void()>([&in_action, &go_on] {
        in_action.set();
        go_on.wait();
      }));
  for (int i = 0; i < 2; ++i) this->start([&barrier, &r = this->ranks_] { r.add(barrier.wait()); });
  in_action.wait();
  auto& late =
      this->start_into_wait_pool([&barrier, &r = this->ranks_] { r.add(10 + barrier.wait()); });
  go_on.set();
  until([&] { return this->ranks_.size() == 2; });
  EXPECT_EQ(this->ranks_.sorted(), (std::vector<int>{0, 1}));
  until([&] { return barrier.n_waiting() == 1; });
  this->await(late, Phase::blocked_in_wait_pool);
  EXPECT_EQ(barrier.wait(), 1);
  this->finish();
  EXPECT_EQ(this->ranks_.sorted(), (std::vector<int>{0, 1, 10}));
}

TYPED_TEST_P(Barrier, AnActionThatThrowsBreaksItForTheOthers) {
  auto& fails = this->template make<bool>(true);
  auto& barrier =
      this->template make<typename TypeParam::Barrier>(3, std::function<void()>([&fails] {
                                                         if (fails) throw std::logic_error("no");
                                                       }));
  this->start_waiters(barrier, 2);
  EXPECT_THROW(barrier.wait(), std::logic_error);
  this->expect_all_broken(2);
  EXPECT_TRUE(barrier.broken());
  EXPECT_TRUE(throws<BrokenBarrierError>([&] { barrier.wait(); }, {address_of(&barrier)}));
  fails = false;
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
  this->start_waiters(barrier, 2);
  EXPECT_EQ(barrier.wait(), 2);
}

TYPED_TEST_P(Barrier, AbortBreaksItForAllWhoWaitAndWhoCome) {
  auto& barrier = this->template make<typename TypeParam::Barrier>(4);
  this->start_waiters(barrier, 3);
  barrier.abort();
  this->expect_all_broken(3);
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(
        throws<BrokenBarrierError>([&] { barrier.wait(); }, {address_of(&barrier), "MainThread"}));
  }
}

TYPED_TEST_P(Barrier, ResetSendsAwayWhoWaitsAndServesWhoComes) {
  auto& barrier = this->template make<typename TypeParam::Barrier>(3);
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
  this->start_waiters(barrier, 2);
  barrier.reset();
  this->expect_all_broken(2);
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0);
  this->start_waiters(barrier, 2);
  EXPECT_EQ(barrier.wait(), 2);
  this->finish();
  EXPECT_EQ(this->ranks_.sorted(), (std::vector<int>{this->broken, this->broken, 0, 1}));
}

TYPED_TEST_P(Barrier, ResetMendsAnAbortedOne) {
  auto& barrier = this->template make<typename TypeParam::Barrier>(2);
  barrier.abort();
  EXPECT_TRUE(barrier.broken());
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
  this->start_waiters(barrier, 1);
  EXPECT_EQ(barrier.wait(), 1);
}

TYPED_TEST_P(Barrier, ATimeoutBreaksItForAll) {
  using namespace std::chrono_literals;
  auto& barrier = this->template make<typename TypeParam::Barrier>(4);
  this->start_waiters(barrier, 2);
  EXPECT_GE(time_of([&] {
              EXPECT_TRUE(
                  throws<BrokenBarrierError>([&] { barrier.wait(20ms); }, {address_of(&barrier)}));
            }),
            20ms);
  this->expect_all_broken(2);
  EXPECT_TRUE(barrier.broken());
}

TYPED_TEST_P(Barrier, HasADefaultTimeoutThatACallMayOverride) {
  using namespace std::chrono_literals;
  auto& barrier = this->template make<typename TypeParam::Barrier>(2, std::function<void()>(),
                                                                   tutti::Timeout(20ms));
  EXPECT_GE(time_of([&] { EXPECT_EQ(this->rank_at(barrier), this->broken); }), 20ms);
  EXPECT_TRUE(barrier.broken());
  barrier.reset();
  this->start_into_wait_pool(
      [&barrier, &r = this->ranks_] { r.add(barrier.wait(tutti::forever)); });
  tutti::sleep(30ms);
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(barrier.wait(), 1);
}

TYPED_TEST_P(Barrier, TheLastPartyComesInTimeWhateverItsTimeout) {
  auto& barrier = this->template make<typename TypeParam::Barrier>(2);
  for (const double seconds : {0.0, -1.0, 1e-12, std::numeric_limits<double>::infinity()}) {
    this->start_waiters(barrier, 1);
    EXPECT_EQ(barrier.wait(seconds), 1);
    this->finish();
  }
  EXPECT_TRUE(
      throws<tutti::ValueError>([&] { barrier.wait(std::numeric_limits<double>::quiet_NaN()); }));
  EXPECT_FALSE(barrier.broken());
}

TYPED_TEST_P(Barrier, ATimeoutThatIsOverBreaksItAtOnce) {
  auto& barrier = this->template make<typename TypeParam::Barrier>(2);
  for (const double seconds : {0.0, -1.0, 1e-12}) {
    EXPECT_TRUE(throws<BrokenBarrierError>([&] { barrier.wait(seconds); }));
    EXPECT_TRUE(barrier.broken());
    barrier.reset();
  }
}

TYPED_TEST_P(Barrier, AbortWaitsForTheActionAndLetsItsRoundPass) {
  auto& in_action = this->template make<typename TypeParam::Event>();
  auto& go_on = this->template make<typename TypeParam::Event>();
  auto& barrier = this->template make<typename TypeParam::Barrier>(
      2, std::function<void()>([&in_action, &go_on] {
        in_action.set();
        go_on.wait();
      }));
  for (int i = 0; i < 2; ++i) {
    this->start([&barrier, &r = this->ranks_] { r.add(TestFixture::rank_at(barrier)); });
  }
  in_action.wait();
  this->start_into_wait_pool([&barrier] { barrier.abort(); });
  EXPECT_FALSE(barrier.broken());
  go_on.set();
  this->finish();
  EXPECT_EQ(this->ranks_.sorted(), (std::vector<int>{0, 1}));
  EXPECT_TRUE(barrier.broken());
}

TYPED_TEST_P(Barrier, ATimeoutDuringTheActionBreaksNothing) {
  using namespace std::chrono_literals;
  int actions = 0;
  auto& barrier =
      this->template make<typename TypeParam::Barrier>(2, std::function<void()>([&actions] {
                                                         ++actions;
                                                         tutti::sleep(150ms);
                                                       }));
  int rank = this->broken;
  // On a machine that is slow enough, the first to come gives up before the second one is there.
  while (actions == 0) {
    barrier.reset();
    this->start_into_wait_pool([&barrier, &r = this->ranks_] {
      try {
        r.add(barrier.wait(100ms));
      } catch (const BrokenBarrierError&) {
        r.add(TestFixture::broken);
      }
    });
    rank = this->rank_at(barrier);
    this->finish();
  }
  EXPECT_EQ(rank, 1);
  EXPECT_EQ(this->ranks_.entries().back(), 0);
  EXPECT_FALSE(barrier.broken());
}

REGISTER_TYPED_TEST_SUITE_P(
    Barrier, OfLessThanOnePartyIsRefused, OfOnePartyHoldsNobodyUp, KnowsItsPartiesAndWhoWaits,
    GivesEachPartyItsRankOfArrival, IsPassedInLockstepAgainAndAgain,
    TheLastToComeCallsTheActionBeforeTheOthersGoOn, WhoComesWhileTheActionRunsBelongsToTheNextRound,
    AnActionThatThrowsBreaksItForTheOthers, AbortBreaksItForAllWhoWaitAndWhoCome,
    ResetSendsAwayWhoWaitsAndServesWhoComes, ResetMendsAnAbortedOne, ATimeoutBreaksItForAll,
    HasADefaultTimeoutThatACallMayOverride, TheLastPartyComesInTimeWhateverItsTimeout,
    ATimeoutThatIsOverBreaksItAtOnce, AbortWaitsForTheActionAndLetsItsRoundPass,
    ATimeoutDuringTheActionBreaksNothing);

}  // namespace tests
