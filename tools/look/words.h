// How a thread and its wait are told, the same in every view.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "look/snapshot.h"

namespace look {

/// Names come from the program: without control characters, which would reach the terminal, and
/// whole in UTF-8.
std::string printable(std::string_view text);

/// A C++ function's name without the long parts of its template arguments and parameters.
std::string shortened(std::string_view function);

/// The thread's name; where others have the same name, with its number.
std::string reference_to(const Snapshot& snapshot, const tutti::inspect::ThreadInfo& thread);
std::string name_of(const tutti::inspect::ThreadInfo& thread);
/// "running", "blocked (lock pool)", …
std::string state_of(const tutti::inspect::ThreadInfo& thread);
/// "Lock 'accounts'", "join of A", "sleep"; empty if it waits for nothing.
std::string wait_of(const Snapshot& snapshot, const tutti::inspect::ThreadInfo& thread);
/// Who has what it waits for; empty if that is nobody in particular.
std::string holder_of(const Snapshot& snapshot, const tutti::inspect::ThreadInfo& thread);
/// "1.204 s", "3 min 12 s".
std::string duration(double seconds);
/// The same for a wait that does not name that thread already, as a join does.
std::string held_by(const Snapshot& snapshot, const tutti::inspect::ThreadInfo& thread);
/// How long it has waited, and how long the wait may still last; empty if there is nothing to say.
std::string waited(const tutti::inspect::ThreadInfo& thread);
std::string time_left(const tutti::inspect::ThreadInfo& thread);
/// "A waits for Lock 'x', which B has", one line for each thread that waits for another.
std::vector<std::string> waits_of(const Snapshot& snapshot);
/// "deadlock: A waits for Lock 'x', which B has; B waits for …", one line a ring.
std::vector<std::string> rings_of(const Snapshot& snapshot);
/// "process 12 (name), 3 threads, stopped".
std::string title_of(const Snapshot& snapshot);

}  // namespace look
