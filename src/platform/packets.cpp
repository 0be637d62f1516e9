#include "platform/packets.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "platform/passed_descriptors.h"

namespace tutti::inline TUTTI_ABI::platform {

PacketPair make_packet_pair() noexcept {
  int ends[2];
  const DescriptorPair pair = both_past_the_standard_streams(
      socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ends);
  return {pair.error, Descriptor(pair.first), Descriptor(pair.second)};
}

int send_packet(const Descriptor& socket, std::span<const std::byte> bytes,
                std::span<const int> descriptors) {
  if (descriptors.size() > PassedDescriptors::most) return ETOOMANYREFS;
  iovec piece = {const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  PassedDescriptors passed;
  passed.give(message, descriptors);
  while (sendmsg(socket.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno == EINTR) continue;
    return errno == ECONNRESET ? EPIPE : errno;
  }
  return 0;
}

Packet receive_packet(const Descriptor& socket, std::span<std::byte> room, Patience patience) {
  Packet packet;
  iovec piece = {room.data(), room.size()};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  PassedDescriptors passed;
  passed.make_room(message, PassedDescriptors::most);
  const int flags = MSG_CMSG_CLOEXEC | (patience == Patience::waits ? 0 : MSG_DONTWAIT);
  ssize_t size = 0;
  while ((size = recvmsg(socket.get(), &message, flags)) < 0) {
    if (errno == EINTR) continue;
    packet.error = errno == ECONNRESET ? EPIPE : errno;
    return packet;
  }
  const bool all_came = PassedDescriptors::take_all(
      message, [&](int number) { packet.descriptors.emplace_back(number); });
  // There are no empty packets.
  if (size == 0) packet.error = EPIPE;
  if (!all_came) packet.error = EMFILE;
  packet.size = static_cast<std::size_t>(size);
  return packet;
}

void refuse_packets(const Descriptor& socket) noexcept {
  shutdown(socket.get(), SHUT_RDWR);
}

std::vector<bool> wait_until_any_readable(std::span<const int> descriptors) {
  std::vector<pollfd> entries;
  for (const int descriptor : descriptors) entries.push_back({descriptor, POLLIN, 0});
  while (poll(entries.data(), entries.size(), -1) < 0 && errno == EINTR) {
  }
  std::vector<bool> readable;
  for (const pollfd& entry : entries) readable.push_back(entry.revents != 0);
  return readable;
}

}  // namespace tutti::inline TUTTI_ABI::platform
