#include "demo/forms/crew.h"

#include <fmt/core.h>
#include <memory>
#include <mutex>
#include <utility>

namespace demo {

namespace threading = tutti::threading;

struct Crew::Running {
  Stage stage;
  int left;
};

Crew::Crew(std::function<void()> call_off) : call_off_(std::move(call_off)) {}

Crew::~Crew() {
  if (threads_.empty()) return;
  call_off_();
  for (threading::Thread& thread : threads_) thread.join();
}

void Crew::start(Stage stage) {
  try {
    const int threads = stage.threads;
    const auto running = std::make_shared<Running>(Running{std::move(stage), threads});
    for (int i = 1; i <= threads; ++i) {
      const std::string& name = running->stage.name;
      threading::Thread thread({.target = [this, running] { run(*running); },
                                .name = threads == 1 ? name : fmt::format("{}-{}", name, i)});
      threads_.reserve(threads_.size() + 1);  // Once started it must be joined.
      thread.start();
      threads_.push_back(thread);
    }
  } catch (...) {
    fail(std::current_exception());
  }
}

void Crew::run(Running& running) {
  try {
    running.stage.work();
    bool is_last;
    {
      const std::scoped_lock held(lock_);
      is_last = --running.left == 0;
    }
    if (is_last && running.stage.then) running.stage.then();
  } catch (...) {
    fail(std::current_exception());
  }
}

void Crew::fail(std::exception_ptr error) {
  {
    const std::scoped_lock held(lock_);
    if (error_ != nullptr) return;  // This one may just be a consequence.
    error_ = std::move(error);
  }
  call_off_();
}

void Crew::join() {
  for (threading::Thread& thread : threads_) thread.join();
  threads_.clear();
  if (error_ != nullptr) std::rethrow_exception(error_);
}

}  // namespace demo
