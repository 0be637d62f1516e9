#include "platform/explore/failing.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

namespace tutti::inline TUTTI_ABI::platform {

const char* to_string(FailureKind kind) noexcept {
  switch (kind) {
    case FailureKind::deadlock:
      return "deadlock";
    case FailureKind::lost_wakeup:
      return "lost wake-up";
    case FailureKind::livelock:
      return "livelock";
    case FailureKind::assertion:
      return "assertion";
    case FailureKind::exception:
      return "exception";
    case FailureKind::race:
      return "data race";
    case FailureKind::unjoined:
      return "thread not joined";
    case FailureKind::nondeterminism:
      return "nondeterminism";
  }
  return "?";
}

namespace exploring {

ExecutionFailure& failure_so_far() noexcept {
  static ExecutionFailure& failure = *new ExecutionFailure;
  return failure;
}

void note_failure(FailureKind kind, std::string message) {
  ExecutionFailure& failure = failure_so_far();
  if (failure.kind) return;
  failure.kind = kind;
  failure.message = std::move(message);
}

void fail_soon(FailureKind kind, std::string message) {
  note_failure(kind, std::move(message));
  scheduler().stop_soon();
}

void fail(FailureKind kind, std::string message) {
  note_failure(kind, std::move(message));
  scheduler().stop();
}

void fail_by_race(const void* object, const Order::Race& race) {
  ExecutionFailure& failure = failure_so_far();
  if (!failure.kind) failure = {FailureKind::race, "", object, race};
  scheduler().stop();
}

namespace {

void on_terminate() {
  if (!scheduler().is_running()) std::abort();
  std::string what = "std::terminate was called";
  if (std::current_exception() != nullptr) {
    what += ", by " + describe_current_exception();
  }
  fail(FailureKind::exception, std::move(what));
}

}  // namespace

Catching::Catching() : terminate_before_(std::set_terminate(on_terminate)) {}

Catching::~Catching() {
  std::set_terminate(terminate_before_);
}

namespace {

void fail_assertion(const char* expression, const char* file, unsigned int line) {
  if (!scheduler().is_running()) return;
  fail(FailureKind::assertion, std::string("assert(") + expression + ") at " + file + ":" +
                                   std::to_string(line) + " does not hold");
}

}  // namespace

// What assert() calls. Found here before the C library's, it fails the execution, not the process.
extern "C" [[noreturn]] void __assert_fail(const char* expression, const char* file,
                                           unsigned int line, const char* function) noexcept {
  fail_assertion(expression, file, line);
  std::fprintf(stderr, "%s:%u: %s: Assertion `%s' failed.\n", file, line, function, expression);
  std::abort();
}

}  // namespace exploring
}  // namespace tutti::inline TUTTI_ABI::platform
