// Messages between two processes: 64 bytes there and back, and 1 MiB there and a byte back. What
// pipe and socket send is no message: the sizes are known to both sides.
#include <benchmark/benchmark.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "tutti/multiprocessing/connection.h"
#include "two_processes.h"

namespace {

using tutti::multiprocessing::Connection;

/// What goes there and what comes back, in bytes.
struct Sizes {
  std::size_t there;
  std::size_t back;
};

/// Runs `echo()` in a child process, until the end of what it reads.
template <typename Echo>
pid_t child(Echo echo) {
  const pid_t process = fork();
  if (process != 0) return process;
  echo();
  _exit(0);
}

// --- tutti ---------------------------------------------------------------------------------------

void tutti_pipe(benchmark::State& state, Sizes sizes) {
  auto [here, there] = tutti::multiprocessing::Pipe();
  std::vector<std::byte> message(sizes.there);
  const pid_t echo = child([&, &connection = there, &other = here] {
    other.close();
    try {
      for (;;) {
        connection.recv_bytes_into(message);
        connection.send_bytes(message, 0, static_cast<std::ptrdiff_t>(sizes.back));
      }
    } catch (const tutti::EOFError&) {
    }
  });
  there.close();
  for (auto _ : state) {
    here.send_bytes(message);
    here.recv_bytes_into(message);
  }
  here.close();
  waitpid(echo, nullptr, 0);
}

// --- the system's own ----------------------------------------------------------------------------

void write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t size = write(descriptor, bytes.data(), bytes.size());
    if (size <= 0) _exit(1);
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
}

bool read_all(int descriptor, std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t size = read(descriptor, bytes.data(), bytes.size());
    if (size <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  return true;
}

/// Descriptors to read from and to write to, of either process.
struct Ends {
  int read_here;
  int write_here;
  int read_there;
  int write_there;
};

void raw(benchmark::State& state, Sizes sizes, Ends ends) {
  std::vector<std::byte> message(sizes.there);
  const std::span<std::byte> answer = std::span(message).first(sizes.back);
  const pid_t echo = child([&] {
    close(ends.write_here);
    close(ends.read_here);
    while (read_all(ends.read_there, message)) write_all(ends.write_there, answer);
  });
  close(ends.read_there);
  if (ends.write_there != ends.read_there) close(ends.write_there);
  for (auto _ : state) {
    write_all(ends.write_here, message);
    if (!read_all(ends.read_here, answer)) state.SkipWithError("the other process has gone");
  }
  close(ends.write_here);
  if (ends.read_here != ends.write_here) close(ends.read_here);
  waitpid(echo, nullptr, 0);
}

void plain_pipe(benchmark::State& state, Sizes sizes) {
  int there[2];
  int back[2];
  if (pipe(there) != 0 || pipe(back) != 0) std::abort();
  raw(state, sizes, {back[0], there[1], there[0], back[1]});
}

void plain_socket(benchmark::State& state, Sizes sizes) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::abort();
  raw(state, sizes, {ends[0], ends[0], ends[1], ends[1]});
}

// --- CPython -------------------------------------------------------------------------------------

constexpr const char* python_program = R"(
import multiprocessing, sys, time
rounds, there, back = map(int, sys.argv[1:])
message, answer = b"x" * there, b"x" * back
def echo(connection, other):
    other.close()
    try:
        while True:
            connection.recv_bytes()
            connection.send_bytes(answer)
    except EOFError:
        pass
here, child_end = multiprocessing.Pipe()
child = multiprocessing.get_context("fork").Process(target=echo, args=(child_end, here))
child.start()
child_end.close()
begin = time.perf_counter()
for _ in range(rounds):
    here.send_bytes(message)
    here.recv_bytes()
print(time.perf_counter() - begin)
here.close()
child.join()
)";

void cpython(benchmark::State& state, Sizes sizes) {
  python_processes(state, python_program,
                   std::to_string(sizes.there) + " " + std::to_string(sizes.back));
}

// -------------------------------------------------------------------------------------------------

void add(const std::string& subject, Sizes sizes) {
  const auto add_contender = [&](const char* name, void (*function)(benchmark::State&, Sizes)) {
    return benchmark::RegisterBenchmark((subject + "/" + name).c_str(), function, sizes);
  };
  add_contender("tutti", tutti_pipe)->UseRealTime();
  add_contender("pipe", plain_pipe)->UseRealTime();
  add_contender("unix_socket", plain_socket)->UseRealTime();
  add_contender("cpython", cpython)->UseManualTime();
}

[[maybe_unused]] const bool registered = [] {
  add("mp_pipe_64", {64, 64});
  add("mp_pipe_1mib", {std::size_t{1} << 20, 1});
  return true;
}();

}  // namespace
