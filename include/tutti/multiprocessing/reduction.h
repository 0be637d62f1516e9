// multiprocessing::reduction: open files from one process to another.
#pragma once

#include "tutti/multiprocessing/connection.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::reduction {

/// Sends a copy of `descriptor` through `connection`, one end of a duplex Pipe or another Unix
/// socket, to whoever calls recv_handle() at the other end: also a Python program. The process
/// there need not be named; the argument is Python's. Throws as Connection::send_bytes() does, and
/// OSError when the connection is no Unix socket or `descriptor` not open. Thread-safe. Python
/// counterpart: multiprocessing.reduction.send_handle.
void send_handle(const connection::Connection& connection, int descriptor, int destination_pid = 0);

/// Waits for a descriptor that send_handle() sends, and returns it; the caller owns it. It is not
/// inherited over exec. Throws as Connection::recv_bytes() does, and RuntimeError when what comes
/// is no descriptor. Thread-safe. Python counterpart: multiprocessing.reduction.recv_handle.
int recv_handle(const connection::Connection& connection);

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::reduction
