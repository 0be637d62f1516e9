#include "tutti/multiprocessing/reduction.h"

#include <string>

#include "multiprocessing/passing.h"
#include "multiprocessing/receiving.h"
#include "multiprocessing/sending.h"
#include "runtime/describe.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::reduction {

using connection::Arrived;
using connection::Connection;

// With the descriptors CPython sends their number in one byte.

void send_handle(const Connection& connection, int descriptor, int /*destination_pid*/) {
  constexpr std::byte count{1};
  connection::Sending(connection.state()).send_unframed({&count, 1}, {&descriptor, 1});
}

int recv_handle(const Connection& connection) {
  std::byte count{};
  Arrived arrived;
  connection::Receiving(connection.state(), arrived.descriptors).receive_unframed({&count, 1});
  if (count != std::byte{1} || arrived.descriptors.size() != 1) {
    throw RuntimeError("can't receive a handle from Connection of descriptor " +
                       std::to_string(connection.fileno()) + ": what came is something else" +
                       runtime::in_calling_thread());
  }
  return arrived.take();
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::reduction
