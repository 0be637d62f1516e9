#include <cstdio>
#include <exception>

#include "multiprocessing/flavours.h"
#include "runtime/life.h"
#include "support/until.h"
#include "threading/report_state.h"

namespace tests {

namespace runtime = tutti::runtime;

ProcessWorker::ProcessWorker(std::function<void()> work)
    : told_(make_shared_with_children<Told>()), process_([&] {
        try {
          work();
        } catch (const std::exception& error) {
          std::snprintf(told_->failure.data(), told_->failure.size(), "%s", error.what());
        }
        told_->is_done = true;
      }) {}

ProcessWorker::~ProcessWorker() {
  join();
}

Phase ProcessWorker::phase() const {
  if (told_->is_done) return Phase::dead;
  for (std::uint32_t number = 1; number <= runtime::last_slot(); ++number) {
    const runtime::Slot& slot = runtime::slot_at(number);
    const bool is_its_own = slot.process == static_cast<std::uint32_t>(process_.pid()) &&
                            !runtime::is_dead(runtime::id_of(slot));
    if (!is_its_own) continue;
    const auto record = runtime::try_read_record(slot);
    return record ? tutti::threading::recorded_state_of(slot, *record).phase : Phase::running;
  }
  return Phase::new_thread;
}

void ProcessWorker::join() {
  if (is_joined_) return;
  until([this] { return told_->is_done.load(); }, "a worker's end");
  is_joined_ = true;
  const int code = process_.join();
  failure_ = told_->failure.data();
  if (code != 0) failure_ += "; it ended with " + std::to_string(code);
}

}  // namespace tests
