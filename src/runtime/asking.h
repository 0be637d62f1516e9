// Having waiting threads look around: see detector.h.
#pragma once

#include "runtime/registry.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// Has a waiting thread of this process look around now.
void ask_to_look(Slot& slot) noexcept;

/// Has a waiting thread find out once more who has what it waits for, and returns the number of
/// that question: once WaitDetails::answered has come to it, all that the asker had seen before was
/// before what the details tell. A thread of another process that waits for something of that
/// process alone can't be woken from here; it answers when one of its own process passes the
/// question on, or when it looks by itself.
std::uint32_t ask(ThreadId thread) noexcept;
/// If the thread is of this process, and has questions that it has not answered yet.
void pass_questions_on(ThreadId thread) noexcept;

/// True once the details that say `answered` were found out after that question.
constexpr bool is_answered(std::uint32_t question, std::uint32_t answered) noexcept {
  return static_cast<std::int32_t>(answered - question) >= 0;
}

}  // namespace tutti::inline TUTTI_ABI::runtime
