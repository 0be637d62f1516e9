// How a spawned process comes to run something else than main(), after all static objects are made
// and without a word in main().
//
// In a program that contains the library, this file has an entry among the program's initialisers.
// In a spawned process that entry calls those that come after it, and does not return. In one that
// uses the library as a shared one, that would be too early, since a library's initialisers come
// before the program's; but there it can stand before the C library's __libc_start_main, which is
// told main(), and tell it another one.
#include <dlfcn.h>

#include <cstdlib>

#include "platform/spawn.h"

namespace tutti::inline TUTTI_ABI::platform {

namespace {

using Function = void (*)();

// Set by static initialisers; no atomics, since there is one thread then.
constinit Function function_instead = nullptr;
constinit bool is_entered = false;

}  // namespace

void run_instead_of_main(void (*function)()) noexcept {
  function_instead = function;
}

bool can_run_instead_of_main() noexcept {
  return is_entered;
}

}  // namespace tutti::inline TUTTI_ABI::platform

namespace platform = tutti::TUTTI_ABI::platform;

#ifdef tutti_EXPORTS  // CMake's word for a shared library.

extern "C" {

using Main = int (*)(int, char**, char**);
using StartMain = int (*)(Main, int, char**, void (*)(), void (*)(), void (*)(), void*);

static int main_of_spawned(int /*argc*/, char** /*argv*/, char** /*environment*/) {
  platform::function_instead();
  return EXIT_FAILURE;
}

__attribute__((visibility("default"))) int __libc_start_main(Main main, int argc, char** argv,
                                                             void (*init)(), void (*fini)(),
                                                             void (*rtld_fini)(), void* stack_end) {
  const auto start = reinterpret_cast<StartMain>(dlsym(RTLD_NEXT, "__libc_start_main"));
  platform::is_entered = true;
  const bool runs_instead = platform::inheritance().was_spawned();
  return start(runs_instead ? main_of_spawned : main, argc, argv, init, fini, rtld_fini, stack_end);
}

}  // extern "C"

#else

extern "C" {

using Initialiser = void (*)(int, char**, char**);

// The linker defines these in programs, not in shared libraries.
extern const Initialiser __init_array_start[] __attribute__((weak, visibility("hidden")));
extern const Initialiser __init_array_end[] __attribute__((weak, visibility("hidden")));

__attribute__((constructor)) static void enter(int argc, char** argv, char** environment) {
  for (const Initialiser* each = __init_array_start; each != __init_array_end; ++each) {
    if (*each != enter) continue;
    platform::is_entered = true;
    if (!platform::inheritance().was_spawned()) return;
    while (++each != __init_array_end) (*each)(argc, argv, environment);
    platform::function_instead();
  }
}

}  // extern "C"

#endif
