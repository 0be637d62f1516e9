// Whether a history is linearizable: whether each operation can be given one moment between its
// call and its return, such that a queue used by one thread would do the same in that order
// (Herlihy and Wing, 1990).
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>

#include "queue/history.h"

namespace tests {

/// A search that was given up: where many operations overlap, there are too many orders.
class TooHard : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class Order { first_in_first_out, last_in_first_out, lowest_first };

/// What a queue promises.
struct Promise {
  Order order = Order::first_in_first_out;
  /// 0 for no limit.
  std::size_t maxsize = 0;
};

/// At most 64 operations. A complete search (Wing and Gong, "Testing and Verifying Concurrent
/// Objects", 1993) that remembers where it has been (Lowe, "Testing for linearizability", 2017).
/// Throws TooHard when it would take too long to find out.
bool is_linearizable(const History& history, const Promise& promise);

/// Something that no queue with first in, first out would do; nothing if there is none. For long
/// histories in which no value is put twice (throws std::invalid_argument if one is); takes
/// n log n.
///
/// The patterns are those of Henzinger, Sezgin and Vafeiadis ("Aspect-Oriented Linearizability
/// Proofs", 2013) and Bouajjani, Emmi, Enea and Hamza ("On Reducing Linearizability to State
/// Reachability", 2015): without limit and shutdown, a history that shows none of them is
/// linearizable. Those for limit and shutdown are ours; what shows one is not linearizable, but not
/// conversely.
std::optional<std::string> bad_pattern(const History& history, std::size_t maxsize);

}  // namespace tests
