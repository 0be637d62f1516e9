#include "look/top.h"

#include <fmt/core.h>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "look/error.h"
#include "look/frame.h"
#include "look/screen.h"
#include "look/snapshot.h"

namespace look {

namespace {

using Clock = CpuMeter::Clock;

class Top {
 public:
  explicit Top(const TopOptions& options) : options_(options) {
    if (options.pid) process_ = std::make_unique<Process>(*options.pid);
    // The use of the processor is a difference of two looks.
    look();
    constexpr std::chrono::milliseconds short_while{100};
    std::this_thread::sleep_for(short_while);
  }

  int run_plainly() {
    for (int shown = 0; look_again();) {
      print(frame_of(snapshots_, cpu_, order_));
      if (++shown == options_.count) return 0;
      std::this_thread::sleep_for(options_.delay);
    }
    fmt::print("{}\n", ending_);
    return 0;
  }

  int run_on(std::unique_ptr<Screen> screen) {
    for (int shown = 0; look_again();) {
      if (!show_until_next(*screen)) return 0;
      if (++shown == options_.count) return 0;
    }
    screen.reset();
    fmt::print("{}\n", ending_);
    return 0;
  }

 private:
  void look() {
    snapshots_.clear();
    if (process_ != nullptr) {
      snapshots_.push_back(take_snapshot(*process_));
    } else {
      snapshots_ = all_snapshots();
    }
    cpu_.look(snapshots_, Clock::now());
  }

  // False when the program has come to its end, which is no error: it was there before.
  bool look_again() {
    try {
      look();
      return true;
    } catch (const Error& error) {
      ending_ = error.what();
      return false;
    }
  }

  static void print(const Frame& frame) {
    fmt::print("{}\n{}\n", frame.summary, frame.titles);
    for (const Frame::Row& row : frame.rows) fmt::print("{}\n", row.text);
    fmt::print("\n");
    std::fflush(stdout);
  }

  // False if the user wants to quit.
  bool show_until_next(Screen& screen) {
    const auto next = Clock::now() + options_.delay;
    for (;;) {
      screen.show(frame_of(snapshots_, cpu_, order_),
                  "q quit   b longest blocked first   c most CPU first   arrows scroll");
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
      if (left.count() <= 0) return true;
      switch (screen.wait_for_key(left)) {
        case Screen::Key::quit:
          return false;
        case Screen::Key::by_time:
          order_ = Order::longest_blocked;
          break;
        case Screen::Key::by_cpu:
          order_ = Order::most_cpu;
          break;
        case Screen::Key::none:
        case Screen::Key::other:
          break;
      }
    }
  }

  const TopOptions options_;
  std::unique_ptr<Process> process_;
  std::vector<Snapshot> snapshots_;
  CpuMeter cpu_;
  Order order_ = Order::longest_blocked;
  std::string ending_;
};

}  // namespace

int top(const TopOptions& options) {
  Top top(options);
  if (!options.is_plain) {
    if (auto screen = Screen::open()) return top.run_on(std::move(screen));
  }
  return top.run_plainly();
}

}  // namespace look
