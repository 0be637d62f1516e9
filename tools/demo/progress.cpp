#include "demo/progress.h"

#include <fmt/core.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <mutex>
#include <utility>

namespace demo {

Progress::Progress(std::string title, std::uint64_t total)
    : title_(std::move(title)),
      total_(std::max<std::uint64_t>(total, 1)),
      is_terminal_(isatty(STDOUT_FILENO) == 1),
      painter_({.target = [this] { draw_until_finished(); }, .name = "painter"}) {
  painter_.start();
}

Progress::~Progress() {
  finished_.set();
  painter_.join();
}

void Progress::add(std::uint64_t done) {
  const std::scoped_lock held(lock_);
  done_ += done;
}

void Progress::draw_until_finished() {
  bool is_finished;
  do {
    is_finished = finished_.wait(0.05);
    std::uint64_t done;
    {
      const std::scoped_lock held(lock_);
      done = done_;
    }
    draw(static_cast<double>(done) / static_cast<double>(total_));
  } while (!is_finished);
  // The table says it all: leave the line to it.
  if (is_terminal_) fmt::print("\r\033[K");
  std::fflush(stdout);
}

void Progress::draw(double share) {
  if (is_terminal_) {
    constexpr int width = 40;
    const int full = static_cast<int>(share * width);
    fmt::print("\r{:<20} [{:=<{}}{:<{}}] {:3.0f} %", title_, "", full, "", width - full,
               share * 100);
    std::fflush(stdout);
  } else if (const int quarter = static_cast<int>(share * 4); quarter > last_quarter_) {
    last_quarter_ = quarter;
    fmt::print("{:<20} {:3} %\n", title_, quarter * 25);
  }
}

}  // namespace demo
