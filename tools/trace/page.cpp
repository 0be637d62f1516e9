#include "trace/page.h"

#include <fmt/core.h>
#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <nlohmann/json.hpp>

#include "trace/page_parts.h"

namespace trace {

namespace {

using Json = nlohmann::json;

constexpr std::size_t threads_named = 3;
constexpr std::size_t most_rows = 100;

std::string escaped(const std::string& text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

// --- what the script draws -----------------------------------------------------------------------

// Numbers in a row, as a page with a hundred thousand objects would take long to load: begin,
// length, state, subject, holder.
Json flat(const std::vector<Slice>& slices) {
  Json numbers = Json::array();
  for (const Slice& slice : slices) {
    numbers.push_back(slice.begin);
    numbers.push_back(slice.length());
    numbers.push_back(static_cast<int>(slice.state));
    numbers.push_back(slice.subject);
    numbers.push_back(slice.holder == Slice::nobody ? -1 : static_cast<std::int64_t>(slice.holder));
  }
  return numbers;
}

Json flat(const std::vector<Flow>& flows) {
  Json numbers = Json::array();
  for (const Flow& flow : flows) {
    numbers.push_back(flow.from);
    numbers.push_back(flow.sent);
    numbers.push_back(flow.to);
    numbers.push_back(flow.arrived);
    numbers.push_back(flow.name == "hand-over" ? 1 : flow.name == "notify" ? 2 : 0);
  }
  return numbers;
}

std::string drawn(const Timeline& timeline) {
  Json whole = {{"length", timeline.length()}, {"flows", flat(timeline.flows)}};
  for (std::size_t state = 0; state < state_count; ++state) {
    whole["states"].push_back(to_string(static_cast<State>(state)));
  }
  whole["subjects"] = Json::array();
  for (const Subject& subject : timeline.subjects) whole["subjects"].push_back(subject.name);
  whole["threads"] = Json::array();
  for (const Thread& thread : timeline.threads) {
    Json marks = Json::array();
    for (const Mark& mark : thread.marks) marks.push_back({mark.when, mark.text});
    whole["threads"].push_back({{"name", thread.name},
                                {"number", thread.number},
                                {"slices", flat(thread.slices)},
                                {"inner", flat(thread.inner)},
                                {"marks", std::move(marks)}});
  }
  std::string text = whole.dump();
  // So that no text can end the element that it stands in.
  std::string safe;
  for (const char c : text) c == '<' ? safe += "\\u003c" : safe += c;
  return safe;
}

// --- tables --------------------------------------------------------------------------------------

std::string cell(const std::string& html) {
  return "<td>" + html + "</td>";
}
std::string number(const std::string& text) {
  return "<td class=\"number\">" + text + "</td>";
}
std::string time(std::int64_t nanoseconds) {
  return number(readable_time(nanoseconds));
}

std::string time_or_nothing(std::int64_t nanoseconds) {
  return nanoseconds == 0 ? number("") : time(nanoseconds);
}

std::string head(std::initializer_list<const char*> titles) {
  std::string row = "<thead><tr>";
  for (const char* title : titles) row += fmt::format("<th scope=\"col\">{}</th>", title);
  return row + "</tr></thead>";
}

std::string blocked_row(const Timeline& timeline, const BlockedBy& blocked) {
  const Subject& subject = timeline.subjects[blocked.subject];
  std::string threads;
  const std::size_t named = std::min(blocked.by_thread.size(), threads_named);
  for (std::size_t i = 0; i < named; ++i) {
    const auto& [thread, total] = blocked.by_thread[i];
    threads += fmt::format("{}{} {}", i == 0 ? "" : ", ", escaped(timeline.threads[thread].name),
                           readable_time(total));
  }
  if (const std::size_t others = blocked.by_thread.size() - named; others > 0) {
    threads += fmt::format(" and {} more", others);
  }
  return fmt::format(
      "<tr><td><button type=\"button\" aria-pressed=\"false\" data-subject=\"{}\">{}</button></td>"
      "{}{}{}{}</tr>\n",
      blocked.subject, escaped(subject.name), time(blocked.total),
      number(std::to_string(blocked.count)), time(blocked.longest), cell(threads));
}

std::string longest_row(const Timeline& timeline, const LongWait& wait) {
  const std::string holder =
      wait.slice.holder == Slice::nobody ? "" : escaped(timeline.threads[wait.slice.holder].name);
  return fmt::format(
      "<tr>{}<td><button type=\"button\" data-thread=\"{}\" data-begin=\"{}\" "
      "data-end=\"{}\">{}</button></td>{}{}{}</tr>\n",
      time(wait.slice.length()), wait.thread, wait.slice.begin, wait.slice.end,
      escaped(timeline.subjects[wait.slice.subject].name),
      cell(escaped(timeline.threads[wait.thread].name)), cell(holder), time(wait.slice.begin));
}

std::string thread_row(const Thread& thread, const ThreadTotal& total) {
  const auto in = [&total](State state) { return total.in_state[static_cast<std::size_t>(state)]; };
  const std::int64_t life = thread.end() - thread.begin();
  std::string bar;
  for (const State state :
       {State::running, State::blocked, State::idle, State::sleep, State::io, State::dropped}) {
    if (in(state) == 0) continue;
    bar += fmt::format("<span class=\"{}\" style=\"width:{:.2f}%\"></span>", to_string(state),
                       100.0 * static_cast<double>(in(state)) / static_cast<double>(life));
  }
  return fmt::format(
      "<tr>{}{}{}{}{}{}{}{}<td><div class=\"bar\" aria-hidden=\"true\">{}</div></td></tr>\n",
      cell(escaped(thread.name)), time(life), time_or_nothing(in(State::running)),
      time_or_nothing(in(State::blocked)), time_or_nothing(in(State::idle)),
      time_or_nothing(in(State::sleep)), time_or_nothing(in(State::io)),
      number(std::to_string(total.waits)), bar);
}

std::string tables(const Timeline& timeline, const Summary& summary) {
  std::string html = "<section><h2>Blocked by</h2>\n";
  if (summary.blocked_by.empty()) {
    html += "<p>No thread was blocked.</p>\n";
  } else {
    html += "<p>Press a name to see it alone in the timeline.</p>\n<table id=\"blocked-by\">" +
            head({"what", "total", "waits", "longest", "by thread"}) + "<tbody>\n";
    const std::size_t rows = std::min(summary.blocked_by.size(), most_rows);
    for (std::size_t i = 0; i < rows; ++i) html += blocked_row(timeline, summary.blocked_by[i]);
    html += "</tbody></table>\n";
    if (const std::size_t others = summary.blocked_by.size() - rows; others > 0) {
      std::int64_t total = 0;
      for (std::size_t i = rows; i < summary.blocked_by.size(); ++i) {
        total += summary.blocked_by[i].total;
      }
      html += fmt::format("<p>And {} more, for {} together.</p>\n", others, readable_time(total));
    }
  }
  html += "</section>\n<section><h2>Longest waits</h2>\n";
  if (summary.longest.empty()) {
    html += "<p>There were none.</p>\n";
  } else {
    html += "<p>Press one to go there.</p>\n<table id=\"longest\">" +
            head({"length", "for", "thread", "held by or joined", "at"}) + "<tbody>\n";
    for (const LongWait& wait : summary.longest) html += longest_row(timeline, wait);
    html += "</tbody></table>\n";
  }
  html +=
      "</section>\n<section><h2>Threads</h2>\n<table id=\"threads\">" +
      head({"thread", "life", "running", "blocked", "idle", "sleep", "I/O", "waits", "shares"}) +
      "<tbody>\n";
  for (std::size_t i = 0; i < timeline.threads.size(); ++i) {
    html += thread_row(timeline.threads[i], summary.threads[i]);
  }
  return html + "</tbody></table></section>\n";
}

std::string facts(const Timeline& timeline) {
  std::size_t slices = 0;
  for (const Thread& thread : timeline.threads) slices += thread.slices.size();
  std::string text = fmt::format(
      "{} &middot; {} threads &middot; {} states &middot; {} wakes and hand-overs",
      readable_time(timeline.length()), timeline.threads.size(), slices, timeline.flows.size());
  if (timeline.dropped_events + timeline.dropped_threads > 0) {
    text += fmt::format(
        "<br><strong>Not all was kept:</strong> {} older events and {} threads that had ended were "
        "dropped for want of room (TUTTI_TRACE_EVENTS gives more).",
        timeline.dropped_events, timeline.dropped_threads);
  }
  return text;
}

// Replaces each @KEY@ of the page's frame; the frame is ours, so each is there once.
void put(std::string& frame, const std::string& key, const std::string& value) {
  frame.replace(frame.find("@" + key + "@"), key.size() + 2, value);
}

}  // namespace

std::string page(const Timeline& timeline, const Summary& summary) {
  std::string html = page_frame;
  // From the end, so that nothing is looked for in what came from the timeline.
  put(html, "SCRIPT", page_script);
  put(html, "TRACE", drawn(timeline));
  put(html, "TABLES", tables(timeline, summary));
  put(html, "FACTS", facts(timeline));
  put(html, "PROGRAM", escaped(timeline.program));
  put(html, "STYLE", page_style);
  put(html, "TITLE", escaped(timeline.program));
  return html;
}

}  // namespace trace
