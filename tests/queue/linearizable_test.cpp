// The two judges of histories: what they must accept, and what they must refuse.
#include "queue/linearizable.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <stdexcept>

#include "tutti/queue.h"

namespace tests {

namespace {

using namespace tutti;

Operation put(Value value, Moment called, Moment returned, Outcome outcome = Outcome::done) {
  return {Action::put, outcome, value, called, returned};
}
Operation get(Value value, Moment called, Moment returned) {
  return {Action::get, Outcome::done, value, called, returned};
}
Operation get(Outcome outcome, Moment called, Moment returned) {
  return {Action::get, outcome, 0, called, returned};
}
Operation shutdown(Moment called, Moment returned) {
  return {Action::shutdown, Outcome::done, 0, called, returned};
}
Operation immediate_shutdown(Moment called, Moment returned) {
  return {Action::immediate_shutdown, Outcome::done, 0, called, returned};
}

constexpr Promise fifo{Order::first_in_first_out, 0};
constexpr Promise lifo{Order::last_in_first_out, 0};
constexpr Promise lowest{Order::lowest_first, 0};

// By both judges.
testing::AssertionResult is_fine(const History& history, std::size_t maxsize = 0) {
  if (!is_linearizable(history, {Order::first_in_first_out, maxsize})) {
    return testing::AssertionFailure() << "the search finds no order";
  }
  if (const auto pattern = bad_pattern(history, maxsize)) {
    return testing::AssertionFailure() << *pattern;
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult is_refused(const History& history, const std::string& reason,
                                    std::size_t maxsize = 0) {
  if (is_linearizable(history, {Order::first_in_first_out, maxsize})) {
    return testing::AssertionFailure() << "the search finds an order";
  }
  const auto pattern = bad_pattern(history, maxsize);
  if (!pattern) return testing::AssertionFailure() << "no pattern";
  if (pattern->rfind(reason, 0) != 0) return testing::AssertionFailure() << "but for " << *pattern;
  return testing::AssertionSuccess();
}

TEST(Linearizable, AcceptsWhatOneThreadDoes) {
  EXPECT_TRUE(is_fine({}));
  EXPECT_TRUE(is_fine({put(1, 0, 1), put(2, 2, 3), get(1, 4, 5), get(2, 6, 7),
                       get(Outcome::empty, 8, 9), put(3, 10, 11), get(3, 12, 13)}));
  EXPECT_TRUE(is_fine({put(1, 0, 1), put(2, 2, 3, Outcome::full), get(1, 4, 5), put(2, 6, 7)}, 1));
}

TEST(Linearizable, AcceptsEitherOrderOfWhatOverlaps) {
  EXPECT_TRUE(is_fine({put(1, 0, 2), put(2, 1, 3), get(1, 4, 5), get(2, 6, 7)}));
  EXPECT_TRUE(is_fine({put(1, 0, 2), put(2, 1, 3), get(2, 4, 5), get(1, 6, 7)}));
  EXPECT_TRUE(is_fine({put(1, 0, 1), put(2, 2, 3), get(2, 4, 6), get(1, 5, 7)}));
  EXPECT_TRUE(is_fine({put(1, 0, 2), get(Outcome::empty, 1, 3), get(1, 4, 5)}));
  EXPECT_TRUE(is_fine({put(1, 1, 3), get(1, 0, 2)})) << "the getter has waited for it";
}

TEST(Linearizable, RefusesWhatWasNeverPut) {
  EXPECT_TRUE(is_refused({put(1, 0, 1), get(2, 2, 3)}, "got but never put"));
  EXPECT_TRUE(is_refused({put(1, 0, 1, Outcome::full), get(1, 2, 3)}, "got but never put", 0));
}

TEST(Linearizable, RefusesWhatIsGotTwice) {
  EXPECT_TRUE(is_refused({put(1, 0, 1), get(1, 2, 5), get(1, 3, 4)}, "got twice"));
}

TEST(Linearizable, RefusesWhatIsGotBeforeItIsPut) {
  EXPECT_TRUE(is_refused({get(1, 0, 1), put(1, 2, 3)}, "got before it was put"));
}

TEST(Linearizable, RefusesAnotherOrder) {
  EXPECT_TRUE(is_refused({put(1, 0, 1), put(2, 2, 3), get(2, 4, 5), get(1, 6, 7)},
                         "not first in, first out"));
  EXPECT_TRUE(is_refused({put(1, 0, 1), put(2, 2, 5), get(2, 3, 6), get(1, 7, 8)},
                         "not first in, first out"))
      << "the second put overlaps its get";
}

TEST(Linearizable, RefusesToOvertakeWhatIsNeverGot) {
  EXPECT_TRUE(is_refused({put(1, 0, 1), put(2, 2, 3), get(2, 4, 5)}, "not first in, first out"));
}

TEST(Linearizable, RefusesEmptyWhileAnItemWasThere) {
  EXPECT_TRUE(is_refused({put(1, 0, 1), get(Outcome::empty, 2, 3), get(1, 4, 5)},
                         "Empty while there was an item"));
  EXPECT_TRUE(
      is_refused({put(1, 0, 1), get(Outcome::empty, 2, 3)}, "Empty while there was an item"));
}

// No single item is there all the time.
TEST(Linearizable, RefusesEmptyWhileOneItemFollowsAnother) {
  EXPECT_TRUE(is_refused({put(1, 0, 1), get(Outcome::empty, 2, 11), put(2, 3, 4), get(1, 5, 6),
                          put(3, 7, 8), get(2, 9, 10), get(3, 12, 13)},
                         "Empty while there was an item"));
  EXPECT_TRUE(is_fine({put(1, 0, 1), get(Outcome::empty, 2, 11), put(2, 3, 6), get(1, 5, 7),
                       put(3, 8, 9), get(2, 10, 12), get(3, 13, 14)}))
      << "between the first and the second item there may be a gap";
}

TEST(Linearizable, RefusesFullWhileThereWasRoom) {
  EXPECT_TRUE(
      is_refused({put(1, 0, 1), put(2, 2, 3, Outcome::full)}, "Full while there was room", 2));
  EXPECT_TRUE(is_refused({put(1, 0, 1), get(1, 2, 3), put(2, 4, 5, Outcome::full)},
                         "Full while there was room", 1));
  EXPECT_TRUE(is_refused({put(1, 0, 1, Outcome::full)}, "Full while there was room", 0));
  EXPECT_TRUE(is_fine({put(1, 0, 1), get(1, 2, 5), put(2, 3, 4, Outcome::full)}, 1));
}

TEST(Linearizable, RefusesMoreThanTheLimit) {
  EXPECT_TRUE(is_refused({put(1, 0, 1), put(2, 2, 3), get(1, 4, 5), get(2, 6, 7)},
                         "more items than its maxsize", 1));
  EXPECT_TRUE(is_fine({put(1, 0, 1), put(2, 2, 5), get(1, 3, 4), get(2, 6, 7)}, 1));
}

TEST(Linearizable, AcceptsAShutdown) {
  EXPECT_TRUE(is_fine({put(1, 0, 1), shutdown(2, 3), put(2, 4, 5, Outcome::shut_down), get(1, 6, 7),
                       get(Outcome::shut_down, 8, 9), shutdown(10, 11)}));
  EXPECT_TRUE(is_fine({shutdown(0, 5), put(1, 1, 2, Outcome::shut_down)}));
  EXPECT_TRUE(is_fine({shutdown(0, 5), put(1, 1, 2), get(1, 3, 4)}));
  EXPECT_TRUE(is_fine({put(1, 0, 1), put(2, 2, 3), get(1, 4, 6), immediate_shutdown(5, 7),
                       get(Outcome::shut_down, 8, 9)}));
}

TEST(Linearizable, RefusesAShutdownBeforeItsTime) {
  EXPECT_TRUE(is_refused({put(1, 0, 1, Outcome::shut_down), shutdown(2, 3)}, "ShutDown too early"));
  EXPECT_TRUE(is_refused({get(Outcome::shut_down, 0, 1)}, "ShutDown too early"));
}

TEST(Linearizable, RefusesWhatAShutdownForbids) {
  const std::string reason = "not ShutDown after the shutdown";
  EXPECT_TRUE(is_refused({shutdown(0, 1), put(1, 2, 3)}, reason));
  EXPECT_TRUE(is_refused({put(1, 0, 1), shutdown(2, 3), put(2, 4, 5, Outcome::full)}, reason, 1));
  EXPECT_TRUE(is_refused({shutdown(0, 1), get(Outcome::empty, 2, 3)}, reason));
}

TEST(Linearizable, RefusesToLoseWhatIsLeftAtAShutdown) {
  EXPECT_TRUE(is_refused({put(1, 0, 1), shutdown(2, 3), get(Outcome::shut_down, 4, 5)},
                         "ShutDown while there was an item"));
  EXPECT_TRUE(is_refused({put(1, 0, 1), immediate_shutdown(2, 3), get(1, 4, 5)},
                         "got after it was dropped"));
}

TEST(Linearizable, KnowsLastInFirstOut) {
  EXPECT_TRUE(is_linearizable({put(1, 0, 1), put(2, 2, 3), get(2, 4, 5), get(1, 6, 7)}, lifo));
  EXPECT_TRUE(is_linearizable({put(1, 0, 1), put(2, 2, 5), get(1, 3, 4), get(2, 6, 7)}, lifo));
  EXPECT_FALSE(is_linearizable({put(1, 0, 1), put(2, 2, 3), get(1, 4, 5), get(2, 6, 7)}, lifo));
}

TEST(Linearizable, KnowsLowestFirst) {
  EXPECT_TRUE(is_linearizable({put(3, 0, 1), put(1, 2, 3), put(2, 4, 5), put(1, 6, 7), get(1, 8, 9),
                               get(1, 10, 11), get(2, 12, 13), get(3, 14, 15)},
                              lowest));
  EXPECT_TRUE(is_linearizable({put(2, 0, 1), put(1, 2, 5), get(2, 3, 4), get(1, 6, 7)}, lowest));
  EXPECT_FALSE(is_linearizable({put(2, 0, 1), put(1, 2, 3), get(2, 4, 5)}, lowest));
  EXPECT_FALSE(is_linearizable({put(1, 0, 1), get(1, 2, 3), get(1, 4, 5)}, lowest));
}

TEST(Linearizable, SaysWhatItCanNotJudge) {
  EXPECT_THROW(is_linearizable(History(65, get(Outcome::empty, 0, 1)), fifo),
               std::invalid_argument);
  EXPECT_THROW(bad_pattern({put(1, 0, 1), put(1, 2, 3)}, 0), std::invalid_argument);
}

// A random history of `threads` threads: puts of different values, and gets of what was put, of
// what was not, or of nothing, whether or not a queue could do so.
History any_history(std::mt19937& chance, int threads, int length) {
  const auto below = [&chance](int n) {
    return static_cast<int>(chance() % static_cast<unsigned>(n));
  };
  History history;
  std::vector<std::optional<std::size_t>> open(static_cast<std::size_t>(threads));
  Value last = 0;
  for (Moment moment = 0; static_cast<int>(history.size()) < length; ++moment) {
    const auto thread = static_cast<std::size_t>(below(threads));
    if (open[thread]) {
      history[*open[thread]].returned = moment;
      open[thread].reset();
      continue;
    }
    open[thread] = history.size();
    // Whoever never returns does so at the end.
    const Moment end = 1000 + thread;
    if (below(2) == 0) {
      history.push_back(put(++last, moment, end));
    } else if (below(5) == 0) {
      history.push_back(get(Outcome::empty, moment, end));
    } else {
      history.push_back(get(1 + below(length / 2), moment, end));
    }
  }
  return history;
}

// Without a limit the patterns are exact; two ways so different hardly share a mistake.
TEST(Linearizable, BothJudgesAgree) {
  std::mt19937 chance(1);
  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < 60'000; ++i) {
    const History history = any_history(chance, 2 + i % 3, 4 + i % 5);
    const bool found = is_linearizable(history, fifo);
    const auto pattern = bad_pattern(history, 0);
    ASSERT_EQ(found, !pattern) << to_string(history) << pattern.value_or("no pattern");
    ++(found ? accepted : refused);
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_GT(refused, 1000);
}

TEST(Linearizable, WithALimitThePatternsRefuseNothingThatIsFine) {
  std::mt19937 chance(2);
  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < 60'000; ++i) {
    History history = any_history(chance, 2 + i % 3, 4 + i % 5);
    for (Operation& operation : history) {
      if (operation.action == Action::put && chance() % 4 == 0) operation.outcome = Outcome::full;
    }
    if (chance() % 2 == 0) {
      Operation& last = history.back();
      last.action = chance() % 2 == 0 ? Action::shutdown : Action::immediate_shutdown;
      last.outcome = Outcome::done;
      for (Operation& operation : history) {
        if (operation.outcome == Outcome::empty && chance() % 2 == 0) {
          operation.outcome = Outcome::shut_down;
        }
      }
    }
    const std::size_t maxsize = 1 + chance() % 2;
    const bool found = is_linearizable(history, {Order::first_in_first_out, maxsize});
    const auto pattern = bad_pattern(history, maxsize);
    ASSERT_FALSE(found && pattern) << to_string(history) << *pattern;
    accepted += found ? 1 : 0;
    refused += pattern ? 1 : 0;
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_GT(refused, 1000);
}

// Recorded and judged as in the stress tests, but as a queue of another kind.
TEST(Linearizable, RefusesWhatAQueueOfAnotherKindDoes) {
  queue::LifoQueue<Value> stack(2);
  Moments moments;
  Recorder recorder(moments, 0);
  EXPECT_EQ(recorder.put(stack, 1), Outcome::done);
  EXPECT_EQ(recorder.try_put(stack, 2), Outcome::done);
  EXPECT_EQ(recorder.try_put(stack, 3), Outcome::full);
  EXPECT_EQ(recorder.put(stack, 3, 0), Outcome::full);
  EXPECT_EQ(recorder.get(stack), Outcome::done);
  EXPECT_EQ(recorder.try_get(stack), Outcome::done);
  EXPECT_EQ(recorder.try_get(stack), Outcome::empty);
  EXPECT_EQ(recorder.get(stack, 0), Outcome::empty);
  recorder.shutdown(stack, false);
  EXPECT_EQ(recorder.put(stack, 4), Outcome::shut_down);
  EXPECT_EQ(recorder.get(stack), Outcome::shut_down);
  EXPECT_TRUE(is_linearizable(recorder.operations(), {Order::last_in_first_out, 2}));
  EXPECT_TRUE(is_refused(recorder.operations(), "not first in, first out", 2));
}

}  // namespace

}  // namespace tests
