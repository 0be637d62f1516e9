// What all handles of one process share, and what its parent keeps until it has been reaped.
// process_control.cpp is about who a process is; the other files of that name about how a child
// begins and ends.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "multiprocessing/message.h"
#include "platform/packets.h"
#include "platform/process.h"
#include "runtime/registry.h"
#include "runtime/self.h"
#include "tutti/multiprocessing/callable.h"
#include "tutti/multiprocessing/process.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// The life of a child, seen from its parent: made → starting → running → ended (and reaped), and
/// then perhaps closed. A start that fails leads back to `made`. In the child itself it becomes
/// `current`; in other processes that have inherited it, what it was matters no more. The processes
/// that tutti did not start from here enter it as they are: `current` (the main one) and `parent`.
class ProcessControl : public std::enable_shared_from_this<ProcessControl> {
 public:
  /// For a process to be started, a child of the calling one.
  explicit ProcessControl(ProcessOptions options);
  /// For the main process.
  struct Main {};
  explicit ProcessControl(Main);
  /// For the parent of the calling process.
  struct Parent {
    std::uint32_t process;
    std::string name;
  };
  explicit ProcessControl(Parent parent);
  /// For the calling process, which was told who it is.
  explicit ProcessControl(Identity identity);
  ~ProcessControl();
  ProcessControl(const ProcessControl&) = delete;
  ProcessControl& operator=(const ProcessControl&) = delete;

  static std::shared_ptr<ProcessControl> current();
  /// Makes the calling process the one that was told so. `creator` is the process to wait for the
  /// creator's end by; none for a child of the creator in the kernel's account, too.
  static void become(Identity identity, platform::Descriptor creator);
  static Process handle_of(std::shared_ptr<ProcessControl> control) {
    return Process(std::move(control));
  }

  void start(Process& object);
  void run_target();
  /// False at the deadline.
  bool join(std::int64_t deadline);
  void signal(int number, const char* what);
  void close();

  bool is_alive();
  bool is_daemon() const noexcept { return is_daemon_.load(platform::relaxed); }
  void set_daemon(bool daemon);
  std::string name() const;
  void set_name(std::string name);
  std::optional<std::uint32_t> process() const;
  std::optional<int> exit_code();
  int sentinel();
  std::string authkey() const;
  void set_authkey(std::string key);
  std::string to_string();

  /// Reaps the child if it has ended. True if it has, now or before.
  bool look_for_end() noexcept;
  /// For the parent's end: signals a running child, whoever asks.
  void signal_if_running(int number) noexcept;
  bool is_running() const noexcept { return stage_.load(platform::acquire) == Stage::running; }
  /// The one thread of a running child, whose end is that of the child; 0 if it has others, too.
  runtime::ThreadId only_thread() const noexcept;
  /// Null in the main process.
  std::shared_ptr<ProcessControl> parent();

  /// In a fork's child, which has inherited it.
  void vanish() noexcept;

  /// Neighbours in the list of children, which alone uses them.
  ProcessControl* next = nullptr;
  ProcessControl* previous = nullptr;
  /// The list's own handle of this.
  std::shared_ptr<ProcessControl> kept_by_list;

 private:
  enum class Stage : std::uint32_t { made, starting, running, ended, current, parent };
  /// Of a child whose exit code somebody else has asked for.
  static constexpr int unknown_exit_code = 255;

  void start_by(StartMethod method, Process& object);
  void start_by_fork(Process& object);
  void start_by_spawn();
  void start_by_server();
  void check_can_be_told(StartMethod method, Process& object) const;
  Message message(Outgoing& outgoing) const;
  void close_what_was_told() noexcept;
  void open_message(const std::vector<std::byte>& bytes);
  std::shared_ptr<platform::Descriptor> prepare_handle();
  void hold_child(std::uint32_t process, platform::Descriptor& handle);
  [[noreturn]] void fail_to_start(int error) const;
  [[noreturn]] void live_as_child(Process& object);
  void become_current();

  enum class Found { running, ended, ended_untold };
  Found find_end() noexcept;
  bool wait_for_end(int descriptor, std::int64_t deadline);
  void check_open() const;
  std::shared_ptr<platform::Descriptor> handle() const;
  platform::Descriptor open_parent() const;
  /// It belongs to a process that this one was forked from.
  bool is_anothers() const noexcept;

  /// The process in which it was made, and whose child it is.
  platform::atomic<std::uint32_t> creator_;
  platform::atomic<Stage> stage_;
  platform::atomic<bool> is_daemon_;
  platform::atomic<bool> is_closed_{false};
  platform::atomic<std::uint32_t> process_{0};
  platform::atomic<int> exit_code_{0};

  /// 1 for the first child of the main process, 1:2 for that one's second.
  std::vector<std::uint32_t> identity_;
  /// Of the calling process: how many children it has made.
  platform::atomic<std::uint32_t> children_made_{0};

  std::string name_;     // Guarded by runtime::leaf_guard.
  std::string authkey_;  // Guarded by runtime::leaf_guard.
  const std::optional<StartMethod> start_method_;
  Callable target_;
  /// Of a process that was forked: what its parent is to itself, and its number. Most never ask for
  /// their parent, so its handle is made when one does.
  std::shared_ptr<ProcessControl> forked_from_;
  std::uint32_t forked_by_ = 0;
  /// Of the calling process. Guarded by the children's guard.
  std::shared_ptr<ProcessControl> parent_;

  // Guarded by the children's guard. Shared with those who wait, so that a close() in another
  // thread does not take the descriptor away under them.
  std::shared_ptr<platform::Descriptor> handle_;
  platform::LifeLine life_line_;
  /// The thread that is forking it, if one is: in what it makes, this becomes the calling process.
  const runtime::Self* forking_ = nullptr;
  /// While a process is told what to do.
  platform::Descriptor message_;
  platform::Descriptor creators_process_;
  /// Between this process and the fork server, about a child of that one; ours stays open.
  platform::PacketPair status_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
