// What a message about threads that wait for ever tells.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/guard.h"
#include "runtime/wait_graph.h"

namespace tutti::inline TUTTI_ABI::runtime {

/// What a thread waits for, or holds: kept now, for a text that is made later, when the object may
/// be gone.
class Awaited {
 public:
  explicit Awaited(const Link& link);

  /// "Lock 'accounts'", or for a join "the end of thread 'Worker-1'". An object without a name is
  /// called by the variable that it is; the first look for that reads the program's symbols.
  std::string described() const;
  /// The same without that look.
  std::string described_quickly() const;

  bool operator==(const Awaited& other) const noexcept { return object_ == other.object_; }

 private:
  std::string described_by(std::string_view name) const;

  WaitKind kind_;
  const void* object_;
  std::string name_;
  /// Another process has it at that address.
  bool is_elsewhere_;
  /// "thread 'Worker-1'"; empty if that is not known.
  std::string holder_;
  bool is_its_own_;
};

/// Keeps what is known at the moment when a deadlock is found, and makes a text of it when somebody
/// reads it: looking up lines of the source takes longer than finding the deadlock. Thread-safe.
class DeadlockStory {
 public:
  enum class About {
    /// Each thread waits for the next, and the last for the first.
    ring,
    /// All threads of the process.
    stuck_process,
  };

  /// `victim` is the thread in which it is thrown; 0 if it is only told.
  DeadlockStory(About about, const std::vector<Link>& links, ThreadId victim);

  /// "deadlock: 2 threads wait for each other": the first line.
  const std::string& summary() const noexcept { return summary_; }
  /// All of it. The summary alone if memory runs out.
  const char* text() noexcept;

 private:
  struct Possession {
    Awaited what;
    /// Known while locks are watched.
    std::optional<Taking> taking;
    double seconds = 0;
  };
  struct Member {
    std::string thread;
    Awaited waits_for;
    double seconds = 0;
    platform::CallStack stack;
    /// What other members wait for.
    std::vector<Possession> holds;
  };
  std::string tell() const;
  static std::string tell_possession(const Possession& possession);

  std::string summary_;
  std::vector<Member> members_;
  std::string ending_;
  Guard guard_;
  std::string text_;
};

/// The name of a living thread, or of one whose slot is still as it left it; with the number of its
/// process, if that is another one.
std::string name_of_thread(ThreadId thread);

}  // namespace tutti::inline TUTTI_ABI::runtime
