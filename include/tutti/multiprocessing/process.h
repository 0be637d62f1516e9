// multiprocessing::Process and what asks about processes: current_process, active_children, …
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tutti/multiprocessing/callable.h"
#include "tutti/multiprocessing/start_method.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

class ProcessControl;

/// Python's keyword arguments of Process: Process p({.target = f, .name = "feeder", .daemon =
/// true}).
struct ProcessOptions {
  /// Reserved, as in Python: anything but null is a ValueError.
  const void* group = nullptr;
  Callable target = {};
  /// Empty: "Process-1", "Process-2", …, and "Process-1:1" for the first child of "Process-1".
  std::string name = {};
  /// Left out: as the process that makes this one.
  std::optional<bool> daemon = std::nullopt;
  /// Left out: that of set_start_method().
  std::optional<StartMethod> start_method = std::nullopt;
};

/// A child process. Made first, then started, as a threading::Thread; joined if someone wants to
/// know when and how it has ended.
///
///     multiprocessing::Process p(count_words, folder);   // arguments by value
///     p.start();
///     p.join();
///     if (p.exitcode() != 0) …
///
/// Or derive from it and override run(). A Process is a handle, as a name is in Python: copies are
/// the same process and compare equal. Nothing happens to the child when the last handle goes: it
/// is still in active_children(), and joined at the program's end.
///
/// The child runs the target in a copy of this process's memory, with one thread: the one that
/// called start(). Its standard input is empty. When the target has returned, the child joins its
/// non-daemon threads, terminates its daemonic children, joins the others, flushes standard output
/// (std::cout and stdout) and ends; static objects, which are the parent's, are not destroyed, and
/// the parent's atexit() functions not called. What the parent had not written yet at start() is
/// written by the parent alone. The exit code is 0; 1 if an exception has left the target, which is
/// printed to stderr; that of a thread::SystemExit thrown (`throw thread::SystemExit{3}`: Python's
/// sys.exit(3)), of which nothing is printed; or that of std::exit().
///
/// A daemonic process does not outlive its parent: it is terminated (killed, if it is still there a
/// second later) when the parent ends, and killed by the kernel if the parent is, by whatever
/// signal. It can't have children of its own. Others are joined when the parent ends in the
/// ordinary way, and go on if it is killed.
///
/// Thread-safe, except that one handle must not be assigned to in one thread and used in another.
/// Children are their parent's affair: in other processes that have the handle (those forked later)
/// what waits or signals throws RuntimeError. Python counterpart: multiprocessing.Process.
class Process {
 public:
  /// A process without target, for derived classes.
  Process();
  /// Throws ValueError when `options.group` is not null.
  explicit Process(ProcessOptions options);
  /// A process that will call `function(args...)`, with copies of the arguments.
  template <typename F, typename... Args>
  requires(!std::derived_from<std::decay_t<F>, Process>) &&
      (!std::same_as<std::decay_t<F>, ProcessOptions>)&&std::invocable<
          std::decay_t<F>, std::decay_t<Args>...> explicit Process(F&& function, Args&&... args)
      : Process(ProcessOptions{
            .target = Callable(std::forward<F>(function), std::forward<Args>(args)...)}) {}
  Process(const Process& other) noexcept;
  Process& operator=(const Process& other) noexcept;
  virtual ~Process();

  /// Starts the process. Throws RuntimeError when it was started before, by the child of another
  /// process, in a daemonic process, or when the program is ending; OSError when the system has no
  /// room for another process or descriptor (then it can be tried again).
  void start();

  /// What the process does: calls the target. Override it in a derived class.
  virtual void run();

  /// Waits until the process has ended, or until `timeout` passed: exitcode() tells which it was.
  /// A negative timeout polls. Throws RuntimeError before the start and in the process itself,
  /// KeyboardInterrupt in an interrupted main thread.
  void join(Timeout timeout = forever);

  /// True from start() until the process has ended.
  bool is_alive() const;

  /// Asks the process to end: SIGTERM, which ends it unless it has a handler. Does nothing when it
  /// has ended.
  void terminate();
  /// Ends the process: SIGKILL, against which it can do nothing.
  void kill();
  /// SIGINT, as Ctrl-C sends it.
  void interrupt();
  /// Gives back what the process needs in this one. Afterwards most calls throw ValueError. Throws
  /// ValueError while it runs.
  void close();

  std::string name() const;
  void set_name(std::string name);
  /// True if it does not outlive its parent.
  bool daemon() const noexcept;
  /// Throws RuntimeError after the start.
  void set_daemon(bool daemon);
  /// The kernel's number; none before the start.
  std::optional<std::uint32_t> pid() const;
  /// The same.
  std::optional<std::uint32_t> ident() const { return pid(); }
  /// None until it has ended; minus the number of the signal if one has killed it. 255 if that is
  /// not known, because somebody else has waited for the child or SIGCHLD is ignored.
  std::optional<int> exitcode() const;
  /// A descriptor (a pidfd) that poll() finds readable once the process has ended; closed with the
  /// last handle, or by close(). Throws ValueError before the start.
  int sentinel() const;
  /// Secret bytes, the same in all processes of the program; at first 32 random ones.
  std::string authkey() const;
  void set_authkey(std::string key);

  /// `<Process name='Process-1' pid=4712 parent=4711 stopped exitcode=-SIGTERM>`, as Python's repr.
  std::string to_string() const;

  /// True for handles of the same process.
  bool operator==(const Process& other) const noexcept { return control_ == other.control_; }

 private:
  friend class ProcessControl;
  explicit Process(std::shared_ptr<ProcessControl> control) noexcept;

  std::shared_ptr<ProcessControl> control_;
};

/// The calling process: "MainProcess", or the Process as which it was started.
Process current_process();
/// The process that has started this one; none in the main process. It can be waited for (join,
/// is_alive, sentinel), but not signalled.
std::optional<Process> parent_process();
/// The living children of this process. Those that have ended are waited for by this call, so that
/// no zombies are left.
std::vector<Process> active_children();
/// The number of cores of the machine; how many this process may use is another question.
int cpu_count() noexcept;

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
