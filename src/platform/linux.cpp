// System calls of the Linux floor. See tutti/platform/linux.h for what each function promises.
#include "tutti/platform/linux.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iterator>
#include <string_view>

#include "platform/descriptor.h"
#include "platform/no_cancellation.h"

namespace tutti::inline TUTTI_ABI::platform {

constinit thread_local Current current_thread_words{};

namespace {

constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;

int futex_flags(int operation, Reach reach) {
  return reach == Reach::process ? operation | FUTEX_PRIVATE_FLAG : operation;
}

pthread_t to_pthread(Thread thread) {
  return static_cast<pthread_t>(thread.handle);
}

}  // namespace

std::int64_t now() noexcept {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::int64_t>(time.tv_sec) * nanoseconds_per_second + time.tv_nsec;
}

bool park(const atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline,
          Reach reach) noexcept {
  timespec time;
  timespec* limit = nullptr;
  if (deadline != never) {
    const std::int64_t at = std::max<std::int64_t>(deadline, 0);
    time = {static_cast<time_t>(at / nanoseconds_per_second),
            static_cast<long>(at % nanoseconds_per_second)};
    limit = &time;
  }
  // FUTEX_WAIT_BITSET takes an absolute monotonic time, so a restart after EINTR loses nothing.
  while (syscall(SYS_futex, &word, futex_flags(FUTEX_WAIT_BITSET, reach), expected, limit, nullptr,
                 FUTEX_BITSET_MATCH_ANY) != 0) {
    if (errno == ETIMEDOUT) return false;
    if (errno != EINTR) return true;  // EAGAIN: the word has changed already.
    if (word.load(relaxed) != expected) return true;
  }
  return true;
}

void unpark(const atomic<std::uint32_t>& word, int count, Reach reach) noexcept {
  syscall(SYS_futex, &word, futex_flags(FUTEX_WAKE, reach), count, nullptr, nullptr, 0);
}

void yield() noexcept {
  sched_yield();
}

Started start(void* (*entry)(void*), void* argument, std::size_t stack_size) noexcept {
  pthread_attr_t attributes;
  int error = pthread_attr_init(&attributes);
  if (error != 0) return {error, {}};
  if (stack_size != 0) error = pthread_attr_setstacksize(&attributes, stack_size);
  pthread_t handle{};
  if (error == 0) error = pthread_create(&handle, &attributes, entry, argument);
  pthread_attr_destroy(&attributes);
  return {error, {static_cast<std::uintptr_t>(handle)}};
}

std::string describe_start_error(int error) {
  return std::string(std::strerror(error)) + "; the system's limit of threads or memory is reached";
}

void join(Thread thread) noexcept {
  const NoCancellation here;
  pthread_join(to_pthread(thread), nullptr);
}

bool try_join(Thread thread) noexcept {
  return pthread_tryjoin_np(to_pthread(thread), nullptr) != EBUSY;
}

void detach(Thread thread) noexcept {
  pthread_detach(to_pthread(thread));
}

std::uint32_t process_id() noexcept {
  // A system call only once in each process.
  static constinit atomic<std::uint32_t> known{0};
  static const int forgotten_in_children =
      pthread_atfork(nullptr, nullptr, [] { known.store(0, relaxed); });
  (void)forgotten_in_children;
  if (known.load(relaxed) == 0) known.store(static_cast<std::uint32_t>(getpid()), relaxed);
  return known.load(relaxed);
}

std::uint32_t thread_id() noexcept {
  return static_cast<std::uint32_t>(syscall(SYS_gettid));
}

bool process_is_alive(std::uint32_t process) noexcept {
  return kill(static_cast<pid_t>(process), 0) == 0 || errno == EPERM;
}

void name_thread(const char* name) noexcept {
  char cut[16];
  std::strncpy(cut, name, sizeof cut - 1);
  cut[sizeof cut - 1] = '\0';
  pthread_setname_np(pthread_self(), cut);
}

namespace {

// What /proc tells of a task, from its state letter on: "S 1 …". The name before it may hold
// parentheses, so look for the last one. Empty when there is no such task.
struct TaskStat {
  char text[512] = {};
  const char* from_state = text;

  explicit TaskStat(const char* path) noexcept {
    const NoCancellation here;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    const ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    text[std::max<ssize_t>(size, 0)] = '\0';
    const char* end_of_name = std::strrchr(text, ')');
    from_state = end_of_name == nullptr ? text + sizeof text - 1 : end_of_name + 2;
  }
};

}  // namespace

bool is_asleep(std::uint32_t thread) noexcept {
  // Not by snprintf(): a handler of a signal asks, too.
  constexpr std::string_view folder = "/proc/self/task/";
  char path[64] = {};
  folder.copy(path, folder.size());
  char* const end = std::to_chars(path + folder.size(), path + 32, thread).ptr;
  std::strcpy(end, "/stat");
  const char state = *TaskStat(path).from_state;
  return state == 'S' || state == 'D';
}

int thread_count() noexcept {
  const TaskStat stat("/proc/self/stat");
  // See proc(5), num_threads.
  int count = 0;
  std::sscanf(stat.from_state,
              "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %d", &count);
  return count;
}

std::size_t smallest_stack() noexcept {
  return static_cast<std::size_t>(PTHREAD_STACK_MIN);
}

int cores() noexcept {
  static const int count = [] {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(CPU_COUNT(&set), 1);
    return std::max(static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)), 1);
  }();
  return count;
}

SharedPages map_shared(std::size_t size, const char* name) noexcept {
  // A named memory file shows up in /proc/PID/maps; without a free descriptor, plain shared pages
  // do.
  const int file =
      name == nullptr ? -1 : past_the_standard_streams(memfd_create(name, MFD_CLOEXEC));
  if (file >= 0 && ftruncate(file, static_cast<off_t>(size)) == 0) {
    const SharedPages mapped = map_shared_again(size, file);
    if (mapped.pages != nullptr) return mapped;
  }
  if (file >= 0) close(file);
  void* pages = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return {pages == MAP_FAILED ? nullptr : pages, -1};
}

SharedPages map_shared_again(std::size_t size, int descriptor) noexcept {
  struct stat file = {};
  if (fstat(descriptor, &file) != 0 || file.st_size != static_cast<off_t>(size)) return {};
  void* pages =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, descriptor, 0);
  if (pages == MAP_FAILED) return {};
  return {pages, descriptor};
}

namespace {

// A pthread key, not a thread_local object: keys are destroyed after all thread_local objects,
// which may still use locks in their destructors.
pthread_key_t exit_key(void (*function)(void*)) {
  static const pthread_key_t key = [function] {
    pthread_key_t made;
    if (pthread_key_create(&made, function) != 0) {
      std::fputs("tutti: no pthread key is free; the program uses too many\n", stderr);
      std::abort();
    }
    return made;
  }();
  return key;
}

void (*exit_function)() = nullptr;

void call_exit_function() {
  exit_function();
}

// exit() destroys the thread_local objects of the calling thread before it runs atexit handlers and
// the destructors of static objects; for the main thread that is the earliest point there is.
struct MainExit {
  bool armed = false;
  ~MainExit() {
    if (armed) call_exit_function();
  }
};
thread_local MainExit main_exit;

}  // namespace

void at_thread_exit(void (*function)(void*), void* argument) noexcept {
  if (pthread_setspecific(exit_key(function), argument) != 0) {
    std::fputs("tutti: no memory to register a thread\n", stderr);
    std::abort();
  }
}

void before_exit(void (*function)()) noexcept {
  exit_function = function;
  if (thread_id() == process_id()) main_exit.armed = true;
  // For exit() called in another thread than the main one.
  std::atexit(call_exit_function);
}

void around_fork(ForkHandlers handlers) noexcept {
  pthread_atfork(handlers.prepare, handlers.parent, handlers.child);
}

namespace {
void (*sigint_handler)() = nullptr;
void (*quit_report)() = nullptr;

void handle_quit(int /*signal*/) {
  const int saved = errno;
  quit_report();
  errno = saved;
}
}  // namespace

bool handles_signals() noexcept {
  constexpr int about_faults[] = {SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS};
  // The highest number; those just below SIGRTMIN are the C library's own.
  constexpr int last = 64;
  for (int number = 1; number <= last; ++number) {
    const bool is_about_fault = std::find(std::begin(about_faults), std::end(about_faults),
                                          number) != std::end(about_faults);
    struct sigaction action;
    if (is_about_fault || sigaction(number, nullptr, &action) != 0) continue;
    // Ours wakes nobody.
    const bool is_the_programs = action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN &&
                                 action.sa_handler != handle_quit;
    if (is_the_programs) return true;
  }
  return false;
}

int on_sigint(void (*handler)()) noexcept {
  sigint_handler = handler;
  struct sigaction action = {};
  action.sa_handler = [](int) {
    const int saved = errno;
    sigint_handler();
    errno = saved;
  };
  sigemptyset(&action.sa_mask);
  return sigaction(SIGINT, &action, nullptr) == 0 ? 0 : errno;
}

void on_quit(void (*report)()) noexcept {
  struct sigaction action = {};
  if (sigaction(SIGQUIT, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) return;
  quit_report = report;
  action = {};
  action.sa_handler = handle_quit;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGQUIT, &action, nullptr);
}

void die_of_sigint() noexcept {
  signal(SIGINT, SIG_DFL);
  raise(SIGINT);
}

void park_for_good() noexcept {
  const atomic<std::uint32_t> word{0};
  for (;;) park(word, 0, never, Reach::process);
}

}  // namespace tutti::inline TUTTI_ABI::platform
