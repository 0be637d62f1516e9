// See stream.h for what each function promises.
#include "platform/stream.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "platform/no_cancellation.h"
#include "platform/passed_descriptors.h"

// Of newer kernels than the headers may know.
#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif
#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x00000100
#endif

namespace tutti::inline TUTTI_ABI::platform {

namespace {

static_assert(most_passed == PassedDescriptors::most);

constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;

template <typename Call>
Transfer transfer(Call call) noexcept {
  const NoCancellation here;
  for (;;) {
    const ssize_t moved = call();
    if (moved >= 0) return {static_cast<std::size_t>(moved), 0};
    if (errno == EWOULDBLOCK) return {0, EAGAIN};
    if (errno != EINTR) return {0, errno};
  }
}

// Holds back the SIGPIPE that a write of the calling thread brings, and takes it away.
class NoBrokenPipeSignal {
 public:
  NoBrokenPipeSignal() noexcept {
    sigemptyset(&broken_pipe_);
    sigaddset(&broken_pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &broken_pipe_, &before_);
  }
  ~NoBrokenPipeSignal() {
    const int saved = errno;
    const timespec at_once{};
    // One that was pending before is the program's own.
    if (!was_pending_) sigtimedwait(&broken_pipe_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = saved;
  }
  NoBrokenPipeSignal(const NoBrokenPipeSignal&) = delete;
  NoBrokenPipeSignal& operator=(const NoBrokenPipeSignal&) = delete;

 private:
  sigset_t broken_pipe_;
  sigset_t before_;
  bool was_pending_ = false;
};

bool is_ready(int descriptor, short events) noexcept {
  pollfd watched{descriptor, events, 0};
  return poll(&watched, 1, 0) > 0;
}

// Kernels before 6.5 can't read pipes without waiting unless they are in that mode for all who
// share them, and those before 6.18 have no way to leave the signal out: the way round is longer.
constinit atomic<bool> can_leave_waiting_out{true};
constinit atomic<bool> can_leave_signal_out{true};

bool is_refusal(int error) {
  return error == EOPNOTSUPP || error == EINVAL || error == ENOSYS;
}

Transfer read_when_ready(int descriptor, std::span<std::byte> room) noexcept {
  if (!is_ready(descriptor, POLLIN)) return {0, EAGAIN};
  return transfer([&] { return read(descriptor, room.data(), room.size()); });
}

// A pipe that is ready has room for PIPE_BUF bytes, so such a write does not wait.
Transfer write_when_ready(int descriptor, std::span<iovec> parts) noexcept {
  if (!is_ready(descriptor, POLLOUT)) return {0, EAGAIN};
  std::size_t room = PIPE_BUF;
  for (iovec& part : parts) {
    part.iov_len = std::min(part.iov_len, room);
    room -= part.iov_len;
  }
  const NoBrokenPipeSignal here;
  return transfer([&] { return writev(descriptor, parts.data(), static_cast<int>(parts.size())); });
}

iovec part(std::span<const std::byte> bytes) {
  return {const_cast<std::byte*>(bytes.data()), bytes.size()};
}

Transfer write_to_other(int descriptor, std::span<iovec> parts) noexcept {
  const auto count = static_cast<int>(parts.size());
  const auto write_with = [&](int flags) {
    return transfer([&] { return pwritev2(descriptor, parts.data(), count, -1, flags); });
  };
  if (can_leave_waiting_out.load(relaxed)) {
    if (can_leave_signal_out.load(relaxed)) {
      const Transfer moved = write_with(RWF_NOWAIT | RWF_NOSIGNAL);
      if (!is_refusal(moved.error)) return moved;
    }
    const NoBrokenPipeSignal here;
    const Transfer moved = write_with(RWF_NOWAIT);
    if (!is_refusal(moved.error)) {
      can_leave_signal_out.store(false, relaxed);
      return moved;
    }
  }
  return write_when_ready(descriptor, parts);
}

}  // namespace

DescriptorPair make_pipe() noexcept {
  int ends[2];
  return both_past_the_standard_streams(pipe2(ends, O_CLOEXEC), ends);
}

DescriptorPair make_socket_pair() noexcept {
  int ends[2];
  return both_past_the_standard_streams(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                                        ends);
}

Stream stream_of(int descriptor) noexcept {
  struct stat status;
  const bool is_socket = fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
  return is_socket ? Stream::socket : Stream::other;
}

int check_descriptor(int descriptor) noexcept {
  return fcntl(descriptor, F_GETFD) >= 0 ? 0 : errno;
}

Transfer read_now(Stream stream, int descriptor, std::span<std::byte> room) noexcept {
  if (stream == Stream::socket) {
    return transfer([&] { return recv(descriptor, room.data(), room.size(), MSG_DONTWAIT); });
  }
  if (can_leave_waiting_out.load(relaxed)) {
    const iovec whole{room.data(), room.size()};
    const Transfer moved = transfer([&] { return preadv2(descriptor, &whole, 1, -1, RWF_NOWAIT); });
    if (!is_refusal(moved.error)) return moved;
    // A pipe is what this is about; what else refuses may be of a kind that always does.
    struct stat status;
    if (fstat(descriptor, &status) == 0 && S_ISFIFO(status.st_mode)) {
      can_leave_waiting_out.store(false, relaxed);
    }
  }
  return read_when_ready(descriptor, room);
}

Transfer write_now(Stream stream, int descriptor, std::span<const std::byte> head,
                   std::span<const std::byte> body) noexcept {
  if (stream == Stream::socket) return write_now_with(descriptor, head, body, {});
  std::array<iovec, 2> parts{part(head), part(body)};
  return write_to_other(descriptor, parts);
}

Transfer write_now_with(int socket, std::span<const std::byte> head,
                        std::span<const std::byte> body,
                        std::span<const int> descriptors) noexcept {
  std::array<iovec, 2> parts{part(head), part(body)};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  PassedDescriptors passed;
  passed.give(message, descriptors.first(std::min(descriptors.size(), most_passed)));
  return transfer([&] { return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL); });
}

TransferWith read_now_with(int socket, std::span<std::byte> room,
                           std::span<int> descriptors) noexcept {
  iovec whole{room.data(), room.size()};
  msghdr message{};
  message.msg_iov = &whole;
  message.msg_iovlen = 1;
  const std::size_t most = std::min(descriptors.size(), most_passed);
  PassedDescriptors passed;
  passed.make_room(message, most);
  TransferWith result;
  static_cast<Transfer&>(result) =
      transfer([&] { return recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC); });
  if (result.error != 0) return result;
  PassedDescriptors::take_all(message, [&](int descriptor) {
    if (result.received < most) {
      descriptors[result.received++] = descriptor;
    } else {
      close(descriptor);
    }
  });
  return result;
}

void end_writing(int socket) noexcept {
  shutdown(socket, SHUT_WR);
}

int poll_until(std::span<Watched> watched, std::int64_t deadline) noexcept {
  const NoCancellation here;
  for (;;) {
    timespec left{};
    if (deadline != never) {
      const std::int64_t time = std::max<std::int64_t>(deadline - now(), 0);
      left = {static_cast<time_t>(time / nanoseconds_per_second),
              static_cast<long>(time % nanoseconds_per_second)};
    }
    const int ready =
        ppoll(watched.data(), watched.size(), deadline == never ? nullptr : &left, nullptr);
    if (ready > 0) return 0;
    if (ready == 0) return ETIMEDOUT;
    if (errno != EINTR) return errno;
  }
}

bool wait_until_readable(int descriptor, std::int64_t deadline) noexcept {
  Watched watched{descriptor, can_read, 0};
  return poll_until({&watched, 1}, deadline) == 0;
}

int make_bell() noexcept {
  return past_the_standard_streams(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

void ring(int bell) noexcept {
  const int saved = errno;
  const std::uint64_t once = 1;
  while (write(bell, &once, sizeof once) < 0 && errno == EINTR) {
  }
  errno = saved;
}

void close_descriptor(int descriptor) noexcept {
  const NoCancellation here;
  const int saved = errno;
  // Closed even when it says EINTR.
  close(descriptor);
  errno = saved;
}

}  // namespace tutti::inline TUTTI_ABI::platform
