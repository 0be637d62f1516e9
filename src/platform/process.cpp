#include "platform/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio_ext.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <streambuf>
#include <string_view>
#include <typeinfo>

#include "platform/no_cancellation.h"
#include "platform/stream.h"

#ifdef __GLIBCXX__
#include <ext/stdio_sync_filebuf.h>
#endif

namespace tutti::inline TUTTI_ABI::platform {

namespace {

// Headers of the C library that know these are younger than the oldest kernel that does.
constexpr idtype_t by_descriptor = static_cast<idtype_t>(3);  // P_PIDFD

static_assert(interrupt_signal == SIGINT && kill_signal == SIGKILL && terminate_signal == SIGTERM);

Opened opened(long result) noexcept {
  const int descriptor = past_the_standard_streams(static_cast<int>(result));
  if (descriptor < 0) return {errno, {}};
  return {0, Descriptor(descriptor)};
}

}  // namespace

Forked fork_process() noexcept {
  const pid_t child = fork();
  if (child < 0) return {errno, 0};
  return {0, static_cast<std::uint32_t>(child)};
}

Opened open_process(std::uint32_t process) noexcept {
  return opened(syscall(SYS_pidfd_open, static_cast<pid_t>(process), 0));
}

Opened open_nothing() noexcept {
  return opened(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

Reaped reap(const Descriptor& process) noexcept {
  siginfo_t info = {};
  const auto id = static_cast<id_t>(process.get());
  while (waitid(by_descriptor, id, &info, WEXITED | WNOHANG) != 0) {
    if (errno == EINTR) continue;
    // ECHILD: somebody else has reaped it, or the kernel itself, because SIGCHLD is ignored; in
    // that case it says so of a living child, too.
    pollfd ended = {process.get(), POLLIN, 0};
    return {poll(&ended, 1, 0) > 0, false, 0};
  }
  if (info.si_pid == 0) return {false, false, 0};
  return {true, true, info.si_code == CLD_EXITED ? info.si_status : -info.si_status};
}

void kill_and_reap(std::uint32_t child) noexcept {
  kill(static_cast<pid_t>(child), SIGKILL);
  while (waitpid(static_cast<pid_t>(child), nullptr, 0) < 0 && errno == EINTR) {
  }
}

int send_signal(const Descriptor& process, int signal) noexcept {
  const long result = syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
  return result == 0 ? 0 : errno;
}

const char* signal_name(int signal) noexcept {
  static constexpr const char* names[] = {
      nullptr,   "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
      "SIGFPE",  "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
      nullptr,   "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
      "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS"};
  const bool has_name = signal > 0 && signal < static_cast<int>(std::size(names));
  return has_name ? names[signal] : nullptr;
}

void end_process(int code) noexcept {
  _exit(code);
}

LifeLine make_life_line() noexcept {
  const DescriptorPair pipe = make_pipe();
  return {pipe.error, Descriptor(pipe.second), Descriptor(pipe.first)};
}

int die_with_parent(const Descriptor& childs_end) noexcept {
  const int end = childs_end.get();
  // The pipe's fate is told by a signal of our choice to its reader's owner, and this one can't be
  // caught, blocked or ignored. PR_SET_PDEATHSIG would not do: it fires when the thread that has
  // forked ends.
  if (fcntl(end, F_SETSIG, SIGKILL) != 0 || fcntl(end, F_SETOWN, getpid()) != 0 ||
      fcntl(end, F_SETFL, O_ASYNC | O_NONBLOCK) != 0) {
    return errno;
  }
  // The parent may have died before.
  pollfd line = {end, 0, 0};
  if (poll(&line, 1, 0) > 0) raise(SIGKILL);
  return 0;
}

// The folder has one folder for each thread, and each of those is a link to it, beside its own two.
bool has_one_thread(std::uint32_t process) noexcept {
  const std::string_view folder = "/proc/";
  char path[32] = {};
  folder.copy(path, folder.size());
  std::strcpy(std::to_chars(path + folder.size(), path + sizeof path, process).ptr, "/task");
  struct stat status;
  return stat(path, &status) == 0 && status.st_nlink == 3;
}

std::uint32_t parent_of_process() noexcept {
  return static_cast<std::uint32_t>(getppid());
}

int installed_cores() noexcept {
  return std::max(static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)), 1);
}

void fill_with_random(std::span<std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t filled = getrandom(bytes.data(), bytes.size(), 0);
    if (filled > 0) bytes = bytes.subspan(static_cast<std::size_t>(filled));
  }
}

void ignore_interrupts() noexcept {
  signal(SIGINT, SIG_IGN);
}

void heed_interrupts() noexcept {
  signal(SIGINT, SIG_DFL);
}

// A page that is written to after a fork, be it by the lock of a stream, costs a copy; so a stream
// that holds nothing is left alone.
void flush_c_streams() noexcept {
  // Not all streams: another thread that reads from one has it locked.
  for (FILE* const stream : {stdout, stderr}) {
    if (__fpending(stream) != 0) std::fflush(stream);
  }
}

template <typename Char>
bool is_unbuffered([[maybe_unused]] const std::basic_ios<Char>& stream) noexcept {
#ifdef __GLIBCXX__
  using PassingOn = __gnu_cxx::stdio_sync_filebuf<Char>;
  std::basic_streambuf<Char>* const buffer = stream.rdbuf();
  if (buffer == nullptr || typeid(*buffer) != typeid(PassingOn)) return false;
  // A program may have put one for another file in its place, or another file in that of stdout.
  const FILE* const file = static_cast<PassingOn*>(buffer)->file();
  return file == stdout || file == stderr;
#else
  return false;
#endif
}
template bool is_unbuffered(const std::basic_ios<char>&) noexcept;
template bool is_unbuffered(const std::basic_ios<wchar_t>&) noexcept;

void leave_standard_streams_to_parent() noexcept {
  for (FILE* const stream : {stdout, stderr}) {
    if (__fpending(stream) != 0) __fpurge(stream);
  }
  const bool is_read_from = __fbufsize(stdin) != 0;
  if (is_read_from) __fpurge(stdin);
}

void read_standard_input_from(Descriptor file) noexcept {
  const NoCancellation here;
  dup2(file.get(), STDIN_FILENO);
  close(file.release());
}

}  // namespace tutti::inline TUTTI_ABI::platform
