// The terminal as a page to scroll in, by curses.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "look/frame.h"

namespace look {

class Screen {
 public:
  /// Null if there is no terminal that can do it.
  static std::unique_ptr<Screen> open();
  /// Gives the terminal back as it was.
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// Draws it, from the row that the user has scrolled to.
  void show(const Frame& frame, const std::string& hint);

  enum class Key { none, quit, by_time, by_cpu, other };
  /// The next key that is pressed within that time. Scrolls by itself: then the key is `other`, and
  /// the frame wants to be shown again.
  Key wait_for_key(std::chrono::milliseconds patience);

 private:
  explicit Screen(void* terminal) : terminal_(terminal) {}

  void* terminal_;
  int first_row_ = 0;
};

}  // namespace look
