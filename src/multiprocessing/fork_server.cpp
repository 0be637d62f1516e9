#include "multiprocessing/fork_server.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <span>
#include <utility>

#include "multiprocessing/child.h"
#include "multiprocessing/children.h"
#include "multiprocessing/errors.h"
#include "multiprocessing/message.h"
#include "multiprocessing/process_control.h"
#include "multiprocessing/start_method.h"
#include "multiprocessing/told_process.h"
#include "platform/spawn.h"
#include "platform/stream.h"
#include "runtime/descriptor_wait.h"
#include "runtime/registry.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::fork_server {

namespace {

using platform::Descriptor;
using platform::Patience;

struct Answer {
  std::int32_t error;
  std::uint32_t number;
};

template <typename T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

// --- the server ----------------------------------------------------------------------------------

struct Served {
  Descriptor status;
  Descriptor process;
};

class Server {
 public:
  explicit Server(Descriptor requests) noexcept : requests_(std::move(requests)) {}

  [[noreturn]] void serve() {
    // What static objects have printed is not for the children to print once more.
    flush_standard_streams();
    platform::ignore_interrupts();  // Ctrl-C is for the children.
    for (;;) {
      std::vector<int> descriptors{requests_.get()};
      for (const Served& child : served_) descriptors.push_back(child.process.get());
      const std::vector<bool> readable = platform::wait_until_any_readable(descriptors);
      // From the end, for those that have ended are taken out.
      for (std::size_t i = served_.size(); i > 0; --i) {
        if (readable[i]) tell_end(i - 1);
      }
      if (readable[0]) answer_request();
    }
  }

 private:
  void tell_end(std::size_t index) {
    const platform::Reaped reaped = platform::reap(served_[index].process);
    if (!reaped.has_ended) return;
    const std::int32_t code = reaped.code;
    platform::send_packet(served_[index].status, bytes_of(code), {});
    served_.erase(served_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  void answer_request() {
    std::array<std::byte, 1> room;
    platform::Packet packet = platform::receive_packet(requests_, room, Patience::waits);
    if (packet.error == EPIPE) platform::end_process(0);
    if (packet.descriptors.size() < 2) return;  // Whoever asked finds its end of the pair closed.
    Descriptor message = std::move(packet.descriptors[0]);
    Descriptor status = std::move(packet.descriptors[1]);
    const platform::Forked forked = platform::fork_process();
    if (forked.error == 0 && forked.process == 0) {
      packet.descriptors.erase(packet.descriptors.begin(), packet.descriptors.begin() + 2);
      live_as_child(std::move(message), std::move(packet.descriptors), status);
    }
    Answer answer{forked.error, forked.process};
    platform::Opened child;
    if (answer.error == 0) {
      child = platform::open_process(forked.process);
      answer.error = child.error;
      if (child.error != 0) platform::kill_and_reap(forked.process);
    }
    const int process = child.descriptor.get();
    const int untold = platform::send_packet(status, bytes_of(answer),
                                             std::span(&process, answer.error == 0 ? 1u : 0u));
    if (answer.error != 0) return;
    if (untold != 0) {
      // Whoever asked has stopped waiting, and will never know of it.
      platform::kill_and_reap(forked.process);
      return;
    }
    served_.push_back({std::move(status), std::move(child.descriptor)});
  }

  [[noreturn]] void live_as_child(Descriptor message, std::vector<Descriptor> given,
                                  Descriptor& status) {
    served_.clear();
    requests_.reset();
    status.reset();
    platform::heed_interrupts();
    platform::leave_standard_streams_to_parent();
    std::vector<std::byte> bytes = platform::read_message(message);
    message.reset();
    live_as_told(std::move(bytes), std::move(given), Ending::at_once);
  }

  Descriptor requests_;
  std::vector<Served> served_;
};

void serve(pickle::Reader& reader) {
  Server server{Descriptor(reader.passage()->take_descriptor(pickle::unpack<int>(reader)))};
  server.serve();
}

class Serving final : public Crossing {
 public:
  explicit Serving(const Descriptor& requests) noexcept : requests_(requests) {}
  Entry entry() const noexcept override { return serve; }
  std::size_t size() const override { return pickle::packed_size(int{}); }
  void write(pickle::Writer& writer) const override {
    pickle::pack(writer, writer.passage()->add_descriptor(requests_.get()));
  }

 private:
  const Descriptor& requests_;
};

// --- the process that uses it --------------------------------------------------------------------

// Guarded by the children's guard.
constinit Descriptor requests;
constinit Descriptor server_process;

void forget_server() noexcept {
  requests.reset();
  if (!server_process) return;
  // It has been killed, or is about to end, since nobody can ask it any more.
  constexpr double time_to_end = 1;
  const std::int64_t deadline = Timeout(time_to_end).deadline();
  while (!platform::reap(server_process).has_ended) {
    if (!platform::wait_until_readable(server_process.get(), deadline)) {
      platform::send_signal(server_process, platform::kill_signal);
      platform::wait_until_readable(server_process.get(), platform::never);
    }
  }
  server_process.reset();
}

int start_server() {
  platform::PacketPair pair = platform::make_packet_pair();
  if (pair.error != 0) return pair.error;
  const Serving serving(pair.theirs);
  const std::shared_ptr<ProcessControl> creator = ProcessControl::current();
  Message message;
  message.identity.name = "ForkServer";
  message.identity.creator = platform::process_id();
  message.identity.creators_name = creator->name();
  message.entry = name_function(reinterpret_cast<std::uintptr_t>(serving.entry()));
  Outgoing outgoing;
  const platform::Opened told = platform::open_message(write_message(message, &serving, outgoing));
  if (told.error != 0) return told.error;
  platform::Spawn spawn;
  spawn.arguments = {platform::invocation_name(), "[ForkServer]"};
  spawn.descriptors = {told.descriptor.get(), runtime::registry_descriptor()};
  spawn.descriptors.insert(spawn.descriptors.end(), outgoing.descriptors().begin(),
                           outgoing.descriptors().end());
  const platform::Forked spawned = platform::spawn_this_program(spawn);
  if (spawned.error != 0) return spawned.error;
  platform::Opened process = platform::open_process(spawned.process);
  if (process.error != 0) {
    platform::kill_and_reap(spawned.process);
    return process.error;
  }
  server_process = std::move(process.descriptor);
  requests = std::move(pair.ours);
  return 0;
}

void wait_for(int socket, short events, std::int64_t deadline, const runtime::Reason& reason) {
  runtime::Self& self = runtime::self();
  platform::Watched watched{socket, events, 0};
  const runtime::DescriptorWait wait =
      runtime::wait_for_descriptors(self, {&watched, 1}, deadline, reason);
  if (wait.error != 0) throw_os_error("cannot wait for the fork server", wait.error);
  runtime::stop_or_throw(self, wait.ended);
}

// The server kills a child of which it can't tell; of one that it has told already, this side
// knows.
void take_back(const Descriptor& status) {
  platform::refuse_packets(status);
  Answer answer;
  const auto room = std::as_writable_bytes(std::span(&answer, 1));
  const platform::Packet packet = platform::receive_packet(status, room, Patience::does_not_wait);
  if (packet.error == 0 && !packet.descriptors.empty()) {
    platform::send_signal(packet.descriptors.front(), platform::kill_signal);
  }
}

}  // namespace

int request(const std::vector<int>& given) {
  constexpr std::byte something{1};
  if (requests) {
    const int error = platform::send_packet(requests, bytes_of(something), given);
    if (error != EPIPE) return error;
    forget_server();  // It was killed.
  }
  if (const int error = start_server(); error != 0) return error;
  return platform::send_packet(requests, bytes_of(something), given);
}

void wait_for_room(const runtime::Reason& reason) {
  int socket;
  {
    const runtime::GuardHolder held(children::guard());
    socket = requests.get();
  }
  // Not without end: another thread may close it at any time, and its number be another one's.
  constexpr double look_again = 0.05;
  wait_for(socket, platform::can_write, Timeout(look_again).deadline(), reason);
}

Child await_answer(const Descriptor& status, const runtime::Reason& reason) {
  Answer answer;
  const auto room = std::as_writable_bytes(std::span(&answer, 1));
  platform::Packet packet = platform::receive_packet(status, room, Patience::does_not_wait);
  try {
    while (packet.error == EAGAIN) {
      wait_for(status.get(), platform::can_read, platform::never, reason);
      packet = platform::receive_packet(status, room, Patience::does_not_wait);
    }
  } catch (...) {
    take_back(status);
    throw;
  }
  if (packet.error != 0) return {packet.error, 0, {}};
  if (packet.size != sizeof answer) return {EPIPE, 0, {}};
  if (answer.error != 0 || packet.descriptors.empty()) return {answer.error, 0, {}};
  return {0, answer.number, std::move(packet.descriptors.front())};
}

Status read_status(const Descriptor& status) noexcept {
  std::int32_t code = 0;
  const auto room = std::as_writable_bytes(std::span(&code, 1));
  const int error = platform::receive_packet(status, room, Patience::does_not_wait).error;
  return {error != 0 && error != EAGAIN, error == 0, code};
}

void stop() noexcept {
  const runtime::GuardHolder held(children::guard());
  forget_server();
}

void vanish() noexcept {
  requests.reset();
  server_process.reset();
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::fork_server
