// Clauses are those of C++20, [intro.races] and [atomics.order], the latter as rewritten by P0668.
// The relations and how they are put together: Lahav, Vafeiadis, Kang, Hur, Dreyer, "Repairing
// Sequential Consistency in C/C++11" (PLDI 2017), called RC11 below.
#include "explore/axioms.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <iterator>
#include <stdexcept>

namespace tests::axioms {
namespace {

using std::size_t;

// --- relations -----------------------------------------------------------------------------------

constexpr size_t most_events = 16;

// Which events come before which: bit `b` of row `a` says that a comes before b.
class Relation {
 public:
  bool has(size_t before, size_t after) const { return (rows_[before] >> after & 1u) != 0; }
  void add(size_t before, size_t after) { rows_[before] |= 1u << after; }

  friend Relation operator|(Relation left, const Relation& right) {
    for (size_t i = 0; i < most_events; ++i) left.rows_[i] |= right.rows_[i];
    return left;
  }

  // A step of this relation, then one of `next`.
  Relation then(const Relation& next) const {
    Relation both;
    for (size_t i = 0; i < most_events; ++i) {
      for (unsigned left = rows_[i]; left != 0; left &= left - 1) {
        both.rows_[i] |= next.rows_[static_cast<size_t>(std::countr_zero(left))];
      }
    }
    return both;
  }

  // One step or more (Warshall's algorithm).
  Relation closure() const {
    Relation closed = *this;
    for (size_t middle = 0; middle < most_events; ++middle) {
      for (size_t i = 0; i < most_events; ++i) {
        if (closed.has(i, middle)) closed.rows_[i] |= closed.rows_[middle];
      }
    }
    return closed;
  }

  bool is_irreflexive() const {
    for (size_t i = 0; i < most_events; ++i) {
      if (has(i, i)) return false;
    }
    return true;
  }
  bool is_acyclic() const { return closure().is_irreflexive(); }

 private:
  std::array<unsigned, most_events> rows_{};
};

// --- events --------------------------------------------------------------------------------------

bool is_fence(const Operation& it) {
  return it.kind == Kind::fence;
}
bool reads(const Operation& it) {
  return it.kind == Kind::load || it.kind == Kind::exchange;
}
bool writes(const Operation& it) {
  return it.kind == Kind::store || it.kind == Kind::exchange;
}
bool reads_and_writes(const Operation& it) {
  return it.kind == Kind::exchange;
}

bool is_seq_cst(const Operation& it) {
  return it.order == std::memory_order_seq_cst;
}
bool acquires(const Operation& it) {
  return it.order == std::memory_order_acquire || it.order == std::memory_order_acq_rel ||
         is_seq_cst(it);
}
bool releases(const Operation& it) {
  return it.order == std::memory_order_release || it.order == std::memory_order_acq_rel ||
         is_seq_cst(it);
}

// What all executions of a program have in common. Events number `word` are the initial writes.
struct Events {
  std::vector<Operation> all;
  Relation sequenced_before;
  std::vector<size_t> readers;
  // The writes of each word, but for its initial one.
  std::array<std::vector<size_t>, word_count> writers;
};

Events events_of(const Program& program) {
  Events events;
  for (int word = 0; word < word_count; ++word) {
    events.all.push_back({Kind::store, std::memory_order_relaxed, word, 0});
  }
  for (const std::vector<Operation>& thread : program) {
    const size_t first = events.all.size();
    for (const Operation& operation : thread) {
      const size_t event = events.all.size();
      if (event == most_events) throw std::length_error("a program of too many operations");
      events.all.push_back(operation);
      for (size_t word = 0; word < word_count; ++word) events.sequenced_before.add(word, event);
      for (size_t i = first; i < event; ++i) events.sequenced_before.add(i, event);
      if (reads(operation)) events.readers.push_back(event);
      if (writes(operation)) {
        events.writers[static_cast<size_t>(operation.word)].push_back(event);
      }
    }
  }
  return events;
}

// Each event of a kind to itself, so that it can stand for that kind in a composition.
template <typename... Predicates>
Relation each_that(const Events& events, Predicates... holds) {
  Relation same;
  for (size_t i = 0; i < events.all.size(); ++i) {
    if ((holds(events.all[i]) && ...)) same.add(i, i);
  }
  return same;
}

// --- relations of one execution ------------------------------------------------------------------

// One way in which a program might have run.
struct Execution {
  // The writes of each word in their order, without the initial one.
  std::array<std::vector<size_t>, word_count> writes_in_order;
  // By event: which write it reads from, if it reads.
  std::array<size_t, most_events> source{};
};

// [intro.races]/4: the modifications of a word are in some total order.
Relation modification_order_of(const Execution& execution) {
  Relation order;
  for (size_t word = 0; word < word_count; ++word) {
    const std::vector<size_t>& writes = execution.writes_in_order[word];
    for (size_t i = 0; i < writes.size(); ++i) {
      order.add(word, writes[i]);
      for (size_t j = i + 1; j < writes.size(); ++j) order.add(writes[i], writes[j]);
    }
  }
  return order;
}

Relation reads_from_of(const Events& events, const Execution& execution) {
  Relation reads_from;
  for (const size_t reader : events.readers) reads_from.add(execution.source[reader], reader);
  return reads_from;
}

// [atomics.order]/3.3: a read comes before the writes that follow the one it reads from, but an
// exchange not before itself.
Relation from_reads_of(const Events& events, const Execution& execution,
                       const Relation& modification_order) {
  Relation from_reads;
  for (const size_t reader : events.readers) {
    for (size_t writer = 0; writer < events.all.size(); ++writer) {
      if (writer != reader && modification_order.has(execution.source[reader], writer)) {
        from_reads.add(reader, writer);
      }
    }
  }
  return from_reads;
}

// [intro.races]/5: a write, and the exchanges that follow one another at once behind it. What an
// exchange reads from is just before it, so each of them reads from the one before.
Relation release_sequences_of(const Events& events, const Relation& reads_from) {
  return each_that(events, writes) | reads_from.then(each_that(events, reads_and_writes)).closure();
}

// [atomics.order]/2 and [atomics.fences]/2-4: a release, or a fence before the write, with an
// acquire, or a fence behind the read, of a value from the release sequence.
Relation synchronizes_with_of(const Events& events, const Relation& reads_from) {
  const Relation& sequenced_before = events.sequenced_before;
  const Relation to_the_write = each_that(events, writes, releases) |
                                each_that(events, is_fence, releases).then(sequenced_before);
  const Relation from_the_read = each_that(events, reads, acquires) |
                                 sequenced_before.then(each_that(events, is_fence, acquires));
  return to_the_write.then(release_sequences_of(events, reads_from))
      .then(reads_from)
      .then(from_the_read);
}

// [intro.races]/12: in a thread, between seq_cst operations that synchronize, or where something
// that happens before has an operation of its threads in front of it and another behind it.
Relation strongly_happens_before_of(const Events& events, const Relation& synchronizes_with,
                                    const Relation& happens_before) {
  const Relation& sequenced_before = events.sequenced_before;
  const Relation seq_cst = each_that(events, is_seq_cst);
  return (sequenced_before | seq_cst.then(synchronizes_with).then(seq_cst) |
          sequenced_before.then(happens_before).then(sequenced_before))
      .closure();
}

// What the total order S of all seq_cst operations must agree with.
Relation required_of_seq_cst(const Events& events, const Relation& synchronizes_with,
                             const Relation& happens_before, const Relation& extended_coherence) {
  const Relation seq_cst = each_that(events, is_seq_cst);
  const Relation fences = each_that(events, is_seq_cst, is_fence);
  // [atomics.order]/4: S agrees with strongly-happens-before.
  const Relation by_happening =
      seq_cst.then(strongly_happens_before_of(events, synchronizes_with, happens_before))
          .then(seq_cst);
  // [atomics.order]/4.1-4.4: and with coherence between operations, each of which a fence before
  // the first or behind the second may stand for.
  const Relation by_coherence = (seq_cst | fences.then(happens_before))
                                    .then(extended_coherence)
                                    .then(seq_cst | happens_before.then(fences));
  return by_happening | by_coherence;
}

// --- axioms --------------------------------------------------------------------------------------

enum class Verdict { forbidden, allowed, allowed_by_interleaving };

Verdict judge(const Events& events, const Execution& execution) {
  const Relation& sequenced_before = events.sequenced_before;
  const Relation reads_from = reads_from_of(events, execution);
  // [atomics.order]/8, by RC11's stricter rule: no value depends on itself.
  if (!(sequenced_before | reads_from).is_acyclic()) return Verdict::forbidden;

  const Relation modification_order = modification_order_of(execution);
  const Relation from_reads = from_reads_of(events, execution, modification_order);
  const Relation extended_coherence = (reads_from | modification_order | from_reads).closure();
  const Relation synchronizes_with = synchronizes_with_of(events, reads_from);
  // [intro.races]/10: nothing happens before itself.
  const Relation happens_before = (sequenced_before | synchronizes_with).closure();
  if (!happens_before.is_irreflexive()) return Verdict::forbidden;
  // [intro.races]/15-18: coherence, write to write, read to read, read to write, write to read.
  if (!happens_before.then(extended_coherence).is_irreflexive()) return Verdict::forbidden;

  const Relation seq_cst =
      required_of_seq_cst(events, synchronizes_with, happens_before, extended_coherence);
  // [atomics.order]/4: there is such a total order S.
  if (!seq_cst.is_acyclic()) return Verdict::forbidden;

  // Not of the standard: one order of steps serves threads, values, words and S alike.
  return (sequenced_before | reads_from | modification_order | seq_cst).is_acyclic()
             ? Verdict::allowed_by_interleaving
             : Verdict::allowed;
}

// --- enumeration ---------------------------------------------------------------------------------

// Goes through every order of the writes of each word, and through every source of each read.
class Enumeration {
 public:
  explicit Enumeration(const Program& program) : events_(events_of(program)) {
    execution_.writes_in_order = events_.writers;
  }

  Allowed allowed() {
    order_writes_from(0);
    return allowed_;
  }

 private:
  void order_writes_from(size_t word) {
    if (word == word_count) return choose_sources_from(0);
    std::vector<size_t>& writes = execution_.writes_in_order[word];
    // They are in ascending order first, and again after the last permutation.
    do {
      order_writes_from(word + 1);
    } while (std::ranges::next_permutation(writes).found);
  }

  void choose_sources_from(size_t next) {
    if (next == events_.readers.size()) return note(judge(events_, execution_));
    const size_t reader = events_.readers[next];
    for (const size_t writer : possible_sources_of(reader)) {
      execution_.source[reader] = writer;
      choose_sources_from(next + 1);
    }
  }

  std::vector<size_t> possible_sources_of(size_t reader) const {
    const auto word = static_cast<size_t>(events_.all[reader].word);
    std::vector<size_t> writes = {word};
    writes.insert(writes.end(), execution_.writes_in_order[word].begin(),
                  execution_.writes_in_order[word].end());
    if (!reads_and_writes(events_.all[reader])) return writes;
    // [atomics.order]/10: an exchange reads what is just before it in modification order.
    return {*std::prev(std::ranges::find(writes, reader))};
  }

  void note(Verdict verdict) {
    if (verdict == Verdict::forbidden) return;
    const std::string outcome = outcome_of_execution();
    allowed_.all.insert(outcome);
    if (verdict == Verdict::allowed_by_interleaving) allowed_.by_interleaving.insert(outcome);
  }

  std::string outcome_of_execution() const {
    std::string outcome;
    for (const size_t reader : events_.readers) outcome += value_of(execution_.source[reader]);
    outcome += '/';
    for (const std::vector<size_t>& writes : execution_.writes_in_order) {
      outcome += writes.empty() ? "0" : value_of(writes.back());
    }
    return outcome;
  }

  std::string value_of(size_t writer) const { return std::to_string(events_.all[writer].value); }

  const Events events_;
  Execution execution_;
  Allowed allowed_;
};

// --- text ----------------------------------------------------------------------------------------

std::string to_string(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed:
      return "relaxed";
    case std::memory_order_acquire:
      return "acquire";
    case std::memory_order_release:
      return "release";
    case std::memory_order_acq_rel:
      return "acq_rel";
    default:
      return "seq_cst";
  }
}

std::string to_string(const Operation& operation) {
  const std::string word = operation.word == 0 ? "x" : "y";
  const std::string order = " " + to_string(operation.order);
  switch (operation.kind) {
    case Kind::load:
      return word + order;
    case Kind::store:
      return word + "=" + std::to_string(operation.value) + order;
    case Kind::exchange:
      return word + "<->" + std::to_string(operation.value) + order;
    case Kind::fence:
      break;
  }
  return "fence" + order;
}

}  // namespace

std::string to_string(const Program& program) {
  std::string text;
  for (const std::vector<Operation>& thread : program) {
    if (&thread != &program.front()) text += " | ";
    for (const Operation& operation : thread) {
      if (&operation != &thread.front()) text += "; ";
      text += to_string(operation);
    }
  }
  return text;
}

Allowed allowed_outcomes(const Program& program) {
  return Enumeration(program).allowed();
}

}  // namespace tests::axioms
