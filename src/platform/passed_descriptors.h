// Descriptors that go along with a message from socket to socket (see unix(7), "SCM_RIGHTS").
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstring>
#include <span>

#include "platform/descriptor.h"
#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::platform {

class PassedDescriptors {
 public:
  /// The kernel's SCM_MAX_FD.
  static constexpr std::size_t most = 253;

  /// At most so many go along with `message`, and none if there are none. This object is to be
  /// there until it is sent.
  void give(msghdr& message, std::span<const int> descriptors) noexcept {
    if (descriptors.empty()) return;
    make_room(message, descriptors.size());
    std::memset(room_, 0, message.msg_controllen);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  }

  /// For `count` that may come along with `message`. This object is to be there until they are
  /// taken.
  void make_room(msghdr& message, std::size_t count) noexcept {
    message.msg_control = room_;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
  }

  /// Calls `take` with each that has come, past the standard streams, who owns it then. One more
  /// may have come than there was to be room for, since the room is rounded up. False if some had
  /// no room in this process.
  template <typename Take>
  static bool take_all(msghdr& message, const Take& take) {
    bool all_came = (message.msg_flags & MSG_CTRUNC) == 0;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
      const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int descriptor;
        std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof descriptor, sizeof descriptor);
        descriptor = past_the_standard_streams(descriptor);
        if (descriptor >= 0) {
          take(descriptor);
        } else {
          all_came = false;
        }
      }
    }
    return all_came;
  }

 private:
  alignas(cmsghdr) char room_[CMSG_SPACE(most * sizeof(int))];
};

}  // namespace tutti::inline TUTTI_ABI::platform
