// What the C++20 memory model lets a small program show, worked out from its axioms alone.
//
// The explorer runs a program step by step and keeps, for each thread, what it must have seen. Here
// nothing is run: every execution that one could think of is written down as a graph of events, and
// kept if the graph obeys the rules. Two ways so different hardly share a mistake.
#pragma once

#include <atomic>
#include <set>
#include <string>
#include <vector>

namespace tests::axioms {

enum class Kind { load, store, exchange, fence };

// One step of a thread. A fence has no word, and only stores and exchanges have a value.
struct Operation {
  Kind kind;
  std::memory_order order;
  int word = 0;
  int value = 0;
};

inline constexpr int word_count = 2;

// The operations of each thread, on words that are 0 at first. Each value is written once and is a
// digit other than 0.
using Program = std::vector<std::vector<Operation>>;

// For messages: one thread after the other, as in "x=1 relaxed; fence seq_cst; y release | ...".
std::string to_string(const Program& program);

// What each load and exchange read, thread by thread, then '/', then the last value of each word.
using Outcomes = std::set<std::string>;

struct Allowed {
  // By some execution that the memory model allows, none of whose values come out of thin air.
  Outcomes all;
  // By one whose stores also take effect in the order in which the threads do them. An explorer
  // that interleaves steps and has old values loaded can show no others.
  Outcomes by_interleaving;
};

Allowed allowed_outcomes(const Program& program);

}  // namespace tests::axioms
