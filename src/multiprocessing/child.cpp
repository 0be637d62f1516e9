#include "multiprocessing/child.h"

#include <cstdio>
#include <iostream>

#include "platform/process.h"
#include "runtime/shutdown.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

struct Child {
  Work work;
  int code = 0;
};

[[noreturn]] void end(int code) noexcept {
  runtime::begin_ending();
  flush_standard_streams();
  platform::end_process(code);
}

void print_exception(const Work& work) noexcept {
  try {
    const std::string text = "Process " + work.name(work.argument) + ":\n" +
                             platform::describe_current_exception() + "\n";
    platform::print_error(text.c_str());
  } catch (...) {
    platform::print_error("tutti: no memory to report an exception in a process\n");
  }
}

// Inside of the handler of what has left the work.
void take_exception(Child& child) noexcept {
  try {
    throw;
  } catch (const thread::SystemExit& exit) {
    child.code = exit.code;
  } catch (...) {
    child.code = 1;
    print_exception(child.work);
  }
}

template <typename Stream>
void flush(Stream& stream) noexcept {
  try {
    stream.flush();
  } catch (...) {
    // It throws what it can't write only if the program has asked for that; here nobody would see.
  }
}

}  // namespace

void flush_standard_streams() noexcept {
  flush(std::cout);
  flush(std::clog);
  flush(std::wcout);
  flush(std::wclog);
  // Not all of the C library's: another thread that reads from one has it locked.
  std::fflush(stdout);
  std::fflush(stderr);
}

void run_as_child(Work work) noexcept {
  Child child{work};
  const auto run = [](void* pointer) {
    const Work& given = static_cast<Child*>(pointer)->work;
    given.run(given.argument);
  };
  const auto on_exception = [](void* pointer) { take_exception(*static_cast<Child*>(pointer)); };
  // pthread_exit() in the only thread would end the process as the parent is to end.
  const auto on_cancel = [](void*) { end(0); };
  platform::run_guarded(run, on_exception, on_cancel, &child);
  end(child.code);
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
