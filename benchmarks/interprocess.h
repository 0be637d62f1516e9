// What tutti's queue of processes is measured against, behind one interface: put() of a message of
// a size known beforehand, and get() of one, which wait.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <boost/interprocess/ipc/message_queue.hpp>
#include <cstddef>
#include <cstdlib>
#include <span>
#include <string>

/// A descriptor to write to and one to read from, of a stream. Messages are not kept apart.
class Stream {
 public:
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void put(std::span<const std::byte> message) {
    while (!message.empty()) {
      const ssize_t size = write(ends_[1], message.data(), message.size());
      if (size <= 0) std::abort();
      message = message.subspan(static_cast<std::size_t>(size));
    }
  }
  void get(std::span<std::byte> message) {
    while (!message.empty()) {
      const ssize_t size = read(ends_[0], message.data(), message.size());
      if (size <= 0) std::abort();
      message = message.subspan(static_cast<std::size_t>(size));
    }
  }

 protected:
  Stream() = default;
  ~Stream() {
    close(ends_[0]);
    close(ends_[1]);
  }

  int ends_[2] = {-1, -1};
};

class PlainPipe : public Stream {
 public:
  PlainPipe(std::size_t /*room*/, std::size_t /*size*/) {
    if (pipe(ends_) != 0) std::abort();
  }
};

/// One direction of it.
class UnixSocket : public Stream {
 public:
  UnixSocket(std::size_t /*room*/, std::size_t /*size*/) {
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends_) != 0) std::abort();
  }
};

class BoostMessageQueue {
  using Queue = boost::interprocess::message_queue;

 public:
  /// For up to `room` messages of `size` bytes.
  BoostMessageQueue(std::size_t room, std::size_t size)
      : queue_(boost::interprocess::create_only, name_.c_str(), room, size) {}
  ~BoostMessageQueue() { Queue::remove(name_.c_str()); }
  BoostMessageQueue(const BoostMessageQueue&) = delete;
  BoostMessageQueue& operator=(const BoostMessageQueue&) = delete;

  void put(std::span<const std::byte> message) { queue_.send(message.data(), message.size(), 0); }
  void get(std::span<std::byte> message) {
    Queue::size_type size = 0;
    unsigned priority = 0;
    queue_.receive(message.data(), message.size(), size, priority);
  }

 private:
  static std::string next_name() {
    static int count = 0;
    return "tutti-bench-" + std::to_string(count++) + "-" + std::to_string(getpid());
  }

  const std::string name_ = next_name();
  Queue queue_;
};
