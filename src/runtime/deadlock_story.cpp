#include "runtime/deadlock_story.h"

#include <algorithm>
#include <new>
#include <set>
#include <unordered_map>
#include <utility>

#include "platform/stack.h"
#include "runtime/describe.h"
#include "runtime/names.h"
#include "runtime/settings.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::runtime {

namespace {

bool is_elsewhere(ThreadId thread) noexcept {
  const std::optional<Identity> known = identity_of(thread);
  return known && known->process != platform::process_id();
}

std::string name_with_process(ThreadId thread) {
  const std::optional<Identity> known = identity_of(thread);
  if (!known) return name_of_thread(thread);
  return "thread '" + std::string(known->name.data()) + "' of process " +
         std::to_string(known->process);
}

// What another process has at an address is known by the name that its thread has told.
std::string name_of_awaited(const Link& link) {
  if (!is_elsewhere(link.thread)) {
    return name_of(reinterpret_cast<const void*>(link.record.object));
  }
  const auto details = read_details(slot_at(slot_number(link.thread)), link.record);
  return details ? details->object_name : "";
}

}  // namespace

std::string name_of_thread(ThreadId thread) {
  const std::optional<Identity> known = identity_of(thread);
  if (!known) return "thread " + std::to_string(thread);
  if (known->process != platform::process_id()) return name_with_process(thread);
  return "thread '" + std::string(known->name.data()) + "'";
}

Awaited::Awaited(const Link& link)
    : kind_(link.record.kind),
      object_(reinterpret_cast<const void*>(link.record.object)),
      name_(name_of_awaited(link)),
      is_elsewhere_(is_elsewhere(link.thread)),
      holder_(link.holder == 0 ? "" : name_of_thread(link.holder)),
      is_its_own_(link.holder == link.thread) {}

std::string Awaited::described() const {
  const bool may_be_variable = name_.empty() && !is_elsewhere_;
  return described_by(may_be_variable ? platform::variable_name(object_) : name_);
}

std::string Awaited::described_quickly() const {
  return described_by(name_);
}

std::string Awaited::described_by(std::string_view name) const {
  switch (kind_) {
    case WaitKind::join:
      return "the end of " + (holder_.empty() ? "threads" : holder_);
    case WaitKind::process:
      return "the end of " + describe(to_string(kind_), object_, name);
    case WaitKind::queue_empty:
      return "an item of " + describe("Queue", object_, name);
    case WaitKind::queue_full:
      return "room in " + describe("Queue", object_, name);
    case WaitKind::queue_join:
      return "the tasks of " + describe("Queue", object_, name);
    case WaitKind::future:
      return describe(to_string(kind_), object_, name) +
             (holder_.empty() ? "" : ", whose call " + holder_ + " runs");
    case WaitKind::futures:
    case WaitKind::work:
      return to_string(kind_);
    default:
      return describe(to_string(kind_), object_, name) +
             (is_its_own_ ? " (which it holds itself)" : "");
  }
}

namespace {

// Of rings that nobody would read to the end.
constexpr std::size_t most_told = 128;

// The line, or the function if the program has no debug information.
std::string where(const char* before, std::span<const std::uintptr_t> stack) {
  if (const std::string line = platform::user_line(stack); !line.empty()) {
    return std::string(before) + " at " + line;
  }
  const std::string function = platform::user_function(stack);
  return function.empty() ? "" : std::string(before) + " in " + function;
}

std::string calls_of(std::span<const std::uintptr_t> stack) {
  std::string text;
  if (!tells_stacks()) return text;
  for (const std::string& call : platform::describe_stack(stack)) text += "\n        " + call;
  return text;
}

}  // namespace

DeadlockStory::DeadlockStory(About about, const std::vector<Link>& links, ThreadId victim) {
  const std::int64_t now = platform::now();
  std::unordered_multimap<ThreadId, const Link*> waits_by_holder;
  for (const Link& link : links) {
    const bool is_of_its_own_wait = link.holder == link.thread;
    if (is_of_lock(link.record.kind) && !is_of_its_own_wait)
      waits_by_holder.emplace(link.holder, &link);
  }
  std::set<std::uint32_t> processes;
  for (const Link& link : links) {
    if (const auto known = identity_of(link.thread)) processes.insert(known->process);
  }
  const bool is_of_several = processes.size() > 1;
  const auto name = is_of_several ? name_with_process : name_of_thread;
  for (const Link& link : links) {
    if (members_.size() == most_told) break;
    Member member{.thread = name(link.thread),
                  .waits_for = Awaited(link),
                  .seconds = static_cast<double>(now - link.record.since) / 1e9,
                  .stack = {},
                  .holds = {}};
    const auto details = read_details(slot_at(slot_number(link.thread)), link.record);
    // Another process has other code at these addresses.
    if (details && !is_elsewhere(link.thread)) member.stack = details->stack;
    const auto [first, last] = waits_by_holder.equal_range(link.thread);
    for (auto each = first; each != last; ++each) {
      const Link& other = *each->second;
      const void* const lock = reinterpret_cast<const void*>(other.record.object);
      Possession held{.what = Awaited(other), .taking = find_taking(link.thread, lock)};
      if (held.taking) held.seconds = static_cast<double>(now - held.taking->since) / 1e9;
      const auto is_same = [&](const Possession& known) { return known.what == held.what; };
      if (std::none_of(member.holds.begin(), member.holds.end(), is_same)) {
        member.holds.push_back(std::move(held));
      }
    }
    members_.push_back(std::move(member));
  }
  const std::string count =
      std::to_string(links.size()) + " threads " +
      (is_of_several ? "of " + std::to_string(processes.size()) + " processes " : "") + "wait ";
  if (about == About::ring) {
    summary_ = "deadlock: " + count + "for each other, for ever";
  } else if (victim != 0) {
    const auto of_victim = [victim](const Link& link) { return link.thread == victim; };
    const auto found = std::find_if(links.begin(), links.end(), of_victim);
    summary_ = "deadlock: " + name_of_thread(victim) + " waits for " +
               Awaited(*found).described_quickly() + ", and no thread is left that could end that";
  } else {
    summary_ = links.size() == 1 ? "stall: the only thread waits, and nobody is left to wake it"
                                 : "stall: all " + count + "and nobody is left to wake them";
  }
  if (links.size() > members_.size()) {
    ending_ = "\n  and " + std::to_string(links.size() - members_.size()) + " more";
  }
  if (victim != 0) ending_ += "\nthrown in " + name(victim) + ", the last to begin to wait";
}

std::string DeadlockStory::tell_possession(const Possession& possession) {
  std::string text = possession.what.described();
  if (!possession.taking) return text;
  const std::span<const std::uintptr_t> stack = possession.taking->stack.view();
  text += in_seconds(", for ", possession.seconds);
  return text + where(", taken", stack) + calls_of(stack);
}

std::string DeadlockStory::tell() const {
  std::string text = summary_;
  for (const Member& member : members_) {
    text += "\n  " + member.thread + " waits for " + member.waits_for.described();
    text += in_seconds(", for ", member.seconds);
    const std::span<const std::uintptr_t> stack = member.stack.view();
    text += where(",", stack) + calls_of(stack);
    for (const Possession& held : member.holds) {
      text += "\n    and holds " + tell_possession(held);
    }
  }
  return text + ending_;
}

const char* DeadlockStory::text() noexcept {
  const GuardHolder held(guard_);
  if (text_.empty()) {
    try {
      text_ = tell();
    } catch (const std::bad_alloc&) {
      return summary_.c_str();
    }
  }
  return text_.c_str();
}

}  // namespace tutti::inline TUTTI_ABI::runtime

namespace tutti::inline TUTTI_ABI {

DeadlockError::DeadlockError(std::shared_ptr<runtime::DeadlockStory> story)
    : RuntimeError(story->summary()), story_(std::move(story)) {}

const char* DeadlockError::what() const noexcept {
  return story_ == nullptr ? RuntimeError::what() : story_->text();
}

}  // namespace tutti::inline TUTTI_ABI
