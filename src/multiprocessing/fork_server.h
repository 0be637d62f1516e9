// The fork server: a process that was spawned, has done nothing since, and forks children for the
// one that has spawned it, which tells them what to do.
//
// Each process that uses the start method forkserver has one of its own. A request is one packet on
// the socket between them: the child's message, and the server's end of a pair of sockets of the
// child's own, on which the server answers with the child's number and its process, and later with
// its exit code. The server ends when the other end of the socket is closed; when it was killed,
// another one is spawned for the next request, and the exit codes of its children are unknown.
#pragma once

#include <cstdint>
#include <vector>

#include "platform/packets.h"
#include "platform/process.h"
#include "runtime/waiting.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::fork_server {

/// The server's answer.
struct Child {
  /// 0, or the errno value that says why there is no child.
  int error = 0;
  std::uint32_t number = 0;
  platform::Descriptor process;
};

/// Sends a request; starts the server if there is none. `given` are the message, the server's end
/// of the child's pair, and what the child is given. Called with the children's guard. Returns 0 or
/// an errno value; EAGAIN if the server has so many requests before it that it takes no more now.
int request(const std::vector<int>& given);
/// Until a request may have a chance again. Called without the guard. `reason` is what the wait
/// record says, here and below; an interruption of the main thread is thrown.
void wait_for_room(const runtime::Reason& reason);
/// The answer, by our end of the child's pair; EPIPE if the server has been killed meanwhile. If
/// the wait ends by an exception, the child is killed, if it has been forked or still will be.
Child await_answer(const platform::Descriptor& status, const runtime::Reason& reason);

struct Status {
  /// The server is gone, and can't tell any more.
  bool is_lost = false;
  bool has_ended = false;
  int code = 0;
};
/// What the server has told of the child's end so far.
Status read_status(const platform::Descriptor& status) noexcept;

/// Ends the server, if there is one, and waits for that.
void stop() noexcept;
/// In a fork's child, with the guard: the server is the parent's.
void vanish() noexcept;

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::fork_server
