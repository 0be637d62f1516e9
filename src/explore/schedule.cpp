#include "explore/schedule.h"

#include <charconv>

namespace tutti::inline TUTTI_ABI::explore {

std::uint64_t Schedule::hash() const noexcept {
  // FNV-1a.
  std::uint64_t hash = 14695981039346656037u;
  const auto add = [&hash](std::uint64_t value) { hash = (hash ^ value) * 1099511628211u; };
  for (const Segment& segment : segments)
    add(segment.steps * platform::exploring::most_threads + segment.thread);
  for (const std::uint8_t value : values) add(value);
  return hash;
}

std::string Schedule::to_text() const {
  std::string text;
  for (const Segment& segment : segments) {
    if (!text.empty()) text += '.';
    text += std::to_string(segment.thread) + ":" + std::to_string(segment.steps);
  }
  std::size_t used = values.size();
  while (used > 0 && values[used - 1] == 0) --used;
  for (std::size_t i = 0; i < used; ++i) {
    text += (i == 0 ? "/" : ".") + std::to_string(values[i]);
  }
  return text;
}

namespace {

// Reads a number and what ends it: one of `ends`, or nothing at the end of the text.
template <typename Number>
bool take(std::string_view& text, Number& number, char end) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  if (text.empty()) return true;
  if (text.front() != end) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<Schedule> Schedule::from_text(std::string_view text) {
  Schedule schedule;
  const std::size_t slash = text.find('/');
  std::string_view steps = text.substr(0, slash);
  std::string_view chosen = slash == text.npos ? "" : text.substr(slash + 1);
  while (!steps.empty()) {
    Segment segment{};
    if (!take(steps, segment.thread, ':') || !take(steps, segment.steps, '.')) return std::nullopt;
    if (segment.thread >= platform::exploring::most_threads || segment.steps == 0) {
      return std::nullopt;
    }
    schedule.segments.push_back(segment);
  }
  while (!chosen.empty()) {
    std::uint8_t value = 0;
    if (!take(chosen, value, '.')) return std::nullopt;
    schedule.values.push_back(value);
  }
  return schedule;
}

}  // namespace tutti::inline TUTTI_ABI::explore
