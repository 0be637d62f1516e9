// Two processes that hand a message of 64 bytes to and fro, through two queues, pipes, sockets. One
// round is there and back.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "interprocess.h"
#include "tutti/multiprocessing.h"
#include "two_processes.h"

namespace {

constexpr std::size_t size = 64;

void tutti_queues(benchmark::State& state) {
  using Message = std::array<std::byte, size>;
  tutti::multiprocessing::Queue<Message> there;
  tutti::multiprocessing::Queue<Message> back;
  two_processes(
      state,
      [&](std::int64_t rounds) {
        for (std::int64_t i = 0; i < rounds; ++i) {
          there.put(Message{});
          benchmark::DoNotOptimize(back.get());
        }
      },
      [&](std::int64_t rounds) {
        for (std::int64_t i = 0; i < rounds; ++i) back.put(there.get());
      });
}

template <typename Channel>
void channels(benchmark::State& state) {
  Channel there(1, size);
  Channel back(1, size);
  two_processes(
      state,
      [&](std::int64_t rounds) {
        std::vector<std::byte> message(size);
        for (std::int64_t i = 0; i < rounds; ++i) {
          there.put(message);
          back.get(message);
        }
      },
      [&](std::int64_t rounds) {
        std::vector<std::byte> message(size);
        for (std::int64_t i = 0; i < rounds; ++i) {
          there.get(message);
          back.put(message);
        }
      });
}

void cpython_pipe(benchmark::State& state) {
  python_processes(state, R"(
import multiprocessing, sys, time
rounds, size = map(int, sys.argv[1:])
def echo(connection):
    for _ in range(rounds):
        connection.send_bytes(connection.recv_bytes())
context = multiprocessing.get_context("fork")
here, there = context.Pipe()
child = context.Process(target=echo, args=(there,))
child.start()
message = b"x" * size
begin = time.perf_counter()
for _ in range(rounds):
    here.send_bytes(message)
    here.recv_bytes()
print(time.perf_counter() - begin)
child.join()
)",
                   std::to_string(size));
}

BENCHMARK(tutti_queues)->Name("mp_roundtrip_64/tutti")->UseManualTime();
BENCHMARK_TEMPLATE(channels, PlainPipe)->Name("mp_roundtrip_64/pipe")->UseManualTime();
BENCHMARK_TEMPLATE(channels, UnixSocket)->Name("mp_roundtrip_64/unix_socket")->UseManualTime();
BENCHMARK_TEMPLATE(channels, BoostMessageQueue)
    ->Name("mp_roundtrip_64/boost_message_queue")
    ->UseManualTime();
BENCHMARK(cpython_pipe)->Name("mp_roundtrip_64/cpython_pipe")->UseManualTime();

}  // namespace
