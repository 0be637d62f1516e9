// What a few loads and stores may show by the C++ memory model, and what they must not.
#include <string>

#include "explore/classics.h"

namespace tests::classics {
namespace {

using enum std::memory_order;

using Word = tutti::atomic<int>;

std::string digits(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += std::to_string(value);
  return text;
}

// --- store buffering -----------------------------------------------------------------------------

template <std::memory_order write, std::memory_order look, bool with_fence = false>
std::string buffer_stores() {
  Word x = 0;
  Word y = 0;
  int left = 0;
  int right = 0;
  together(
      [&] {
        x.store(1, write);
        if (with_fence) tutti::fence(seq_cst);
        left = y.load(look);
      },
      [&] {
        y.store(1, write);
        if (with_fence) tutti::fence(seq_cst);
        right = x.load(look);
      });
  return digits({left, right});
}

const Outcomes not_both_miss = {"01", "10", "11"};
const Outcomes all_of_two = {"00", "01", "10", "11"};

TEST(ClassicLitmus, BothMayMissAStoreThatIsOnlyReleased) {
  EXPECT_EQ(outcomes_of(buffer_stores<release, acquire>, relaxed_memory), all_of_two);
  EXPECT_EQ(outcomes_of(buffer_stores<relaxed, relaxed>, relaxed_memory), all_of_two);
  EXPECT_EQ(outcomes_of(buffer_stores<seq_cst, acquire>, relaxed_memory), all_of_two);
  EXPECT_EQ(outcomes_of(buffer_stores<release, seq_cst>, relaxed_memory), all_of_two);
}
TEST(ClassicLitmus, BothNeverMissASeqCstStore) {
  EXPECT_EQ(outcomes_of(buffer_stores<seq_cst, seq_cst>, relaxed_memory), not_both_miss);
}
TEST(ClassicLitmus, BothNeverMissAStoreBeforeAFence) {
  EXPECT_EQ((outcomes_of(buffer_stores<relaxed, relaxed, true>, relaxed_memory)), not_both_miss);
}
TEST(ClassicLitmus, BothNeverMissAStoreInSequentialMemory) {
  EXPECT_EQ(outcomes_of(buffer_stores<relaxed, relaxed>, {}), not_both_miss);
}

// --- message passing -----------------------------------------------------------------------------

template <std::memory_order write, std::memory_order look>
std::string pass() {
  Word x = 0;
  Word flag = 0;
  int seen = 0;
  int value = 0;
  together(
      [&] {
        x.store(1, relaxed);
        flag.store(1, write);
      },
      [&] {
        seen = flag.load(look);
        value = x.load(relaxed);
      });
  return digits({seen, value});
}

// By fences around relaxed accesses.
template <std::memory_order before, std::memory_order after>
std::string pass_by_fences() {
  Word x = 0;
  Word flag = 0;
  int seen = 0;
  int value = 0;
  together(
      [&] {
        x.store(1, relaxed);
        tutti::fence(before);
        flag.store(1, relaxed);
      },
      [&] {
        seen = flag.load(relaxed);
        tutti::fence(after);
        value = x.load(relaxed);
      });
  return digits({seen, value});
}

// Somebody else adds to the flag in between, by a relaxed operation.
template <std::memory_order last_write>
std::string pass_by_a_release_sequence() {
  Word x = 0;
  Word flag = 0;
  int seen = 0;
  int value = 0;
  together(
      [&] {
        x.store(1, relaxed);
        flag.store(1, release);
      },
      [&] {
        int one = 1;
        flag.compare_exchange_strong(one, 2, last_write, relaxed);
      },
      [&] {
        seen = flag.load(acquire);
        value = x.load(relaxed);
      });
  return digits({seen, value});
}

const Outcomes never_old = {"00", "01", "11"};

TEST(ClassicLitmus, AMessageMayBeOldWithoutReleaseOrWithoutAcquire) {
  EXPECT_EQ(outcomes_of(pass<relaxed, acquire>, relaxed_memory), all_of_two);
  EXPECT_EQ(outcomes_of(pass<release, relaxed>, relaxed_memory), all_of_two);
  EXPECT_EQ((outcomes_of(pass_by_fences<release, release>, relaxed_memory)), all_of_two);
  EXPECT_EQ((outcomes_of(pass_by_fences<acquire, acquire>, relaxed_memory)), all_of_two);
}
TEST(ClassicLitmus, AMessageIsNeverOldBetweenReleaseAndAcquire) {
  EXPECT_EQ(outcomes_of(pass<release, acquire>, relaxed_memory), never_old);
  EXPECT_EQ((outcomes_of(pass_by_fences<release, acquire>, relaxed_memory)), never_old);
  EXPECT_EQ((outcomes_of(pass_by_fences<seq_cst, seq_cst>, relaxed_memory)), never_old);
}
TEST(ClassicLitmus, AReleaseGoesOnThroughARelaxedExchange) {
  EXPECT_EQ(outcomes_of(pass_by_a_release_sequence<relaxed>, relaxed_memory),
            (Outcomes{"00", "01", "11", "21"}));
}

// --- independent reads of independent writes -----------------------------------------------------

template <std::memory_order write, std::memory_order look, bool with_fence = false>
std::string read_independently() {
  Word x = 0;
  Word y = 0;
  int x_then = 0, then_y = 0, y_then = 0, then_x = 0;
  together([&] { x.store(1, write); }, [&] { y.store(1, write); },
           [&] {
             x_then = x.load(look);
             if (with_fence) tutti::fence(seq_cst);
             then_y = y.load(look);
           },
           [&] {
             y_then = y.load(look);
             if (with_fence) tutti::fence(seq_cst);
             then_x = x.load(look);
           });
  return digits({x_then, then_y, y_then, then_x});
}

bool readers_may_disagree(const Outcomes& outcomes) {
  EXPECT_EQ(outcomes.size(), outcomes.contains("1010") ? 16u : 15u);
  return outcomes.contains("1010");
}

TEST(ClassicLitmus, ReadersWhoAcquireMayDisagreeAboutTheOrderOfWrites) {
  EXPECT_TRUE(
      readers_may_disagree(outcomes_of(read_independently<release, acquire>, relaxed_memory)));
}
TEST(ClassicLitmus, ReadersBySeqCstNeverDisagree) {
  EXPECT_FALSE(
      readers_may_disagree(outcomes_of(read_independently<seq_cst, seq_cst>, relaxed_memory)));
}
// C++20 [atomics.order]/4, since P0668: reading before a write comes before its readers.
TEST(ClassicLitmus, ReadersWithFencesNeverDisagree) {
  EXPECT_FALSE(readers_may_disagree(
      outcomes_of(read_independently<relaxed, relaxed, true>, relaxed_memory)));
}
TEST(ClassicLitmus, ReadersBySeqCstNeverDisagreeAboutRelaxedWrites) {
  EXPECT_FALSE(
      readers_may_disagree(outcomes_of(read_independently<relaxed, seq_cst>, relaxed_memory)));
}

// --- one word ------------------------------------------------------------------------------------

TEST(ClassicLitmus, AThreadNeverSeesAWordGoBack) {
  const Outcomes outcomes = outcomes_of(
      [] {
        Word x = 0;
        int first = 0;
        int second = 0;
        together(
            [&] {
              x.store(1, relaxed);
              x.store(2, relaxed);
            },
            [&] {
              first = x.load(relaxed);
              second = x.load(relaxed);
            });
        return digits({first, second});
      },
      relaxed_memory);
  EXPECT_EQ(outcomes, (Outcomes{"00", "01", "02", "11", "12", "22"}));
}

TEST(ClassicLitmus, AThreadThatJoinsSeesEverything) {
  const Outcomes outcomes = outcomes_of(
      [] {
        Word x = 0;
        threading::Thread thread([&] { x.store(1, relaxed); });
        thread.start();
        thread.join();
        return digits({x.load(relaxed)});
      },
      relaxed_memory);
  EXPECT_EQ(outcomes, Outcomes{"1"});
}

TEST(ClassicLitmus, AnExchangeNeverReadsAnOldValue) {
  const Outcomes outcomes = outcomes_of(
      [] {
        Word x = 0;
        const auto add = [&] { x.fetch_add(1, relaxed); };
        together(add, add, add);
        return digits({x.load(relaxed)});
      },
      relaxed_memory);
  EXPECT_EQ(outcomes, Outcomes{"3"});
}

// --- what two threads learn from a third ---------------------------------------------------------

template <std::memory_order write, std::memory_order look>
std::string pass_on() {
  Word x = 0;
  Word y = 0;
  int got = 0, passed = 0, value = 0;
  together([&] { x.store(1, relaxed); },
           [&] {
             got = x.load(look);
             y.store(1, write);
           },
           [&] {
             passed = y.load(look);
             value = x.load(relaxed);
           });
  return digits({got, passed, value});
}

TEST(ClassicLitmus, WhatWasReadBeforeAReleaseIsNotUnreadAfterIt) {
  const Outcomes strict = outcomes_of(pass_on<release, acquire>, relaxed_memory);
  EXPECT_FALSE(strict.contains("110"));
  EXPECT_EQ(strict.size(), 7u);
  EXPECT_EQ(outcomes_of(pass_on<relaxed, relaxed>, relaxed_memory).size(), 8u);
}

// --- how long a store may stay unseen ------------------------------------------------------------

TEST(ClassicLitmus, AnOldValueMayBeReadAsOftenAsNotPolledFor) {
  const Outcomes outcomes = outcomes_of(
      [] {
        Word x = 0;
        Word flag = 0;
        int seen = 0;
        int old = 0;
        together(
            [&] {
              seen = flag.load(relaxed);
              for (int i = 0; i < 3; ++i) old += 1 - x.load(relaxed);
            },
            [&] {
              x.store(1, relaxed);
              flag.store(1, relaxed);
            });
        return digits({seen, old});
      },
      relaxed_memory);
  EXPECT_EQ(outcomes, (Outcomes{"00", "01", "02", "03", "10", "11", "12", "13"}));
}

// --- the place of a fence ------------------------------------------------------------------------

// One passes a message, the other looks for it; each has a fence, of which only one place helps.
enum class FenceIs { before, between, after };

template <FenceIs writers, FenceIs readers>
std::string pass_by_a_fence_that_is() {
  Word x = 0;
  Word flag = 0;
  int seen = 0;
  int value = 0;
  const auto fence_if = [](bool it_is_here) {
    if (it_is_here) tutti::fence(seq_cst);
  };
  together(
      [&] {
        x.store(1, relaxed);
        fence_if(writers == FenceIs::between);
        flag.store(1, relaxed);
        fence_if(writers == FenceIs::after);
      },
      [&] {
        fence_if(readers == FenceIs::before);
        seen = flag.load(relaxed);
        fence_if(readers == FenceIs::between);
        value = x.load(relaxed);
      });
  return digits({seen, value});
}

TEST(ClassicLitmus, AMessageIsNeverOldWithAFenceInBetween) {
  EXPECT_EQ(
      (outcomes_of(pass_by_a_fence_that_is<FenceIs::between, FenceIs::between>, relaxed_memory)),
      never_old);
}
TEST(ClassicLitmus, AMessageMayBeOldWithTheReadersFenceTooEarly) {
  EXPECT_EQ(
      (outcomes_of(pass_by_a_fence_that_is<FenceIs::between, FenceIs::before>, relaxed_memory)),
      all_of_two);
}
TEST(ClassicLitmus, AMessageMayBeOldWithTheWritersFenceTooLate) {
  EXPECT_EQ(
      (outcomes_of(pass_by_a_fence_that_is<FenceIs::after, FenceIs::between>, relaxed_memory)),
      all_of_two);
}

}  // namespace
}  // namespace tests::classics
