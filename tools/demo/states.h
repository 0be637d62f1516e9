// Threads in each state, and how the program sees them from within.
#pragma once

namespace demo {

/// Makes threads wait for a lock, a condition, a sleep and each other, and prints what each is
/// doing.
void show_states();

}  // namespace demo
