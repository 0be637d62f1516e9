// threading::Timer: call a function after a while, unless cancelled.
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include "tutti/threading/event.h"
#include "tutti/threading/thread.h"
#include "tutti/time.h"

namespace tutti::inline TUTTI_ABI::threading {

/// A thread that waits for `interval` and then calls a function, unless cancel() comes first.
///
///     threading::Timer reminder(30s, [] { ring(); });
///     reminder.start();
///     …
///     reminder.cancel();
///
/// A Timer is a handle as Thread is. Thread-safe. Python counterpart: threading.Timer.
class Timer : public Thread {
 public:
  /// Throws ValueError when `interval` is NaN. A negative one is over at once.
  template <typename F, typename... Args>
  requires std::invocable<std::decay_t<F>, std::decay_t<Args>...> Timer(Timeout interval,
                                                                        F&& function,
                                                                        Args&&... args)
      : Timer(interval, std::make_shared<Event>(),
              Target(std::forward<F>(function), std::forward<Args>(args)...)) {}

  /// Stops the timer if it is still waiting; its thread then ends at once.
  void cancel() noexcept { finished_->set(); }

 private:
  Timer(Timeout interval, std::shared_ptr<Event> finished, Target function)
      : Thread([interval, finished, function = std::move(function)]() mutable {
          finished->wait(interval);
          if (!finished->is_set()) function();
          finished->set();
        }),
        finished_(std::move(finished)) {}

  std::shared_ptr<Event> finished_;
};

}  // namespace tutti::inline TUTTI_ABI::threading
