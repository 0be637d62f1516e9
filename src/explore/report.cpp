// Results and failures in words: for people in columns, for programs as JSON.
#include <algorithm>
#include <array>
#include <cstdio>
#include <ostream>
#include <string_view>

#include "tutti/explore.h"

namespace tutti::inline TUTTI_ABI::explore {

namespace {

constexpr std::size_t most_rows = 200;

// Columns, not bytes: arrows take three bytes and one column.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string padded(std::string text, std::size_t width) {
  const std::size_t has = width_of(text);
  if (has < width) text.append(width - has, ' ');
  return text;
}

std::string count(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string formatted(const char* format, double value) {
  std::array<char, 48> text;
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string quoted(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (c == '\n') {
      json += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escaped;
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x", static_cast<unsigned>(c));
      json += escaped.data();
    } else {
      json += c;
    }
  }
  return json + '"';
}

bool is_same(const StoryStep& a, const StoryStep& b) {
  return a.thread == b.thread && a.text == b.text && a.where == b.where;
}

// The number of steps that repeat at the end of a story without end; 0 when none is found.
std::size_t period_of(const std::vector<StoryStep>& story) {
  constexpr std::size_t times = 4;
  for (std::size_t period = 1; period <= 100 && times * period <= story.size(); ++period) {
    const std::size_t begin = story.size() - (times - 1) * period;
    bool repeats = true;
    for (std::size_t i = begin; i < story.size() && repeats; ++i) {
      repeats = is_same(story[i], story[i - period]);
    }
    if (repeats) return period;
  }
  return 0;
}

// Where to begin with a story that is too long: a loop is told once.
std::size_t rows_skipped(const Failure& failure, std::size_t period) {
  const std::size_t shown = period > 0 ? period : most_rows;
  return failure.story.size() > most_rows ? failure.story.size() - shown : 0;
}

// One column a thread, as many as have steps.
std::string columns(const Failure& failure) {
  const std::size_t period = failure.kind == FailureKind::livelock ? period_of(failure.story) : 0;
  const std::size_t skipped = rows_skipped(failure, period);
  std::vector<std::size_t> widths(failure.threads.size(), 0);
  bool has_time = false;
  for (std::size_t i = skipped; i < failure.story.size(); ++i) {
    const StoryStep& step = failure.story[i];
    if (step.thread >= widths.size()) widths.resize(step.thread + 1, 0);
    widths[step.thread] = std::max(widths[step.thread], width_of(step.text));
    has_time = has_time || step.time != 0;
  }
  const auto name = [&](std::size_t thread) {
    return thread < failure.threads.size() ? failure.threads[thread]
                                           : "thread " + std::to_string(thread);
  };
  std::string text = padded("", has_time ? 12 : 6);
  for (std::size_t thread = 0; thread < widths.size(); ++thread) {
    if (widths[thread] == 0) continue;
    widths[thread] = std::max(widths[thread], width_of(name(thread)));
    text += padded(name(thread), widths[thread] + 2);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  text += "\n";
  if (skipped > 0) text += "      … " + std::to_string(skipped) + " steps before\n";
  if (period > 0) text += "      … these repeat:\n";
  for (std::size_t i = skipped; i < failure.story.size(); ++i) {
    const StoryStep& step = failure.story[i];
    const std::string step_number = std::to_string(i + 1);
    std::string row = padded("", step_number.size() < 4 ? 4 - step_number.size() : 0);
    row += step_number + "  ";
    if (has_time) row += padded(step.time == 0 ? "" : formatted("%.3g s", step.time), 6);
    for (std::size_t thread = 0; thread < widths.size(); ++thread) {
      if (widths[thread] == 0) continue;
      row += padded(thread == step.thread ? step.text : "", widths[thread] + 2);
    }
    row += step.where;
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  }
  return text;
}

}  // namespace

std::string Failure::to_string() const {
  std::string text = std::string(explore::to_string(kind)) + ": " + message + "\n\n";
  if (!story.empty()) text += columns(*this) + "\n";
  text += "found in schedule " + count(schedule) + "; " + std::to_string(switches) +
          (switches == 1 ? " context switch" : " context switches");
  if (switches < switches_found) text += " (shrunk from " + std::to_string(switches_found) + ")";
  if (!replay.empty()) text += "\nrun it again with TUTTI_REPLAY='" + replay + "'";
  return text + "\n";
}

std::string Failure::to_json() const {
  std::string json =
      "{\"kind\":" + quoted(explore::to_string(kind)) + ",\"message\":" + quoted(message) +
      ",\"schedule\":" + std::to_string(schedule) + ",\"switches\":" + std::to_string(switches) +
      ",\"switches_found\":" + std::to_string(switches_found) + ",\"replay\":" + quoted(replay) +
      ",\"threads\":[";
  for (std::size_t i = 0; i < threads.size(); ++i) {
    json += (i == 0 ? "" : ",") + quoted(threads[i]);
  }
  json += "],\"story\":[";
  for (std::size_t i = 0; i < story.size(); ++i) {
    const StoryStep& step = story[i];
    json += std::string(i == 0 ? "" : ",") + "{\"thread\":" + std::to_string(step.thread) +
            ",\"text\":" + quoted(step.text) + ",\"where\":" + quoted(step.where) +
            ",\"time\":" + formatted("%.9g", step.time) + "}";
  }
  return json + "]}";
}

std::string Result::to_string() const {
  std::string text = name + ": " + count(schedules) + (schedules == 1 ? " schedule" : " schedules");
  if (exhausted) text += polling_cut ? ", all there are but for longer polling" : ", all there are";
  if (cut_short > 0) text += " (" + count(cut_short) + " more cut short as repetitions)";
  text += ", " + formatted("%.3g", seconds) + " s";
  return failure ? text + "\n" + failure->to_string() : text + ": no failure";
}

std::string Result::to_json() const {
  return "{\"name\":" + quoted(name) + ",\"schedules\":" + std::to_string(schedules) +
         ",\"cut_short\":" + std::to_string(cut_short) +
         ",\"distinct\":" + std::to_string(distinct) +
         ",\"exhausted\":" + (exhausted ? "true" : "false") +
         ",\"polling_cut\":" + (polling_cut ? "true" : "false") +
         ",\"steps\":" + std::to_string(steps) + ",\"seconds\":" + formatted("%.6g", seconds) +
         ",\"failure\":" + (failure ? failure->to_json() : "null") + "}";
}

std::ostream& operator<<(std::ostream& stream, const Result& result) {
  return stream << result.to_string();
}

}  // namespace tutti::inline TUTTI_ABI::explore
