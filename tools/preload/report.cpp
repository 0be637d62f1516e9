#include "preload/report.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "platform/stack.h"
#include "preload/thread.h"
#include "runtime/settings.h"

namespace tutti::inline TUTTI_ABI::preload {

namespace {

using runtime::Slot;
using runtime::WaitKind;
using runtime::WaitRecord;

std::string hexadecimal(std::uintptr_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%zx", number);
  return text;
}

// By system calls themselves: the library's functions are points at which a cancelled thread would
// end, and the program may have put others before them.
void write_all(int file, std::string_view text) noexcept {
  while (!text.empty()) {
    const long written = syscall(SYS_write, file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void tell(const std::string& text) noexcept {
  int file = STDERR_FILENO;
  if (const char* path = std::getenv("TUTTI_REPORT"); path != nullptr && *path != '\0') {
    const long opened =
        syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (opened >= 0) file = static_cast<int>(opened);
  }
  write_all(file, text);
  if (file != STDERR_FILENO) syscall(SYS_close, file);
}

std::string describe_thread(const Slot& slot) {
  return "thread '" + slot.name.get() + "' (" +
         std::to_string(slot.thread.load(platform::relaxed)) + ")";
}

std::string describe_object(WaitKind kind, const void* object) {
  std::string text = std::string(runtime::to_string(kind)) + " at " +
                     hexadecimal(reinterpret_cast<std::uintptr_t>(object));
  std::string name = platform::variable_name(object);
  const std::string place = place_of(object);
  if (!name.empty() && !place.empty()) name += ", ";
  name += place;
  return name.empty() ? text : text + " (" + name + ")";
}

std::string describe_wait(const Link& link) {
  if (link.record.kind == WaitKind::join) return "the end of " + describe_thread(*link.holder.slot);
  return describe_object(link.record.kind, reinterpret_cast<const void*>(link.record.object));
}

std::string describe_holding(const Link& link, const std::vector<Link>& ring) {
  std::string held;
  for (const Link& other : ring) {
    if (other.holder.slot != link.thread || other.record.kind == WaitKind::join) continue;
    held += (held.empty() ? "\n    and holds " : " and ") + describe_wait(other);
  }
  return held;
}

std::string describe_duration(std::int64_t nanoseconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f s", static_cast<double>(nanoseconds) / 1e9);
  return text;
}

std::string describe_call(std::uintptr_t address) {
  const std::string place = place_of(reinterpret_cast<const void*>(address));
  const std::string where = place.empty() ? hexadecimal(address) : place;
  std::string text;
  for (const std::string& call : platform::describe_stack({&address, 1})) {
    // One of which nothing is known is told by its address.
    const std::string told = call.starts_with("0x") ? where : call + " (" + where + ")";
    text += "\n      " + told;
  }
  return text;
}

std::string describe_stack(const Slot& slot, const WaitRecord& record) {
  const auto details = runtime::read_details(slot, record);
  std::string text;
  if (!details) return text;
  for (const std::uintptr_t address : details->stack.view()) text += describe_call(address);
  return text;
}

void abort_if_asked() {
  if (runtime::deadlock_policy() == runtime::DeadlockPolicy::abort_program) std::abort();
}

}  // namespace

// Asked of the loader without its lock, which a thread that waits may hold.
std::string place_of(const void* object) {
  dl_find_object found;
  if (_dl_find_object(const_cast<void*>(object), &found) != 0) return {};
  const std::string_view path = found.dlfo_link_map->l_name;
  std::string_view file = path.substr(path.rfind('/') + 1);
  if (file.empty()) file = program_invocation_short_name;
  const std::uintptr_t offset =
      reinterpret_cast<std::uintptr_t>(object) - found.dlfo_link_map->l_addr;
  return std::string(file) + "+" + hexadecimal(offset);
}

void report_ring(const std::vector<Link>& ring) {
  const bool all_asleep = std::all_of(ring.begin() + 1, ring.end(), [](const Link& link) {
    return platform::is_asleep(link.thread->thread.load(platform::relaxed));
  });
  if (!all_asleep) return;
  // Of all members that see the ring, the first that marks this one's wait tells.
  const auto first = std::min_element(
      ring.begin(), ring.end(), [](const Link& a, const Link& b) { return a.thread < b.thread; });
  if (!is_told_first(*first->thread, first->record.stamp)) return;
  // Before the names of the program's functions are looked up, which takes longer than all else.
  const std::int64_t now = platform::now();
  std::string text = ring.size() == 1 ? "tutti: deadlock: a thread waits for itself, for ever"
                                      : "tutti: deadlock: " + std::to_string(ring.size()) +
                                            " threads wait for each other, for ever";
  for (const Link& link : ring) {
    text += "\n  " + describe_thread(*link.thread) + " waits for " + describe_wait(link) +
            ", for " + describe_duration(now - link.record.since) + describe_holding(link, ring);
    text += describe_stack(*link.thread, link.record);
  }
  tell(text + "\n");
  abort_if_asked();
}

void report_dead_owner(const Slot& slot, pid_t owner) {
  const auto record = runtime::try_read_record(slot);
  if (!record || !is_told_first(slot, record->stamp)) return;
  tell("tutti: " + describe_thread(slot) + " waits for " +
       describe_object(record->kind, reinterpret_cast<const void*>(record->object)) +
       ", whose owner (thread " + std::to_string(owner) + ") has ended without unlocking it" +
       describe_stack(slot, *record) + "\n");
  abort_if_asked();
}

}  // namespace tutti::inline TUTTI_ABI::preload
