// It runs in a signal's handler, in any thread, at any moment: maybe in the middle of what the
// thread does with its own slot. So it takes no lock, allocates nothing, and waits for nobody.
#include "runtime/quit_report.h"

#include <optional>

#include "runtime/fixed_text.h"
#include "runtime/registry.h"
#include "runtime/settings.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

using Line = FixedText<1024>;

void write_line(Line& line) noexcept {
  line.add("\n");
  platform::write_error(line.text());
}

void add_thread(Line& line, const Slot& slot) noexcept {
  line.add("\"").add_printable(slot.name.bytes().data()).add("\" tid ");
  line.add_number(slot.thread.load(platform::relaxed));
}

// Nothing for a record that its writer is at, who may be the very thread that this runs in.
std::optional<WaitRecord> look_at(const Slot& slot) noexcept {
  constexpr int most_tries = 100;
  for (int tries = 0; tries < most_tries; ++tries) {
    if (auto record = try_read_record(slot)) return record;
    platform::yield();
  }
  return std::nullopt;
}

void add_object(Line& line, const Slot& slot, const WaitRecord& record, bool has_details) noexcept {
  line.add(to_string(record.kind));
  const auto name = slot.object_name.bytes();
  if (has_details && name[0] != '\0') {
    line.add(" '").add_printable(name.data()).add("'");
  } else if (record.object != 0 && record.kind != WaitKind::join) {
    line.add(" at ").add_address(record.object);
  }
}

void add_wait(Line& line, const Slot& slot, const WaitRecord& record) noexcept {
  const bool has_details = slot.details_stamp.load(platform::acquire) == record.stamp;
  line.add(", waits for ");
  add_object(line, slot, record, has_details);
  const ThreadId holder = has_details ? slot.holder.load(platform::relaxed) : 0;
  if (is_living(holder)) {
    line.add(record.kind == WaitKind::join ? " of " : ", held by ");
    add_thread(line, slot_at(slot_number(holder)));
  }
  const std::int64_t now = platform::now();
  line.add(", for ").add_seconds(now - record.since);
  if (record.deadline != platform::never) {
    line.add(", ends in ").add_seconds(record.deadline - now);
  }
  if (!has_details) return;
  const std::uint32_t depth = slot.stack_depth.load(platform::relaxed);
  if (depth > 0) line.add(", called from");
  for (std::uint32_t i = 0; i < depth && i < platform::CallStack::deepest; ++i) {
    line.add(" ").add_address(slot.stack[i].load(platform::relaxed));
  }
}

void report_thread(const Slot& slot) noexcept {
  Line line;
  add_thread(line, slot);
  const std::optional<WaitRecord> record = look_at(slot);
  if (!record) {
    line.add(", begins or ends to wait");
  } else if (slot.phase() == SlotPhase::starting || record->woken) {
    line.add(", ready");
  } else if (record->kind == WaitKind::io) {
    line.add(", in I/O or another library");
  } else if (record->kind != WaitKind::none) {
    add_wait(line, slot, *record);
  } else if (platform::is_asleep(slot.thread.load(platform::relaxed))) {
    line.add(", asleep in a system call");
  } else {
    line.add(", running");
  }
  write_line(line);
}

void report() noexcept {
  Line title;
  title.add("tutti: SIGQUIT: the threads of process ").add_number(platform::process_id()).add(":");
  write_line(title);
  for (std::uint32_t number = 1; number <= last_slot(); ++number) {
    const Slot& slot = slot_at(number);
    if (is_living(id_of(slot))) report_thread(slot);
  }
}

}  // namespace

void report_on_quit() noexcept {
  if (!reports_on_quit()) return;
  last_slot();  // The registry is there before a signal can ask for it.
  platform::on_quit(report);
}

}  // namespace tutti::inline TUTTI_ABI::runtime
