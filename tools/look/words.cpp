#include "look/words.h"

#include <fmt/core.h>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "runtime/describe.h"

namespace look {

using tutti::inspect::ThreadInfo;
using tutti::runtime::WaitKind;

namespace {

// The length of the UTF-8 sequence that `text` begins with; 0 if it is none.
std::size_t sequence_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xc2 && lead < 0xe0 ? 2
                             : lead >= 0xe0 && lead < 0xf0 ? 3
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                                                           : 0;
  if (length == 0 || text.size() < length) return 0;
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
  const std::string_view rest = text.substr(1, length - 1);
  return std::all_of(rest.begin(), rest.end(), continues) ? length : 0;
}

// The place of the bracket that closes the one at `open`; the end if there is none.
std::size_t matching(std::string_view text, std::size_t open) {
  const char opening = text[open];
  const char closing = opening == '(' ? ')' : '>';
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    const bool is_arrow = i > 0 && text[i - 1] == '-' && text[i] == '>';
    if (text[i] == opening) ++depth;
    if (text[i] == closing && !is_arrow && --depth == 0) return i;
  }
  return text.size();
}

// The library's own inline namespace, "tutti::v0::", says nothing.
std::string without_abi(std::string text) {
  constexpr std::string_view before = "tutti::v";
  for (std::size_t at = 0; (at = text.find(before, at)) != std::string::npos;) {
    const std::size_t version = at + before.size() - 1;
    const std::size_t end = text.find_first_not_of("0123456789", version + 1);
    if (end != std::string::npos && text.compare(end, 2, "::") == 0) {
      text.erase(version, end + 2 - version);
    } else {
      at = version;
    }
  }
  return text;
}

bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  // The second row of controls is C2 80 to C2 9F.
  return first < 0x20 || first == 0x7f ||
         (first == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0);
}

std::string told_wait(const Snapshot& snapshot, const ThreadInfo& thread) {
  const std::string holder = held_by(snapshot, thread);
  return fmt::format("{} waits for {}{}", reference_to(snapshot, thread), wait_of(snapshot, thread),
                     holder.empty() ? "" : fmt::format(", which {} has", holder));
}

std::string told_ring(const Snapshot& snapshot, const std::vector<std::uint64_t>& ring) {
  bool is_endless = true;
  std::string text;
  for (const std::uint64_t ident : ring) {
    const ThreadInfo& member = *snapshot.graph.find(ident);
    is_endless = is_endless && std::isinf(member.time_left);
    if (!text.empty()) text += "; ";
    text += told_wait(snapshot, member);
  }
  return (is_endless ? "deadlock: " : "ring until the first time-out: ") + text;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0 || is_control(text.substr(0, length))) {
      clean += '?';
      text.remove_prefix(std::max<std::size_t>(length, 1));
    } else {
      clean += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return clean;
}

std::string shortened(std::string_view function) {
  constexpr std::size_t longest_kept = 40;
  std::string text;
  for (std::size_t i = 0; i < function.size(); ++i) {
    const char open = function[i];
    text += open;
    if ((open != '(' && open != '<') || text.ends_with("operator<")) continue;
    const std::size_t close = matching(function, i);
    if (close - i <= longest_kept) continue;
    text += "…";
    i = close - 1;
  }
  return without_abi(std::move(text));
}

std::string name_of(const ThreadInfo& thread) {
  return printable(thread.name);
}

std::string reference_to(const Snapshot& snapshot, const ThreadInfo& thread) {
  const std::string name = name_of(thread);
  if (snapshot.shared_names.count(thread.name) == 0) return name;
  return fmt::format("{} (tid {})", name, thread.native_id);
}

std::string state_of(const ThreadInfo& thread) {
  return to_string(thread.state.phase);
}

std::string wait_of(const Snapshot& snapshot, const ThreadInfo& thread) {
  const tutti::threading::BlockedOn& on = thread.state.blocked_on;
  if (on.kind == WaitKind::none) return "";
  const char* kind = tutti::runtime::to_string(on.kind);
  if (on.kind == WaitKind::join) {
    const std::string joined = holder_of(snapshot, thread);
    return joined.empty() ? "join of a thread" : "join of " + joined;
  }
  if (on.object == nullptr) return kind;
  return printable(tutti::runtime::describe(kind, on.object, thread.object_name));
}

std::string holder_of(const Snapshot& snapshot, const ThreadInfo& thread) {
  if (thread.holder == 0) return "";
  if (const ThreadInfo* holder = snapshot.graph.find(thread.holder)) {
    return reference_to(snapshot, *holder);
  }
  const auto found = snapshot.elsewhere.find(thread.holder);
  return found == snapshot.elsewhere.end() ? "a thread that has ended" : printable(found->second);
}

std::string held_by(const Snapshot& snapshot, const ThreadInfo& thread) {
  const WaitKind kind = thread.state.blocked_on.kind;
  const bool is_for_end = kind == WaitKind::join || kind == WaitKind::process;
  return is_for_end ? "" : holder_of(snapshot, thread);
}

std::vector<std::string> waits_of(const Snapshot& snapshot) {
  std::vector<std::string> told;
  for (const auto& wait : snapshot.graph.waits()) {
    told.push_back(told_wait(snapshot, *snapshot.graph.find(wait.from)));
  }
  return told;
}

std::string duration(double seconds) {
  if (seconds < 60) return fmt::format("{:.3f} s", std::max(seconds, 0.0));
  // What never ends by itself may last long: no overflow.
  const auto whole = static_cast<std::uint64_t>(std::min(seconds, 1e15));
  const std::uint64_t minutes = whole / 60;
  if (minutes < 60) return fmt::format("{} min {} s", minutes, whole % 60);
  const std::uint64_t hours = minutes / 60;
  if (hours < 48) return fmt::format("{} h {} min", hours, minutes % 60);
  return fmt::format("{} d {} h", hours / 24, hours % 24);
}

std::string waited(const ThreadInfo& thread) {
  return thread.blocked_for > 0 ? duration(thread.blocked_for) : "";
}

std::string time_left(const ThreadInfo& thread) {
  return std::isfinite(thread.time_left) ? duration(thread.time_left) : "";
}

std::vector<std::string> rings_of(const Snapshot& snapshot) {
  std::vector<std::string> told;
  for (const auto& ring : snapshot.graph.rings()) told.push_back(told_ring(snapshot, ring));
  return told;
}

std::string title_of(const Snapshot& snapshot) {
  const std::size_t count = snapshot.graph.threads().size();
  return fmt::format("process {} ({}), {} thread{}{}", snapshot.pid, printable(snapshot.program),
                     count, count == 1 ? "" : "s", snapshot.is_stopped ? ", stopped" : "");
}

}  // namespace look
