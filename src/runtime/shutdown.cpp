#include "runtime/shutdown.h"

#include "runtime/self.h"
#include "runtime/trace.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {
constinit platform::atomic<void (*)()> join_threads{nullptr};
constinit platform::atomic<void (*)()> end_processes{nullptr};
constinit platform::atomic<bool> ending{false};
}  // namespace

void before_ending(void (*function)()) noexcept {
  join_threads.store(function, platform::release);
}

void before_ending_after_threads(void (*function)()) noexcept {
  end_processes.store(function, platform::release);
}

bool is_ending() noexcept {
  return ending.load(platform::acquire);
}

void begin_ending() noexcept {
  if (is_ending()) return;
  if (auto* join = join_threads.load(platform::acquire)) join();
  if (auto* end = end_processes.load(platform::acquire)) end();
  exempt_from_stopping();
  ending.store(true, platform::release);
  trace::stop_at_end();
}

void end_before_statics_made_so_far() noexcept {
  platform::before_exit(begin_ending);
}

}  // namespace tutti::inline TUTTI_ABI::runtime
