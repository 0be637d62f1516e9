#include "multiprocessing/child.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <new>
#include <string>

#include "multiprocessing/errors.h"
#include "multiprocessing/process_control.h"
#include "platform/process.h"
#include "runtime/self.h"
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
  runtime::leave_for_good();
  platform::end_process(code);
}

void print_exception() noexcept {
  try {
    const std::string text = "Process " + ProcessControl::current()->name() + ":\n" +
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
    print_exception();
  }
}

// Not named flush(), which would be std's, by the type of its argument.
template <typename Stream>
void write_out(Stream& stream) noexcept {
  if (platform::is_unbuffered(stream)) return;
  try {
    stream.flush();
  } catch (...) {
    // It throws what it can't write only if the program has asked for that; here nobody would see.
  }
}

}  // namespace

void flush_standard_streams() noexcept {
  write_out(std::cout);
  write_out(std::clog);
  write_out(std::wcout);
  write_out(std::wclog);
  platform::flush_c_streams();
}

void tie_to_parent(const platform::Descriptor& childs_end) noexcept {
  const int error = platform::die_with_parent(childs_end);
  if (error == 0) return;
  try {
    const std::string text = "tutti: " + described(ProcessControl::current()->name()) +
                             " may outlive its parent: " + std::strerror(error) + "\n";
    platform::print_error(text.c_str());
  } catch (const std::bad_alloc&) {
    platform::print_error("tutti: a daemonic process may outlive its parent\n");
  }
}

void run_as_child(Work work, Ending ending) noexcept {
  Child child{work};
  const auto run = [](void* pointer) {
    const Work& given = static_cast<Child*>(pointer)->work;
    given.run(given.argument);
  };
  const auto on_exception = [](void* pointer) { take_exception(*static_cast<Child*>(pointer)); };
  // pthread_exit() in the only thread would end the process as the parent is to end.
  const auto on_cancel = [](void*) { end(0); };
  platform::run_guarded(run, on_exception, on_cancel, &child);
  if (ending == Ending::as_a_program) std::exit(child.code);
  end(child.code);
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
