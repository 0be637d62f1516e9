// `tutti dump`: the stacks of all threads of a program, and who waits for whom.
#pragma once

namespace look {

/// Holds the program still while it reads the stacks, some milliseconds. Where that is not
/// permitted it prints the stacks that long waiting threads have left in their slots. Returns the
/// exit code.
int dump(int pid);

}  // namespace look
