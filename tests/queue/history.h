// Histories: what several threads did to a queue, and when.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tutti/errors.h"
#include "tutti/time.h"

namespace tests {

using Value = std::int64_t;
using Moment = std::uint64_t;

enum class Action { put, get, shutdown, immediate_shutdown };
enum class Outcome { done, full, empty, shut_down };

/// One call, from the moment before it to the moment after it. `value` is what a put brings, or
/// what a get has brought.
struct Operation {
  Action action;
  Outcome outcome;
  Value value;
  Moment called;
  Moment returned;
  int thread = 0;
};

/// In any order. All operations have returned.
using History = std::vector<Operation>;

/// One line an operation, in the order of the calls: "thread 2, 3 to 9: put(5): done".
std::string to_string(History history);

/// Moments, each of its own, for all threads that make one history.
///
/// The counter's increments form one chain, so an operation that returned before another was called
/// also happens before it, as C++ means it: what looks like a violation is one. Operations that
/// overlap stay unordered, and ThreadSanitizer still sees their races.
class Moments {
 public:
  Moment before_call() { return next_.fetch_add(1, std::memory_order_acquire); }
  Moment after_return() { return next_.fetch_add(1, std::memory_order_release); }

 private:
  std::atomic<Moment> next_{0};
};

/// Records what one thread does. A call that ends by an exception other than Full, Empty and
/// ShutDown passes it on and is not recorded: it must not have changed anything.
class Recorder {
 public:
  Recorder(Moments& moments, int thread) : moments_(moments), thread_(thread) {}

  template <typename Queue>
  Outcome put(Queue& queue, Value value, tutti::Timeout timeout = tutti::forever) {
    return record(Action::put, value, [&](Value& item) {
      queue.put(item, true, timeout);
      return Outcome::done;
    });
  }
  template <typename Queue>
  Outcome try_put(Queue& queue, Value value, tutti::Timeout timeout = 0) {
    return record(Action::put, value, [&](Value& item) {
      return queue.try_put(item, timeout) ? Outcome::done : Outcome::full;
    });
  }
  template <typename Queue>
  Outcome get(Queue& queue, tutti::Timeout timeout = tutti::forever) {
    return record(Action::get, 0, [&](Value& item) {
      item = queue.get(true, timeout);
      return Outcome::done;
    });
  }
  template <typename Queue>
  Outcome try_get(Queue& queue, tutti::Timeout timeout = 0) {
    return record(Action::get, 0, [&](Value& item) {
      const std::optional<Value> got = queue.try_get(timeout);
      item = got.value_or(0);
      return got ? Outcome::done : Outcome::empty;
    });
  }
  template <typename Queue>
  void shutdown(Queue& queue, bool immediate) {
    record(immediate ? Action::immediate_shutdown : Action::shutdown, 0, [&](Value&) {
      queue.shutdown(immediate);
      return Outcome::done;
    });
  }

  const History& operations() const { return operations_; }

 private:
  template <typename Call>
  Outcome record(Action action, Value value, Call call) {
    Operation made{action, Outcome::done, value, moments_.before_call(), 0, thread_};
    try {
      made.outcome = call(made.value);
    } catch (const tutti::queue::Full&) {
      made.outcome = Outcome::full;
    } catch (const tutti::queue::Empty&) {
      made.outcome = Outcome::empty;
    } catch (const tutti::queue::ShutDown&) {
      made.outcome = Outcome::shut_down;
    }
    made.returned = moments_.after_return();
    operations_.push_back(made);
    return made.outcome;
  }

  Moments& moments_;
  int thread_;
  History operations_;
};

}  // namespace tests
