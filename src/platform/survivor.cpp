#include "platform/survivor.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <vector>

#include "platform/spawn.h"
#include "platform/stream.h"

namespace tutti::inline TUTTI_ABI::platform {

namespace {

// "end of the lifeline, file of the pages, where to say that it is there"
constexpr char variable[] = "TUTTI_SURVIVOR";
constexpr const char* form = "%d,%d,%d";

struct Pipe {
  Descriptor read;
  Descriptor write;
  int error;

  explicit Pipe(const DescriptorPair& made = make_pipe()) noexcept
      : read(made.first), write(made.second), error(made.error) {}
};

// The program as it is executed; made ready beforehand, since in a clone nothing can be allocated.
class Execution {
 public:
  Execution(int lifeline, int pages, int ready) : given_{lifeline, pages, ready} {
    std::snprintf(told_.data(), told_.size(), "%s=%d,%d,%d", variable, lifeline, pages, ready);
    environment_.push_back(told_.data());
    for (char** each = environ; *each != nullptr; ++each) environment_.push_back(*each);
    environment_.push_back(nullptr);
  }
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  bool begin() noexcept {
    for (const int descriptor : given_) fcntl(descriptor, F_SETFD, 0);
    pid_t survivor;
    return posix_spawn(&survivor, "/proc/self/exe", nullptr, nullptr, arguments_.data(),
                       environment_.data()) == 0;
  }

 private:
  std::array<int, 3> given_;
  std::array<char, 80> told_;
  char name_[16] = "tutti-survivor";
  std::array<char*, 2> arguments_{name_, nullptr};
  std::vector<char*> environment_;
};

// Whether the program, executed once more, comes to survive_if_told().
bool can_execute() noexcept {
  return can_run_instead_of_main() && !has_more_rights_than_its_user();
}

[[noreturn]] void survive(int lifeline, int ready, LastWill last_will, void* pages) {
  // Neither Ctrl-C nor the end of the terminal is meant for it.
  setsid();
  prctl(PR_SET_NAME, "tutti-survivor");
  if (chdir("/") != 0) {
    // Then it keeps the folder it is in, which does no harm.
  }
  char byte = 0;
  if (write(ready, &byte, 1) < 0) {
    // Nobody waits for it.
  }
  dup2(lifeline, STDIN_FILENO);
  close(STDOUT_FILENO);
  syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0);
  while (read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR) {
  }
  last_will(pages);
  _exit(0);
}

// Not by fork(): without a signal at its end the new process is invisible for wait(), and what the
// program and this library do around a fork does not concern it.
long fork_quietly() noexcept {
  return syscall(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr);
}

int exit_code_of(pid_t process) noexcept {
  int status = 0;
  while (waitpid(process, &status, __WALL) < 0) {
    if (errno != EINTR) return errno;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

// In the process between: whether a survivor has been executed, and is there.
bool execute(Execution& execution, Pipe& ready) noexcept {
  if (!execution.begin()) return false;
  ready.write.reset();
  char byte;
  ssize_t size;
  while ((size = read(ready.read.get(), &byte, 1)) < 0 && errno == EINTR) {
  }
  return size == 1;
}

}  // namespace

InheritedPages map_inherited(std::size_t size) noexcept {
  Descriptor file(past_the_standard_streams(memfd_create("tutti-table", MFD_CLOEXEC)));
  if (!file || ftruncate(file.get(), static_cast<off_t>(size)) != 0) return {};
  void* const begin =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file.get(), 0);
  if (begin == MAP_FAILED) return {};
  return {begin, size, std::move(file)};
}

void unmap_inherited(void* pages, std::size_t size) noexcept {
  munmap(pages, size);
}

Survivor start_survivor(LastWill last_will, const InheritedPages& pages) noexcept try {
  Pipe lifeline;
  Pipe ready;
  if (lifeline.error != 0 || ready.error != 0) return {lifeline.error | ready.error};
  Execution execution(lifeline.read.get(), pages.file.get(), ready.write.get());
  // The program's handlers must not run there; and no signal that it does not block.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const long parent_of_it = fork_quietly();
  if (parent_of_it == 0) {
    if (can_execute() && execute(execution, ready)) _exit(0);
    const long survivor = fork_quietly();
    if (survivor != 0) _exit(survivor < 0 ? errno : 0);
    lifeline.write.reset();
    survive(lifeline.read.get(), ready.write.get(), last_will, pages.begin);
  }
  const int error = parent_of_it < 0 ? errno : exit_code_of(static_cast<pid_t>(parent_of_it));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return {error, error == 0 ? lifeline.write.release() : -1};
} catch (const std::bad_alloc&) {
  return {ENOMEM};
}

void survive_if_told(LastWill last_will) noexcept {
  // Not for a program with more rights than its user.
  const char* const told = secure_getenv(variable);
  int lifeline = -1;
  int file = -1;
  int ready = -1;
  if (told == nullptr || std::sscanf(told, form, &lifeline, &file, &ready) != 3) return;
  struct stat status;
  if (fstat(file, &status) != 0) _exit(EXIT_FAILURE);
  void* const pages = mmap(nullptr, static_cast<std::size_t>(status.st_size),
                           PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (pages == MAP_FAILED) _exit(EXIT_FAILURE);
  survive(lifeline, ready, last_will, pages);
}

}  // namespace tutti::inline TUTTI_ABI::platform
