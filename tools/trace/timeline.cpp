#include "trace/timeline.h"

#include <fmt/core.h>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace trace {

namespace {

using Json = nlohmann::json;

constexpr const char* state_names[state_count] = {"running", "blocked", "sleep", "io",
                                                  "idle",    "dropped", "asleep"};

std::optional<State> state_of(const std::string& name) {
  const auto* const found = std::find(std::begin(state_names), std::end(state_names), name);
  if (found == std::end(state_names)) return std::nullopt;
  return static_cast<State>(found - std::begin(state_names));
}

/// What is wrong with one event.
struct BadEvent : std::runtime_error {
  using std::runtime_error::runtime_error;
};

const Json& member(const Json& event, const char* key) {
  const auto found = event.find(key);
  if (found == event.end()) throw BadEvent(fmt::format("has no \"{}\"", key));
  return *found;
}

std::string text(const Json& event, const char* key) {
  const Json& value = member(event, key);
  if (!value.is_string()) throw BadEvent(fmt::format("\"{}\" is no text", key));
  return value.get<std::string>();
}

std::string text_or_nothing(const Json& event, const char* key) {
  return event.contains(key) ? text(event, key) : std::string();
}

std::int64_t integer(const Json& event, const char* key) {
  const Json& value = member(event, key);
  if (!value.is_number_integer()) throw BadEvent(fmt::format("\"{}\" is no whole number", key));
  return value.get<std::int64_t>();
}

// The file has microseconds.
std::int64_t nanoseconds(const Json& event, const char* key) {
  const Json& value = member(event, key);
  if (!value.is_number()) throw BadEvent(fmt::format("\"{}\" is no number", key));
  constexpr double longest = 1e15;  // Thirty years.
  const auto microseconds = value.get<double>();
  if (!(microseconds >= 0 && microseconds <= longest)) {
    throw BadEvent(fmt::format("\"{}\" is {}, which is no time", key, microseconds));
  }
  return std::llround(microseconds * 1000);
}

/// Takes events in as the parser comes to them, so that the file need not be held as a whole.
class Reader {
 public:
  void take(const Json& event) {
    if (!event.is_object()) throw BadEvent("is no object");
    const std::string phase = text(event, "ph");
    if (phase == "M") return name_thread(event);
    if (phase == "X") return add_slice(event);
    if (phase == "i") return add_mark(event);
    if (phase == "s" || phase == "f") return add_end_of_flow(event, phase == "s");
    throw BadEvent(fmt::format("\"ph\" is \"{}\", which no timeline of tutti's has", phase));
  }

  Timeline finish() {
    for (Thread& thread : timeline_.threads) nest(thread);
    for (auto& [number, flow] : flows_) {
      if (!flow.is_whole()) throw BadEvent(fmt::format("flow {} has one end only", number));
      timeline_.flows.push_back(std::move(flow.flow));
    }
    std::sort(timeline_.flows.begin(), timeline_.flows.end(),
              [](const Flow& a, const Flow& b) { return a.sent < b.sent; });
    for (auto& [slice, number] : holders_) {
      const auto found = threads_.find(number);
      if (found != threads_.end()) slice_at(slice).holder = found->second;
    }
    split();
    return std::move(timeline_);
  }

 private:
  struct HalfFlow {
    Flow flow;
    bool is_sent = false;
    bool has_arrived = false;
    bool is_whole() const { return is_sent && has_arrived && flow.sent <= flow.arrived; }
  };
  /// Thread and place in its slices.
  using Place = std::pair<std::size_t, std::size_t>;

  void name_thread(const Json& event) {
    if (text(event, "name") != "thread_name") return;
    Thread& thread = timeline_.threads[thread_of(event)];
    thread.name = text(member(event, "args"), "name");
  }

  std::size_t thread_of(const Json& event) {
    const std::int64_t number = integer(event, "tid");
    const auto [found, is_new] = threads_.emplace(number, timeline_.threads.size());
    if (is_new) {
      timeline_.threads.emplace_back();
      timeline_.threads.back().number = number;
      timeline_.threads.back().name = fmt::format("thread {}", number);
    }
    return found->second;
  }

  std::size_t subject_of(Subject subject) {
    const auto [found, is_new] =
        subjects_.emplace(std::pair(subject.name, subject.object), timeline_.subjects.size());
    if (is_new) timeline_.subjects.push_back(std::move(subject));
    return found->second;
  }

  void add_slice(const Json& event) {
    const std::string category = text(event, "cat");
    const std::optional<State> state = state_of(category);
    if (!state) throw BadEvent(fmt::format("\"cat\" is \"{}\", which is no state", category));
    Subject subject{text(event, "name"), ""};
    const std::size_t thread = thread_of(event);
    std::vector<Slice>& slices = timeline_.threads[thread].slices;
    if (const auto args = event.find("args"); args != event.end()) {
      subject.object = text_or_nothing(*args, "object");
      for (const char* key : {"holder_tid", "joined_tid"}) {
        // It may come later in the file.
        if (args->contains(key)) {
          holders_.emplace_back(Place(thread, slices.size()), integer(*args, key));
        }
      }
    }
    const std::int64_t begin = nanoseconds(event, "ts");
    slices.push_back({begin, begin + nanoseconds(event, "dur"), *state,
                      subject_of(std::move(subject)), Slice::nobody});
  }

  void add_mark(const Json& event) {
    timeline_.threads[thread_of(event)].marks.push_back(
        {nanoseconds(event, "ts"), text(event, "name")});
  }

  void add_end_of_flow(const Json& event, bool is_begin) {
    HalfFlow& half = flows_[integer(event, "id")];
    if (is_begin ? half.is_sent : half.has_arrived) {
      throw BadEvent(
          fmt::format("is the second of the same kind of flow {}", integer(event, "id")));
    }
    half.flow.name = text(event, "name");
    (is_begin ? half.is_sent : half.has_arrived) = true;
    (is_begin ? half.flow.from : half.flow.to) = thread_of(event);
    (is_begin ? half.flow.sent : half.flow.arrived) = nanoseconds(event, "ts");
  }

  Slice& slice_at(const Place& place) {
    return timeline_.threads[place.first].slices[place.second];
  }

  // The page takes it for granted that a slice lies beside another one or inside of it.
  static void nest(const Thread& thread) {
    std::vector<const Slice*> around;
    std::int64_t reached = 0;
    for (const Slice& slice : thread.slices) {
      while (!around.empty() && around.back()->end <= slice.begin &&
             around.back()->end < slice.end) {
        around.pop_back();
      }
      const std::int64_t limit = around.empty() ? INT64_MAX : around.back()->end;
      if (slice.begin < reached || slice.end > limit) {
        throw BadEvent(fmt::format("slices of thread {} overlap at {} us", thread.number,
                                   static_cast<double>(slice.begin) / 1000));
      }
      reached = slice.begin;
      around.push_back(&slice);
    }
  }

  void split() {
    for (Thread& thread : timeline_.threads) {
      std::vector<Slice> outer;
      for (const Slice& slice : thread.slices) {
        const bool is_inside =
            !outer.empty() && slice.begin < outer.back().end && slice.end <= outer.back().end;
        (is_inside || slice.state == State::asleep ? thread.inner : outer).push_back(slice);
      }
      thread.slices = std::move(outer);
    }
  }

  Timeline timeline_;
  std::map<std::int64_t, std::size_t> threads_;
  std::map<std::pair<std::string, std::string>, std::size_t> subjects_;
  std::map<std::int64_t, HalfFlow> flows_;
  std::vector<std::pair<Place, std::int64_t>> holders_;
};

// nlohmann's messages begin with a number of its own.
std::string reason(const Json::exception& error) {
  const std::string text = error.what();
  const std::size_t end = text.find("] ");
  return end == std::string::npos ? text : text.substr(end + 2);
}

}  // namespace

const char* to_string(State state) {
  return state_names[static_cast<std::size_t>(state)];
}

std::int64_t Timeline::length() const {
  std::int64_t end = 0;
  for (const Thread& thread : threads) end = std::max(end, thread.end());
  return end;
}

Timeline read(const std::filesystem::path& file) {
  const auto fail = [&file](const std::string& why) {
    throw std::runtime_error(fmt::format("{}: {}", file.string(), why));
  };
  std::ifstream stream(file, std::ios::binary);
  std::error_code none;
  if (!stream || std::filesystem::is_directory(file, none)) fail("can't be read");

  if (stream.peek() == std::ifstream::traits_type::eof()) {
    fail("is empty: its program is still running, or was ended before it could write");
  }

  Reader reader;
  std::string key;
  std::size_t number = 0;
  std::optional<std::string> bad_event;
  // At depth 0 there are the keys of the whole, at depth 2 the events.
  const auto on_event = [&](int depth, Json::parse_event_t what, Json& parsed) {
    if (depth == 1 && what == Json::parse_event_t::key) key = parsed.get<std::string>();
    const bool is_begin =
        what == Json::parse_event_t::object_start || what == Json::parse_event_t::array_start;
    if (depth != 2 || key != "traceEvents" || is_begin) return true;
    ++number;
    try {
      if (!bad_event) reader.take(parsed);
    } catch (const BadEvent& error) {
      bad_event = fmt::format("event {} {}", number, error.what());
    }
    return false;
  };
  try {
    const Json whole = Json::parse(stream, on_event);
    const Json other = whole.is_object() ? whole.value("otherData", Json()) : Json();
    if (!other.is_object() || other.value("producer", Json()) != "tutti" ||
        !whole.contains("traceEvents")) {
      fail("is no timeline of tutti's: there is no \"producer\": \"tutti\" in its \"otherData\"");
    }
    if (bad_event) fail(*bad_event);
    Timeline timeline = reader.finish();
    timeline.program = text(other, "program");
    timeline.dropped_events = static_cast<std::uint64_t>(integer(other, "dropped_events"));
    timeline.dropped_threads = static_cast<std::uint64_t>(integer(other, "dropped_threads"));
    return timeline;
  } catch (const Json::exception& error) {
    fail(fmt::format("is no JSON: {}", reason(error)));
  } catch (const BadEvent& error) {
    fail(error.what());
  }
  return {};
}

}  // namespace trace
