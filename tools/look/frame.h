// One picture of `tutti top`.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "look/snapshot.h"

namespace look {

/// How much of a core each thread has used since it was looked at last.
class CpuMeter {
 public:
  using Clock = std::chrono::steady_clock;

  /// Threads that are not among them are forgotten.
  void look(const std::vector<Snapshot>& snapshots, Clock::time_point now);
  /// In per cent; 0 for a thread that has been looked at once.
  double percent(int pid, std::uint32_t task) const;

 private:
  struct Use {
    double cpu_seconds = 0;
    double percent = 0;
  };
  std::map<std::pair<int, std::uint32_t>, Use> uses_;
  Clock::time_point looked_at_{};
};

enum class Order {
  /// Who has been blocked for longest comes first; then the others, by their use of the processor.
  longest_blocked,
  most_cpu,
};

struct Frame {
  std::string summary;
  std::string titles;
  struct Row {
    std::string text;
    bool is_in_ring = false;
  };
  std::vector<Row> rows;
};

Frame frame_of(const std::vector<Snapshot>& snapshots, const CpuMeter& cpu, Order order);

}  // namespace look
