// What check() shows in relaxed memory is what the axioms of the C++20 memory model allow.
#include "explore/axioms.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <iterator>
#include <random>

#include "explore/classics.h"

namespace tests::axioms {
namespace {

using enum std::memory_order;
using classics::Options;
using classics::relaxed_memory;
using classics::Strategy;

using Thread = std::vector<Operation>;

constexpr Operation load(int word, std::memory_order order) {
  return {Kind::load, order, word};
}
constexpr Operation store(int word, int value, std::memory_order order) {
  return {Kind::store, order, word, value};
}
constexpr Operation exchange(int word, int value, std::memory_order order) {
  return {Kind::exchange, order, word, value};
}
constexpr Operation fence(std::memory_order order) {
  return {Kind::fence, order};
}

constexpr int x = 0;
constexpr int y = 1;

// --- programs ------------------------------------------------------------------------------------

// Draws programs. The same on every platform, which no distribution of <random> is.
class Draw {
 public:
  explicit Draw(unsigned seed) : engine_(seed) {}

  int below(int bound) { return static_cast<int>(engine_() % static_cast<unsigned>(bound)); }
  std::memory_order one_of(std::initializer_list<std::memory_order> orders) {
    return orders.begin()[below(static_cast<int>(orders.size()))];
  }

  Operation drawn_load(int word) { return load(word, one_of({relaxed, acquire, seq_cst})); }
  Operation drawn_store(int word) {
    return store(word, ++last_value_, one_of({relaxed, release, seq_cst}));
  }
  Operation drawn_exchange(int word) {
    return exchange(word, ++last_value_, one_of({relaxed, acquire, release, acq_rel, seq_cst}));
  }
  Operation drawn_fence() { return fence(one_of({acquire, release, acq_rel, seq_cst, seq_cst})); }

  Operation access() {
    const int word = below(word_count);
    const int kind = below(7);
    if (kind < 3) return drawn_load(word);
    return kind < 6 ? drawn_store(word) : drawn_exchange(word);
  }

 private:
  std::mt19937 engine_;
  int last_value_ = 0;
};

enum class With { accesses, accesses_and_fences, relaxed_accesses_and_fences };

Program drawn_program(Draw& draw, int threads, int length, With with) {
  Program program(static_cast<std::size_t>(threads));
  for (Thread& thread : program) {
    for (int i = 0; i < length; ++i) {
      const bool fences = with != With::accesses && draw.below(10) < 3;
      thread.push_back(fences ? draw.drawn_fence() : draw.access());
      if (!fences && with == With::relaxed_accesses_and_fences) thread.back().order = relaxed;
    }
  }
  return program;
}

// Reads both words, maybe with a fence in between.
Thread drawn_reader(Draw& draw, int first) {
  Thread reader = {draw.drawn_load(first)};
  if (draw.below(2) == 0) reader.push_back(draw.drawn_fence());
  reader.push_back(draw.drawn_load(first == x ? y : x));
  return reader;
}

// Two writers of a word each, and two readers of both words who start at different ends.
Program drawn_iriw(Draw& draw) {
  Program program = {{draw.drawn_store(x)}, {draw.drawn_store(y)}};
  program.push_back(drawn_reader(draw, x));
  program.push_back(drawn_reader(draw, y));
  return program;
}

// A message, and one who exchanges its flag on the way to the reader.
Program drawn_passing_on(Draw& draw) {
  Program program = {{draw.drawn_store(x)}, {draw.drawn_exchange(y)}};
  if (draw.below(2) == 0) program[0].push_back(draw.drawn_fence());
  program[0].push_back(draw.drawn_store(y));
  program.push_back(drawn_reader(draw, y));
  return program;
}

template <typename MakeProgram>
void add_programs(std::vector<Program>& programs, unsigned count, MakeProgram make) {
  for (unsigned seed = 1; seed <= count; ++seed) {
    Draw draw(seed);
    programs.push_back(make(draw));
  }
}

std::vector<Program> drawn_programs() {
  std::vector<Program> programs;
  for (const With with :
       {With::accesses, With::accesses_and_fences, With::relaxed_accesses_and_fences}) {
    add_programs(programs, 100, [&](Draw& draw) { return drawn_program(draw, 2, 3, with); });
    add_programs(programs, 100, [&](Draw& draw) { return drawn_program(draw, 2, 4, with); });
    add_programs(programs, 50, [&](Draw& draw) { return drawn_program(draw, 3, 2, with); });
  }
  add_programs(programs, 80, drawn_iriw);
  add_programs(programs, 80, drawn_passing_on);
  return programs;
}

// --- what is shown -------------------------------------------------------------------------------

class Run {
 public:
  explicit Run(const Program& program) : program_(program), seen_(program.size()) {}

  std::string outcome() {
    classics::together_each(static_cast<int>(program_.size()),
                            [this](int thread) { run(static_cast<std::size_t>(thread)); });
    std::string text;
    for (const std::string& values : seen_) text += values;
    text += '/';
    for (const tutti::atomic<int>& word : words_) text += std::to_string(word.load());
    return text;
  }

 private:
  void run(std::size_t thread) {
    for (const Operation& operation : program_[thread]) step(operation, seen_[thread]);
  }

  void step(const Operation& operation, std::string& seen) {
    tutti::atomic<int>& word = words_[static_cast<std::size_t>(operation.word)];
    switch (operation.kind) {
      case Kind::load:
        seen += std::to_string(word.load(operation.order));
        break;
      case Kind::store:
        word.store(operation.value, operation.order);
        break;
      case Kind::exchange:
        seen += std::to_string(word.exchange(operation.value, operation.order));
        break;
      case Kind::fence:
        tutti::fence(operation.order);
        break;
    }
  }

  const Program& program_;
  std::array<tutti::atomic<int>, word_count> words_{};
  std::vector<std::string> seen_;
};

Outcomes shown_by(const Program& program, const Options& options) {
  return classics::outcomes_of([&] { return Run(program).outcome(); }, options);
}

Outcomes shown_by_all_schedules(const Program& program) {
  return shown_by(program, relaxed_memory);
}
Outcomes shown_by_chance(const Program& program) {
  return shown_by(program, classics::with_strategy(Strategy::random, 200, relaxed_memory));
}

// The outcomes of `some` that are not among `others`.
Outcomes outside(const Outcomes& some, const Outcomes& others) {
  Outcomes left;
  std::ranges::set_difference(some, others, std::inserter(left, left.end()));
  return left;
}

// --- claims --------------------------------------------------------------------------------------

const Outcomes none;

TEST(Axioms, AllowAllThatIsShown) {
  for (const Program& program : drawn_programs()) {
    const Outcomes allowed = allowed_outcomes(program).all;
    ASSERT_EQ(outside(shown_by_all_schedules(program), allowed), none) << to_string(program);
    ASSERT_EQ(outside(shown_by_chance(program), allowed), none) << to_string(program);
  }
}

TEST(Axioms, ShowAllThatAnInterleavingCanShow) {
  for (const Program& program : drawn_programs()) {
    const Outcomes possible = allowed_outcomes(program).by_interleaving;
    ASSERT_EQ(outside(possible, shown_by_all_schedules(program)), none) << to_string(program);
  }
}

TEST(Axioms, TheReductionLosesNone) {
  for (const Program& program : drawn_programs()) {
    ASSERT_EQ(outside(shown_by_chance(program), shown_by_all_schedules(program)), none)
        << to_string(program);
  }
}

// --- the axioms themselves, by hand --------------------------------------------------------------

Program store_buffering(std::memory_order write, std::memory_order look) {
  return {{store(x, 1, write), load(y, look)}, {store(y, 2, write), load(x, look)}};
}

TEST(Axioms, LetBothMissAStoreUnlessAllIsSeqCst) {
  const Outcomes not_both_miss = {"01/12", "20/12", "21/12"};
  Outcomes all = not_both_miss;
  all.insert("00/12");
  EXPECT_EQ(allowed_outcomes(store_buffering(relaxed, relaxed)).all, all);
  EXPECT_EQ(allowed_outcomes(store_buffering(release, acquire)).all, all);
  EXPECT_EQ(allowed_outcomes(store_buffering(seq_cst, acquire)).all, all);
  EXPECT_EQ(allowed_outcomes(store_buffering(seq_cst, seq_cst)).all, not_both_miss);
}

Program message_passing(std::memory_order write, std::memory_order look) {
  return {{store(x, 1, relaxed), store(y, 2, write)}, {load(y, look), load(x, relaxed)}};
}

TEST(Axioms, LetAMessageBeOldUnlessReleasedAndAcquired) {
  const Outcomes never_old = {"00/12", "01/12", "21/12"};
  Outcomes all = never_old;
  all.insert("20/12");
  EXPECT_EQ(allowed_outcomes(message_passing(relaxed, acquire)).all, all);
  EXPECT_EQ(allowed_outcomes(message_passing(release, relaxed)).all, all);
  EXPECT_EQ(allowed_outcomes(message_passing(release, acquire)).all, never_old);
}

// Each writes both words, in opposite orders; that both first writes come last, no order of steps
// can show, but the axioms allow it.
TEST(Axioms, AllowMoreThanAnInterleavingCanShow) {
  const Program program = {{store(x, 1, relaxed), store(y, 2, relaxed)},
                           {store(y, 3, relaxed), store(x, 4, relaxed)}};
  const Allowed allowed = allowed_outcomes(program);
  EXPECT_EQ(allowed.all, (Outcomes{"/12", "/13", "/42", "/43"}));
  EXPECT_EQ(allowed.by_interleaving, (Outcomes{"/12", "/42", "/43"}));
}

// Two exchanges never read the same value.
TEST(Axioms, LetNothingComeBetweenAnExchangeAndWhatItReads) {
  const Program program = {{exchange(x, 1, relaxed)}, {exchange(x, 2, relaxed)}};
  EXPECT_EQ(allowed_outcomes(program).all, (Outcomes{"01/20", "20/10"}));
}

}  // namespace
}  // namespace tests::axioms
