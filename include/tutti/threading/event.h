// threading::Event: a flag that threads wait for.
#pragma once

#include <string>
#include <utility>

#include "tutti/sync/event_cell.h"
#include "tutti/threading/named.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::threading {

/// A flag, clear at first. set() lets all waiting threads go on, also if clear() follows at once.
///
///     threading::Event stop;
///     while (!stop.wait(0.1)) work();
///
/// Thread-safe; constant-initialised, four bytes. Python counterpart: threading.Event.
class Event : public Named {
 public:
  constexpr Event() noexcept = default;
  /// With a name for messages.
  explicit Event(std::string name) : Named(std::move(name)) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  bool is_set() const noexcept {
    const platform::Operation operation("Event.is_set", this, platform::Access::read);
    return operation.saw(cell_.is_set());
  }
  void set() noexcept {
    const platform::Operation operation("Event.set", this);
    cell_.set();
  }
  void clear() noexcept {
    const platform::Operation operation("Event.clear", this);
    cell_.clear();
  }

  /// Waits until the flag is set; false when `timeout` passed first. A negative timeout polls.
  /// Throws KeyboardInterrupt in an interrupted main thread.
  bool wait(Timeout timeout = forever) {
    const platform::Operation operation("Event.wait", this, platform::Access::read);
    return cell_.wait(sync::WaitKind::event, this, timeout.deadline());
  }

  /// Spelling of Python 2.
  bool isSet() const noexcept { return is_set(); }

 private:
  sync::EventCell cell_;
};

}  // namespace tutti::inline TUTTI_ABI::threading
