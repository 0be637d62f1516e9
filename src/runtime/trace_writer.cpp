#include "runtime/trace_writer.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace tutti::inline TUTTI_ABI::runtime::trace {

namespace {

/// A stretch of a thread's track.
struct Slice {
  std::int64_t begin;
  std::int64_t end;
  const char* category;
  std::string name;
  Event about;
};

// A slice before those inside of it.
bool is_before(const Slice& a, const Slice& b) {
  if (a.begin != b.begin) return a.begin < b.begin;
  if (a.end != b.end) return a.end > b.end;
  return b.about.what == What::asleep && a.about.what != What::asleep;
}

/// A thread with what is drawn of it.
struct Track {
  const ThreadTrace* thread;
  std::uint32_t number;
  std::vector<Slice> slices;
  std::vector<const Event*> marks;
  /// Ends of waits and of the sleeps in them, ascending: where wakes arrive.
  std::vector<std::pair<std::int64_t, std::int64_t>> arrivals;  // When, and the slice's begin.
};

/// From one thread to another.
struct Flow {
  const char* name;
  const Track* from;
  std::int64_t sent;
  const Track* to;
  std::int64_t arrived;
};

const char* category_of(const Event& event) {
  if (event.what == What::asleep) return "asleep";
  switch (event.kind) {
    case WaitKind::sleep:
      return "sleep";
    case WaitKind::io:
      return "io";
    case WaitKind::work:
      return "idle";
    default:
      return "blocked";
  }
}

std::string address(const void* object) {
  char text[32];
  std::snprintf(text, sizeof text, "%p", object);
  return text;
}

// --- making tracks -------------------------------------------------------------------------------

class Tracks {
 public:
  explicit Tracks(const Timeline& timeline) : timeline_(timeline) {
    number_threads();
    collect_moves();
    for (Track& track : tracks_) fill(track);
    collect_flows();
  }

  const std::vector<Track>& all() const { return tracks_; }
  const std::vector<Flow>& flows() const { return flows_; }

  std::string text(std::uint16_t number) const {
    return number < timeline_.texts.size() ? timeline_.texts[number] : std::string();
  }

  // Ids are given to new threads again.
  const Track* owner_of(ThreadId id, std::int64_t when) const {
    const auto found = by_id_.find(id);
    if (id == 0 || found == by_id_.end()) return nullptr;
    for (const Track* track : found->second) {
      if (track->thread->end >= when) return track;
    }
    return found->second.back();
  }

 private:
  // The kernel's numbers, so that other tools' output can be compared; but no number twice.
  void number_threads() {
    std::set<std::uint32_t> taken;
    std::uint32_t substitute = 1u << 22;  // The kernel gives none as high as that.
    tracks_.reserve(timeline_.threads.size());
    for (const ThreadTrace& thread : timeline_.threads) {
      const bool is_new = taken.insert(thread.kernel_id).second;
      tracks_.push_back({&thread, is_new ? thread.kernel_id : ++substitute, {}, {}, {}});
    }
    for (const Track& track : tracks_) by_id_[track.thread->id].push_back(&track);
  }

  void collect_moves() {
    for (const ThreadTrace& thread : timeline_.threads) {
      for (const Event& event : thread.events) {
        if (event.what != What::moved) continue;
        if (const Track* moved = owner_of(event.thread, event.begin)) {
          moves_[moved].push_back(event);
        }
      }
    }
    for (auto& [track, moves] : moves_) {
      std::sort(moves.begin(), moves.end(),
                [](const Event& a, const Event& b) { return a.begin < b.begin; });
    }
  }

  void fill(Track& track) {
    for (const Event& recorded : track.thread->events) {
      Event event = recorded;
      // What began before the recording has its name from another one.
      if (event.begin != 0 && event.begin < timeline_.begin) event.text = 0;
      event.begin = std::max(event.begin, track.thread->begin);
      event.end = std::min(event.end, track.thread->end);
      if (event.begin > event.end) continue;
      if (event.what == What::wait || event.what == What::asleep) {
        track.arrivals.emplace_back(event.end, event.begin);
      }
      if (event.what == What::wait) {
        add_in_parts(track, event);
      } else if (event.what == What::asleep || event.what == What::io) {
        add(track, event);
      } else if (event.what == What::mark) {
        track.marks.push_back(&recorded);
      }
    }
    std::sort(track.arrivals.begin(), track.arrivals.end());
    fill_gaps(track);
    std::stable_sort(track.slices.begin(), track.slices.end(), is_before);
  }

  // Who is notified waits for the condition before, and for its lock after that.
  void add_in_parts(Track& track, Event wait) {
    const std::vector<Event>& moves = moves_[&track];
    const auto move =
        std::lower_bound(moves.begin(), moves.end(), wait.begin,
                         [](const Event& event, std::int64_t when) { return event.begin < when; });
    if (move != moves.end() && move->begin <= wait.end && move->kind != wait.kind) {
      cut_sleep(track, move->begin);
      add(track,
          {wait.begin, move->begin, wait.object, What::wait, wait.kind, wait.text, wait.thread});
      wait = {move->begin, wait.end, move->object, What::wait, move->kind, move->text, 0};
    }
    add(track, wait);
  }

  // A sleep is recorded before the wait that it is a part of.
  static void cut_sleep(Track& track, std::int64_t when) {
    for (auto sleep = track.slices.rbegin(); sleep != track.slices.rend(); ++sleep) {
      if (sleep->end <= when) return;
      if (sleep->about.what != What::asleep || sleep->begin >= when) continue;
      Slice rest = *sleep;
      rest.begin = sleep->end = when;
      track.slices.push_back(rest);
      return;
    }
  }

  void add(Track& track, const Event& event) {
    track.slices.push_back({event.begin, event.end, category_of(event), name_of(event), event});
  }

  std::string name_of(const Event& event) const {
    if (event.what == What::asleep) return "asleep";
    std::string name = to_string(event.kind);
    if (event.kind == WaitKind::join) {
      const Track* joined = owner_of(event.thread, event.begin);
      return name + " of " + (joined == nullptr ? "a thread" : joined->thread->name);
    }
    if (const std::string own = text(event.text); !own.empty()) return name + " '" + own + "'";
    return event.object == nullptr ? name : name + " at " + address(event.object);
  }

  void fill_gaps(Track& track) {
    std::vector<std::pair<std::int64_t, std::int64_t>> filled;
    for (const Slice& slice : track.slices) {
      if (slice.about.what != What::asleep) filled.emplace_back(slice.begin, slice.end);
    }
    std::sort(filled.begin(), filled.end());
    std::int64_t from = track.thread->begin;
    if (track.thread->dropped > 0) {
      const std::int64_t known = filled.empty() ? track.thread->end : filled.front().first;
      add_gap(track, from, known, "dropped", "not recorded");
      from = known;
    }
    for (const auto& [begin, end] : filled) {
      add_gap(track, from, begin, "running", "running");
      from = std::max(from, end);
    }
    add_gap(track, from, track.thread->end, "running", "running");
  }

  static void add_gap(Track& track, std::int64_t begin, std::int64_t end, const char* category,
                      const char* name) {
    if (begin < end) track.slices.push_back({begin, end, category, name, {}});
  }

  void collect_flows() {
    for (const Track& track : tracks_) {
      bool hands_over = false;
      for (const Event& event : track.thread->events) {
        if (event.what == What::handed_over) {
          hands_over = true;
          continue;
        }
        if (event.what == What::woke) {
          add_flow(hands_over ? "hand-over" : "wake", track, event);
        } else if (event.what == What::moved) {
          add_flow("notify", track, event);
        }
        hands_over = false;
      }
    }
  }

  void add_flow(const char* name, const Track& from, const Event& event) {
    const Track* to = owner_of(event.thread, event.begin);
    if (to == nullptr || event.begin < from.thread->begin) return;
    const auto arrival = std::lower_bound(to->arrivals.begin(), to->arrivals.end(),
                                          std::pair(event.begin, std::int64_t{0}));
    if (arrival == to->arrivals.end()) return;
    const auto [end, begin] = *arrival;
    const bool is_notification = event.what == What::moved;
    // Inside of the slice that ends there, unless that has no inside.
    const std::int64_t arrived =
        is_notification ? event.begin : std::max({event.begin, begin, end - 1});
    flows_.push_back({name, &from, event.begin, to, arrived});
  }

  const Timeline& timeline_;
  std::vector<Track> tracks_;
  std::map<ThreadId, std::vector<const Track*>> by_id_;
  std::map<const Track*, std::vector<Event>> moves_;
  std::vector<Flow> flows_;
};

// --- JSON ----------------------------------------------------------------------------------------

/// One event a line.
class Writer {
 public:
  Writer(const Timeline& timeline, std::FILE* file)
      : timeline_(timeline), tracks_(timeline), file_(file) {}

  void write() {
    put("{\n\"displayTimeUnit\": \"ns\",\n\"otherData\": {\"producer\": \"tutti\", \"program\": ");
    put(quoted(timeline_.program) + count("dropped_events", timeline_.dropped_events) +
        count("dropped_threads", timeline_.dropped_threads) + "},\n\"traceEvents\": [");
    name("process_name", timeline_.process, quoted(timeline_.program));
    std::size_t order = 0;
    for (const Track& track : tracks_.all()) {
      name("thread_name", track.number, quoted(track.thread->name));
      name("thread_sort_index", track.number, std::to_string(order++));
    }
    for (const Track& track : tracks_.all()) {
      for (const Slice& slice : track.slices) write(track, slice);
      for (const Event* mark : track.marks) write(track, *mark);
    }
    std::size_t number = 0;
    for (const Flow& flow : tracks_.flows()) write(flow, ++number);
    put("\n]\n}\n");
  }

 private:
  void put(const std::string& text) { std::fwrite(text.data(), 1, text.size(), file_); }

  static std::string count(const char* what, std::uint64_t number) {
    return std::string(", \"") + what + "\": " + std::to_string(number);
  }

  // Microseconds since the recording began.
  static std::string microseconds(std::int64_t nanoseconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%lld.%03d", static_cast<long long>(nanoseconds / 1000),
                  static_cast<int>(nanoseconds % 1000));
    return text;
  }
  std::string time(std::int64_t when) const {
    return microseconds(std::max<std::int64_t>(when - timeline_.begin, 0));
  }

  // What all events have, the last comma included.
  void open(const char* phase, std::uint32_t thread, const std::string& name) {
    put(std::exchange(separator_, ",\n"));
    put(std::string("{\"ph\": \"") + phase + "\", \"pid\": " + std::to_string(timeline_.process) +
        ", \"tid\": " + std::to_string(thread) + ", \"name\": " + name);
  }

  void name(const char* what, std::uint32_t thread, const std::string& value) {
    const std::string key = what == std::string_view("thread_sort_index") ? "sort_index" : "name";
    open("M", thread, quoted(what));
    put(", \"args\": {\"" + key + "\": " + value + "}}");
  }

  void write(const Track& track, const Slice& slice) {
    open("X", track.number, quoted(slice.name));
    put(std::string(", \"cat\": \"") + slice.category + "\", \"ts\": " + time(slice.begin) +
        ", \"dur\": " + microseconds(slice.end - slice.begin));
    if (slice.about.what == What::wait && slice.about.kind != WaitKind::none) {
      put(", \"args\": {\"kind\": " + quoted(to_string(slice.about.kind)));
      if (slice.about.object != nullptr) {
        put(", \"object\": " + quoted(address(slice.about.object)));
      }
      if (const Track* holder = tracks_.owner_of(slice.about.thread, slice.begin)) {
        const char* key = slice.about.kind == WaitKind::join ? "joined" : "holder";
        put(std::string(", \"") + key + "\": " + quoted(holder->thread->name) + ", \"" + key +
            "_tid\": " + std::to_string(holder->number));
      }
      put("}");
    } else if (slice.category == std::string_view("dropped")) {
      put(", \"args\": {\"events\": " + std::to_string(track.thread->dropped) + "}");
    }
    put("}");
  }

  void write(const Track& track, const Event& mark) {
    open("i", track.number, quoted(tracks_.text(mark.text)));
    put(", \"cat\": \"mark\", \"s\": \"t\", \"ts\": " + time(mark.begin) + "}");
  }

  void write(const Flow& flow, std::size_t number) {
    const std::string common =
        ", \"cat\": \"flow\", \"id\": " + std::to_string(number) + ", \"ts\": ";
    open("s", flow.from->number, quoted(flow.name));
    put(common + time(flow.sent) + "}");
    open("f", flow.to->number, quoted(flow.name));
    put(", \"bp\": \"e\"" + common + time(flow.arrived) + "}");
  }

  const Timeline& timeline_;
  const Tracks tracks_;
  std::FILE* file_;
  const char* separator_ = "\n";
};

// --- strings -------------------------------------------------------------------------------------

// The length of the UTF-8 sequence at the begin of `text`; 0 if there is none.
std::size_t sequence_at(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Longer than need be, a surrogate, or beyond the last character.
  const bool is_bad = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
                      (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f);
  return is_bad ? 0 : length;
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string json = "\"";
  while (!text.empty()) {
    const std::size_t length = sequence_at(text);
    const char first = text[0];
    if (length == 0) {
      json += "\\ufffd";
    } else if (first == '"' || first == '\\') {
      json += {'\\', first};
    } else if (static_cast<unsigned char>(first) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(first));
      json += escape;
    } else {
      json += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return json + '"';
}

void write(const Timeline& timeline, std::FILE* file) {
  Writer(timeline, file).write();
}

}  // namespace tutti::inline TUTTI_ABI::runtime::trace
