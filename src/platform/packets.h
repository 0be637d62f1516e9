// Pairs of sockets that carry small packets, each with descriptors, whole or not at all.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "platform/descriptor.h"

namespace tutti::inline TUTTI_ABI::platform {

struct PacketPair {
  int error = 0;
  Descriptor ours;
  Descriptor theirs;
};
PacketPair make_packet_pair() noexcept;

/// Does not wait. Returns 0 or an errno value; EAGAIN when there is no room for it now, EPIPE when
/// nobody has the other end any more.
int send_packet(const Descriptor& socket, std::span<const std::byte> bytes,
                std::span<const int> descriptors);

struct Packet {
  /// 0, EAGAIN if there is none yet, EPIPE if none will come, or another errno value.
  int error = 0;
  std::size_t size = 0;
  /// Closed on exec.
  std::vector<Descriptor> descriptors;
};
enum class Patience { waits, does_not_wait };
/// Reads a packet into `room`.
Packet receive_packet(const Descriptor& socket, std::span<std::byte> room, Patience patience);
/// From now on the other end can send nothing, as if nobody had this one. What it has sent before
/// can still be received.
void refuse_packets(const Descriptor& socket) noexcept;

/// Waits until one or more of them can be read from, or have lost their other end; returns which.
std::vector<bool> wait_until_any_readable(std::span<const int> descriptors);

}  // namespace tutti::inline TUTTI_ABI::platform
