// One process puts messages, another gets them: of 8 bytes, of 1 KiB, and of 1 MiB, through a queue
// with room for 1,024 of them, or for 8 of 1 MiB. One round is one message.
//
// A message of 1 MiB is copied twice, by the one process into what they share and by the other out
// of it. memcpy is one process that copies 1 MiB from one place to another, two_memcpys two that do
// so at the same time, each in its own cache. shared_memcpy is what two processes can reach that
// hand messages over: they copy into and out of three places that they share, with a flag for each,
// and what the one has written the other one's core has to fetch. Where tutti's other contenders
// have a place for the message, tutti makes a new std::vector for each.
#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "interprocess.h"
#include "tutti/multiprocessing.h"
#include "tutti/platform/floor.h"
#include "two_processes.h"

namespace {

template <typename Item>
void tutti_queue(benchmark::State& state, int room, const Item& item) {
  tutti::multiprocessing::Queue<Item> queue(room);
  two_processes(
      state,
      [&](std::int64_t rounds) {
        for (std::int64_t i = 0; i < rounds; ++i) benchmark::DoNotOptimize(queue.get());
      },
      [&](std::int64_t rounds) {
        for (std::int64_t i = 0; i < rounds; ++i) queue.put(item);
      });
}

template <std::size_t size>
void tutti_small(benchmark::State& state) {
  if constexpr (size == sizeof(std::int64_t)) {
    tutti_queue<std::int64_t>(state, 1024, 1);
  } else {
    tutti_queue(state, 1024, std::array<std::byte, size>{});
  }
}

void tutti_large(benchmark::State& state) {
  tutti_queue(state, 8, std::vector<std::byte>(1 << 20));
}

template <typename Channel, std::size_t room, std::size_t size>
void channel(benchmark::State& state) {
  Channel channel(room, size);
  std::vector<std::byte> message(size);
  two_processes(
      state,
      [&](std::int64_t rounds) {
        for (std::int64_t i = 0; i < rounds; ++i) channel.get(message);
      },
      [&](std::int64_t rounds) {
        for (std::int64_t i = 0; i < rounds; ++i) channel.put(message);
      });
}

void copy(std::int64_t rounds) {
  const std::vector<std::byte> from(1 << 20, std::byte{1});
  std::vector<std::byte> to(1 << 20, std::byte{2});
  for (std::int64_t i = 0; i < rounds; ++i) {
    std::memcpy(to.data(), from.data(), to.size());
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
}

void one_memcpy(benchmark::State& state) {
  two_processes(state, copy, [](std::int64_t) {});
}

void two_memcpys(benchmark::State& state) {
  two_processes(state, copy, copy);
}

struct SharedPlaces {
  struct Place {
    alignas(64) std::atomic<bool> is_full{false};
    alignas(64) std::byte message[1 << 20];
  };
  std::array<Place, 3> places;
};

/// Calls `copy(place)` for one place after the other, as each becomes what is `wanted`.
template <bool wanted, typename Copy>
void at_each_place(SharedPlaces& shared, std::int64_t rounds, Copy copy) {
  for (std::int64_t i = 0; i < rounds; ++i) {
    auto& place = shared.places[static_cast<std::size_t>(i) % shared.places.size()];
    while (place.is_full.load(std::memory_order_acquire) != wanted) tutti::platform::relax();
    copy(place.message);
    place.is_full.store(!wanted, std::memory_order_release);
  }
}

void shared_memcpy(benchmark::State& state) {
  void* const pages = mmap(nullptr, sizeof(SharedPlaces), PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (pages == MAP_FAILED) std::abort();
  auto& shared = *new (pages) SharedPlaces;
  std::vector<std::byte> own(1 << 20, std::byte{1});
  two_processes(
      state,
      [&](std::int64_t rounds) {
        at_each_place<true>(shared, rounds, [&](const std::byte* message) {
          std::memcpy(own.data(), message, own.size());
          benchmark::DoNotOptimize(own.data());
          benchmark::ClobberMemory();
        });
      },
      [&](std::int64_t rounds) {
        at_each_place<false>(shared, rounds, [&](std::byte* message) {
          std::memcpy(message, own.data(), own.size());
        });
      });
  munmap(pages, sizeof(SharedPlaces));
}

template <std::size_t room, std::size_t size>
void cpython(benchmark::State& state) {
  python_processes(state, R"(
import multiprocessing, sys, time
rounds, room, size = map(int, sys.argv[1:])
def put(queue, go):
    message = b"x" * size
    go.wait()
    for _ in range(rounds):
        queue.put(message)
context = multiprocessing.get_context("fork")
queue, go = context.Queue(room), context.Event()
child = context.Process(target=put, args=(queue, go))
child.start()
begin = time.perf_counter()
go.set()
for _ in range(rounds):
    queue.get()
print(time.perf_counter() - begin)
child.join()
)",
                   std::to_string(room) + " " + std::to_string(size));
}

void add(const std::string& name, void (*function)(benchmark::State&)) {
  benchmark::RegisterBenchmark(name.c_str(), function)->UseManualTime()->MinTime(0.2);
}

template <std::size_t room, std::size_t size>
void add_all(const std::string& subject, void (*tutti)(benchmark::State&)) {
  add(subject + "/tutti", tutti);
  add(subject + "/boost_message_queue", channel<BoostMessageQueue, room, size>);
  add(subject + "/pipe", channel<PlainPipe, room, size>);
  add(subject + "/cpython", cpython<room, size>);
}

[[maybe_unused]] const bool registered = [] {
  add_all<1024, 8>("mp_queue_8", tutti_small<8>);
  add_all<1024, 1024>("mp_queue_1kib", tutti_small<1024>);
  add_all<8, 1 << 20>("mp_queue_1mib", tutti_large);
  add("mp_queue_1mib/memcpy", one_memcpy);
  add("mp_queue_1mib/two_memcpys", two_memcpys);
  add("mp_queue_1mib/shared_memcpy", shared_memcpy);
  return true;
}();

}  // namespace
