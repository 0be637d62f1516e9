// Threads that do one job together.
#pragma once

#include <tutti/threading.h>
#include <exception>
#include <functional>
#include <string>
#include <vector>

namespace demo {

/// What some threads of a crew do.
struct Stage {
  std::string name;
  int threads = 1;
  /// Called in each thread.
  std::function<void()> work;
  /// Called by the last thread whose work has ended well.
  std::function<void()> then = {};
};

/// Threads that do one job together: the first error in one of them is the error of the job.
///
/// Since the others may wait for the one that failed, there is a function that calls the job off:
/// it must see to it that all waits end, now and later, by an exception or otherwise. It must not
/// throw.
class Crew {
 public:
  explicit Crew(std::function<void()> call_off);
  /// Calls the job off unless join() was called.
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// A thread that can't be started is an error of the job: join() throws it.
  void start(Stage stage);
  /// Waits until all threads have ended, and throws the first error.
  void join();

 private:
  struct Running;

  void run(Running& stage);
  void fail(std::exception_ptr error);

  const std::function<void()> call_off_;
  std::vector<tutti::threading::Thread> threads_;
  tutti::threading::Lock lock_;  // Guards error_ and the counts of running threads.
  std::exception_ptr error_;
};

}  // namespace demo
