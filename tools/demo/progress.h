// How far a job has come: a bar on a terminal, a few plain lines elsewhere.
#pragma once

#include <tutti/threading.h>
#include <cstdint>
#include <string>

namespace demo {

/// Shows the progress of one form while it lives. Workers add() what they have done; a thread of
/// its own draws, so they never wait for the terminal.
class Progress {
 public:
  Progress(std::string title, std::uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Thread-safe.
  void add(std::uint64_t done);

 private:
  void draw_until_finished();
  void draw(double share);

  const std::string title_;
  const std::uint64_t total_;
  const bool is_terminal_;
  int last_quarter_ = 0;

  tutti::threading::Lock lock_;  // Guards done_.
  std::uint64_t done_ = 0;
  tutti::threading::Event finished_;
  tutti::threading::Thread painter_;
};

}  // namespace demo
