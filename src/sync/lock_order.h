// In which order threads take locks, and whether they could come to wait for each other by it;
// known with TUTTI_LOCK_ORDER=1.
//
// A graph of locks: an edge leads from each lock to those that were taken while it was held. If all
// threads take locks in one order, it has no cycle; a cycle is a deadlock that can happen although
// it has not, unless something else prevents it.
//
// - A lock is a lock: others with the same name are not the same, since to take several of one kind
//   in the order of their addresses, say, is right.
// - To take a lock without waiting, or with a limit, makes no edge to it: such a wait ends. A lock
//   that was taken so is held like any other.
// - A lock that its owner takes again, and one that is a signal, make none either.
// - If all edges of a cycle were made under one more lock, the threads can't be in it at once: it
//   is not reported.
// - Whether it was one thread that took the locks in both orders, or several, makes no difference:
//   another time it may be another.
// - A report tells of the places in the program, once. The graph forgets locks that are destroyed,
//   and when it is full, those of which it has not heard for the longest time.
#pragma once

#include <vector>

#include "sync/held.h"
#include "tutti/sync/order_report.h"

namespace tutti::inline TUTTI_ABI::sync {

/// The calling thread is about to take `lock`, which it does not hold, and to wait for it without a
/// limit if need be.
void note_order(const runtime::Self& self, WaitKind kind, const void* lock) noexcept;

/// `lock` is a signal now, or gone.
void forget_order(const void* lock) noexcept;

/// From now on `second` may be taken while `first` is held, whatever else is done.
void allow_order(const void* first, const void* second);

/// All reports so far.
std::vector<OrderReport> order_reports();

/// Sets it up for forks; called by what must come after it in one.
void prepare_lock_order() noexcept;

}  // namespace tutti::inline TUTTI_ABI::sync
