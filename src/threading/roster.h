// The roster: all threads of the process that live or are about to, in the order of their start.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "threading/thread_control.h"

namespace tutti::inline TUTTI_ABI::threading::roster {

/// False once the program is ending: then no thread may start.
bool add(ThreadControl& control) noexcept;
/// Does nothing if it is not in it.
void remove(ThreadControl& control) noexcept;

/// Ties a control, which is in the roster, to its thread: it stays in until that has ended.
std::shared_ptr<void> attachment(std::shared_ptr<ThreadControl> control);
/// For a thread that could not be made: takes its control out, as if it had never been in.
void detach(runtime::Self& self) noexcept;
std::shared_ptr<ThreadControl> attached_to(runtime::Self& self);

std::vector<std::shared_ptr<ThreadControl>> living();
/// The one at this address, or null: to look up what a wait record says.
std::shared_ptr<ThreadControl> find(const void* control);
std::shared_ptr<ThreadControl> main_thread();

/// Sets what is called when the program ends, before its threads are joined: to tell those that
/// wait for work that no more comes. Python: threading._register_atexit.
void before_join_of_all(void (*function)() noexcept) noexcept;

}  // namespace tutti::inline TUTTI_ABI::threading::roster
