// A watchdog made of timers: each sign of life cancels the timer that runs and starts the next one.
// When the worker gets stuck, a timer runs out and tells what the worker waits for.
//
//     step 1
//     step 2
//     step 3
//     no sign of life: worker is blocked (wait pool: Event 'answer')
//     step 4
//     step 5
#include <tutti/threading.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <utility>

using namespace tutti;

class Watchdog {
 public:
  Watchdog(Timeout patience, std::function<void()> bark)
      : patience_(patience), bark_(std::move(bark)) {}
  ~Watchdog() { stop(); }

  void sign_of_life() {
    stop();
    timer_ = std::make_unique<threading::Timer>(patience_, bark_);
    timer_->start();
  }

  void stop() {
    if (timer_) timer_->cancel();
    timer_.reset();  // The thread of a cancelled timer ends without us.
  }

 private:
  Timeout patience_;
  std::function<void()> bark_;
  std::unique_ptr<threading::Timer> timer_;
};

threading::Event answer;

void work() {
  const threading::Thread worker = threading::current_thread();
  Watchdog watchdog(0.5, [worker] {
    std::printf("no sign of life: %s is %s\n", worker.name().c_str(),
                worker.state().to_string().c_str());
    answer.set();
  });
  for (int step = 1; step <= 5; ++step) {
    watchdog.sign_of_life();
    std::printf("step %d\n", step);
    if (step == 3) answer.wait();
  }
}

int main() {
  threading::Thread({.target = work, .name = "worker"}).start();
}
