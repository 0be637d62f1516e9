#include "explore/execution.h"

#include <utility>

#include "explore/names.h"
#include "explore/stuck.h"
#include "runtime/self.h"
#include "threading/roster.h"
#include "tutti/errors.h"
#include "tutti/threading/excepthook.h"

namespace tutti::inline TUTTI_ABI::explore {

namespace exploring = platform::exploring;

namespace {

void require_all_joined() {
  const std::shared_ptr<threading::ThreadControl> main = threading::ThreadControl::current();
  for (const auto& control : threading::roster::living()) {
    if (control == main || control->is_daemon()) continue;
    exploring::fail(FailureKind::unjoined,
                    "thread '" + control->name() +
                        "' was still alive when the body returned: join it, or make it a daemon");
  }
}

void run_body(void* given) {
  const Subject& subject = *static_cast<const Subject*>(given);
  runtime::self();  // The main thread is known from the beginning.
  try {
    subject.body();
  } catch (const DeadlockError&) {
    exploring::fail(FailureKind::deadlock,
                    "the body was left by " + platform::describe_current_exception());
  } catch (...) {
    exploring::fail(FailureKind::exception,
                    "the body was left by " + platform::describe_current_exception());
  }
  if (subject.options.unjoined) require_all_joined();
}

// An exception that leaves a thread fails the schedule, and is not printed.
class ExceptHookInstead {
 public:
  ExceptHookInstead()
      : before_(threading::set_excepthook([](const threading::ExceptHookArgs& args) {
          const std::string what = args.what();
          // Not here: whoever called the hook still holds it.
          exploring::fail_soon(FailureKind::exception,
                               (args.thread ? args.thread->name() : "a thread") + " was left by " +
                                   args.exc_type + (what.empty() ? "" : ": " + what));
        })) {}
  ~ExceptHookInstead() { threading::set_excepthook(std::move(before_)); }
  ExceptHookInstead(const ExceptHookInstead&) = delete;
  ExceptHookInstead& operator=(const ExceptHookInstead&) = delete;

 private:
  threading::ExceptHook before_;
};

std::string describe_race(const exploring::ExecutionFailure& failure, const Story* story) {
  const std::string object = names().of_object(failure.object, "read");
  std::string text = "two threads use " + object + " with nothing that orders them: ";
  if (story == nullptr) return text;
  return text + story->who_and_where(exploring::scheduler().steps()) + ", and " +
         story->who_and_where(failure.race.other_step);
}

}  // namespace

Outcome execute(const Subject& subject, Search& search, Story* story) {
  exploring::ExecutionFailure& failure = exploring::failure_so_far();
  failure.kind.reset();
  names().restart();
  // Made anew each time, for the body may set its own.
  const ExceptHookInstead hook;
  const exploring::End end = exploring::scheduler().run(run_body, const_cast<Subject*>(&subject),
                                                        subject.rules, search, story);

  Outcome outcome;
  if (!search.divergence().empty()) {
    outcome.failure = FailureKind::nondeterminism;
    outcome.message = "the body does not do the same each time: " + search.divergence();
  } else if (failure.kind == FailureKind::race) {
    outcome.failure = FailureKind::race;
    outcome.message = describe_race(failure, story);
  } else if (failure.kind) {
    outcome.failure = failure.kind;
    outcome.message = failure.message;
  } else if (end == exploring::End::too_long) {
    outcome.failure = FailureKind::livelock;
    outcome.message = "after " + std::to_string(subject.rules.longest) +
                      " steps the threads still go on: a livelock, or Options::steps is too small";
  } else if (end == exploring::End::stuck) {
    const Stuck stuck = describe_stuck();
    if (stuck.is_failure) {
      outcome.failure = stuck.kind;
      outcome.message = stuck.message;
    }
  }
  return outcome;
}

}  // namespace tutti::inline TUTTI_ABI::explore
