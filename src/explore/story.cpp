#include "explore/story.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <string_view>

#include "explore/names.h"
#include "platform/stack.h"

namespace tutti::inline TUTTI_ABI::explore {

using platform::exploring::beginning;
using platform::exploring::scheduler;
using platform::exploring::Step;
using platform::exploring::Unobserved;
using platform::exploring::Value;

namespace {

std::string in_words(Value value) {
  std::array<char, 32> text{};
  switch (value.shape) {
    case Value::Shape::natural:
      return std::to_string(value.bits);
    case Value::Shape::integer:
      return std::to_string(static_cast<std::int64_t>(value.bits));
    case Value::Shape::truth:
      return value.bits != 0 ? "true" : "false";
    case Value::Shape::real4:
      std::snprintf(
          text.data(), text.size(), "%g",
          static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(value.bits))));
      return text.data();
    case Value::Shape::real8:
      std::snprintf(text.data(), text.size(), "%g", std::bit_cast<double>(value.bits));
      return text.data();
    case Value::Shape::address:
      if (value.bits == 0) return "null";
      std::snprintf(text.data(), text.size(), "0x%llx",
                    static_cast<unsigned long long>(value.bits));
      return text.data();
  }
  return "?";
}

// "Lock.acquire" → "acquire".
std::string_view verb_of(std::string_view operation) {
  const std::size_t dot = operation.find('.');
  return dot == operation.npos ? operation : operation.substr(dot + 1);
}

std::vector<std::uintptr_t> call_addresses() {
  std::vector<std::uintptr_t> calls(48);
  calls.resize(platform::capture_stack(calls));
  return calls;
}

}  // namespace

Story::Entry* Story::current(unsigned thread) {
  for (auto it = entries_.rbegin(); it != entries_.rend(); ++it) {
    if (it->thread == thread) return &*it;
  }
  return nullptr;
}

void Story::announced(unsigned thread) {
  const Unobserved here;
  if (calls_.size() <= thread) calls_.resize(thread + 1);
  calls_[thread] = call_addresses();
}

void Story::step(unsigned thread, const Step& step, std::int64_t time, bool resumes) {
  const Unobserved here;
  threads_ = std::max(threads_, thread + 1);
  names().of_thread(thread);
  Entry entry{};
  entry.thread = thread;
  entry.number = scheduler().steps();
  entry.time = time - beginning;
  entry.address = step.object;
  const std::string_view name = step.name;
  entry.is_dull = name == "begin" || name == "Thread.end";
  entry.object = names().of_object(step.object, step.name);
  entry.verb = verb_of(name);
  if (resumes) entry.verb = "goes on: " + entry.verb;
  if (thread < calls_.size()) entry.calls = calls_[thread];
  entries_.push_back(std::move(entry));
}

void Story::waits(unsigned thread) {
  const Unobserved here;
  if (Entry* entry = current(thread)) entry->waits = true;
}

void Story::timed_out(unsigned thread) {
  const Unobserved here;
  if (Entry* entry = current(thread)) entry->outcome += ", until it times out";
}

void Story::read(const void* object, Value value) {
  const Unobserved here;
  Entry* entry = current(scheduler().running().index);
  if (entry == nullptr || entry->address != object) return;
  entry->outcome += " → " + in_words(value);
}

void Story::written(const void* object, Value before, Value value) {
  const Unobserved here;
  Entry* entry = current(scheduler().running().index);
  if (entry == nullptr || entry->address != object) return;
  const bool tells_both = entry->verb != "store" && entry->verb != "write";
  entry->outcome +=
      tells_both ? ": " + in_words(before) + " → " + in_words(value) : " ← " + in_words(value);
}

void Story::operation(const Step& step) {
  const Unobserved here;
  Entry entry{};
  entry.thread = scheduler().running().index;
  entry.number = scheduler().steps();
  entry.time = scheduler().now() - beginning;
  entry.verb = "(" + std::string(verb_of(step.name));
  entry.object = names().of_object(step.object, step.name) + ")";
  entry.calls = call_addresses();
  entries_.push_back(std::move(entry));
}

std::vector<StoryStep> Story::told() const {
  std::vector<StoryStep> steps;
  for (const Entry& entry : entries_) {
    if (entry.is_dull) continue;
    StoryStep step;
    step.thread = entry.thread;
    step.text = entry.verb;
    if (!entry.object.empty()) step.text += " " + entry.object;
    step.text += entry.outcome;
    if (entry.waits) step.text += " (waits)";
    step.where = platform::user_line(entry.calls);
    step.time = static_cast<double>(entry.time) * 1e-9;
    steps.push_back(std::move(step));
  }
  return steps;
}

std::string Story::who_and_where(std::uint32_t step_number) const {
  for (const Entry& entry : entries_) {
    if (entry.number != step_number || entry.verb.starts_with("(")) continue;
    std::string text = entry.verb + " by " + names().of_thread(entry.thread);
    const std::string line = platform::user_line(entry.calls);
    return line.empty() ? text : text + " at " + line;
  }
  return "an access";
}

std::vector<std::string> Story::thread_names() const {
  std::vector<std::string> all;
  for (unsigned i = 0; i < threads_; ++i) all.push_back(names().of_thread(i));
  return all;
}

}  // namespace tutti::inline TUTTI_ABI::explore
