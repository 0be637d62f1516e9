// multiprocessing::Event: a flag that processes wait for.
#pragma once

#include <string>

#include "tutti/multiprocessing/shared_object.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// A flag, clear at first. set() lets all waiting threads, of whichever process, go on, also if
/// clear() follows at once.
///
///     multiprocessing::Event stop;
///     while (!stop.wait(0.1)) work();
///
/// A handle: copies are the same flag. There is nothing that a killed process could leave behind in
/// it. Thread-safe. Python counterpart: multiprocessing.Event.
class Event : public SharedObject {
 public:
  /// Throws OSError when the system has no memory or descriptor for it.
  Event();
  /// With a name for messages.
  explicit Event(std::string name);

  bool is_set() const noexcept;
  void set() noexcept;
  void clear() noexcept;

  /// Waits until the flag is set; false when `timeout` passed first. A negative timeout polls.
  /// Throws KeyboardInterrupt in an interrupted main thread.
  bool wait(Timeout timeout = forever);

  /// Spelling of Python 2.
  bool isSet() const noexcept { return is_set(); }

  template <typename Archive>
  static void tutti_serialize(Archive& archive, Event& event) {
    event.pass(archive, "Event");
  }
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
