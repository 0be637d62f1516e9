// Writing down an execution, step by step, for its report.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "platform/explore/scheduler.h"
#include "tutti/explore.h"

namespace tutti::inline TUTTI_ABI::explore {

class Story : public platform::exploring::Recorder {
 public:
  void announced(unsigned thread) override;
  void step(unsigned thread, const platform::exploring::Step& step, std::int64_t time,
            bool resumes) override;
  void waits(unsigned thread) override;
  void timed_out(unsigned thread) override;
  void read(const void* object, platform::exploring::Value value) override;
  void written(const void* object, platform::exploring::Value before,
               platform::exploring::Value value) override;
  void operation(const platform::exploring::Step& step) override;

  /// The steps that say something, with their lines.
  std::vector<StoryStep> told() const;
  /// "write by Thread-1 at race.cpp:14", of the step with this number.
  std::string who_and_where(std::uint32_t step_number) const;
  std::vector<std::string> thread_names() const;

 private:
  struct Entry {
    unsigned thread;
    std::uint32_t number;
    std::string verb;
    std::string object;
    const void* address;
    std::string outcome;
    bool waits;
    bool is_dull;
    std::int64_t time;
    std::vector<std::uintptr_t> calls;
  };
  Entry* current(unsigned thread);

  std::vector<Entry> entries_;
  std::vector<std::vector<std::uintptr_t>> calls_;
  unsigned threads_ = 0;
};

}  // namespace tutti::inline TUTTI_ABI::explore
