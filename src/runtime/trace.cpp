#include "runtime/trace.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "platform/spawn.h"
#include "platform/stack.h"
#include "runtime/guard.h"
#include "runtime/names.h"
#include "runtime/settings.h"
#include "runtime/trace_writer.h"
#include "tutti/errors.h"

// A program may define it, to say whether TUTTI_TRACE in its environment is meant for others, which
// it executes or looks at: `tutti run` would leave an empty file, `tutti trace report` empty the
// one that it is to read. Asked before main() begins.
extern "C" [[gnu::weak]] bool tutti_leaves_trace_to_others() noexcept;

namespace tutti::inline TUTTI_ABI::runtime::trace {

constinit platform::hint<bool> is_recording{false};

namespace {

// What threads have left behind that have ended may fill so many rings.
constexpr std::size_t rings_of_ended = 16;
// A thread that has ended takes some room also if it has left no event.
constexpr std::size_t events_worth_a_thread = 8;

/// A living thread's part of the recording. Its thread alone writes to it, but for `first`.
struct Lane {
  Lane(const Self& self, std::size_t capacity, std::int64_t since)
      : ring(capacity), id(self.id), kernel_id(platform::thread_id()), begin(since) {}

  Ring ring;
  ThreadId id;
  std::uint32_t kernel_id;
  std::int64_t begin;
  /// The number of the recording's first event; those before are of an earlier one. Under `guard`.
  std::uint64_t first = 0;
  Unfinished wait;
  bool is_waiting = false;
  std::int64_t io_since = 0;
  /// Set when the thread is about to give its slot back. Under `guard`.
  std::optional<std::string> last_name;
};

// Not in Self: a thread wakes those that join it when that is gone already.
constinit thread_local Lane* own_lane = nullptr;

/// The recording under way, if there is one. Under `guard`.
struct Recording {
  std::string path;
  /// Null in a fork's child, which opens its file when it writes it.
  std::FILE* file = nullptr;
  bool is_under_way = false;
  std::int64_t begin = 0;
  std::size_t capacity = trace_capacity();
  /// Of the living threads; longer than the recording, for the threads know where they are.
  std::vector<Lane*> lanes;
  std::deque<ThreadTrace> ended;
  std::size_t size_of_ended = 0;
  std::uint64_t dropped_threads = 0;
  std::uint64_t dropped_events = 0;
  std::vector<std::string> texts;
  std::map<std::string, std::uint16_t, std::less<>> numbers;
};

// No other guard is taken under it but leaf_guard.
constinit Guard guard;

// Never destroyed, for threads that outlive static objects.
Recording& recording() {
  static Recording& only = *new Recording;
  return only;
}

// --- lanes ---------------------------------------------------------------------------------------

Lane* make_lane(const Self& self, std::int64_t since) noexcept try {
  const GuardHolder held(guard);
  Recording& all = recording();
  auto lane = std::make_unique<Lane>(self, all.capacity, since);
  all.lanes.push_back(lane.get());
  return own_lane = lane.release();
} catch (const std::bad_alloc&) {
  return nullptr;
}

// The calling thread's; null if it is not registered. One that was there before the recording has
// been there from its begin.
Lane* lane() noexcept {
  if (own_lane != nullptr) return own_lane;
  const Self* self = registered_self();
  return self == nullptr ? nullptr : make_lane(*self, 0);
}

void add(Lane& lane, const Event& event) noexcept {
  lane.ring.add(event);
}

// An event without length.
void add(What what, ThreadId thread, WaitKind kind, const void* object,
         std::uint16_t text) noexcept {
  Lane* own = lane();
  if (own == nullptr) return;
  const std::int64_t now = platform::now();
  add(*own, {now, now, object, what, kind, text, thread});
}

constexpr std::size_t most_texts = 0xffff;

// 0 if there is no room for one more.
std::uint16_t number_of(std::string_view text) {
  const GuardHolder held(guard);
  Recording& all = recording();
  if (const auto known = all.numbers.find(text); known != all.numbers.end()) return known->second;
  if (all.texts.size() > most_texts) return 0;
  const auto number = static_cast<std::uint16_t>(all.texts.size());
  all.texts.emplace_back(text);
  all.numbers.emplace(text, number);
  return number;
}

std::uint16_t name_number_of(const void* object) noexcept try {
  if (object == nullptr) return 0;
  const std::string name = name_of(object);
  return name.empty() ? std::uint16_t{0} : number_of(name);
} catch (const std::bad_alloc&) {
  return 0;
}

// --- making the timeline -------------------------------------------------------------------------

// All of the following under `guard`.

ThreadTrace trace_of(const Lane& lane, std::int64_t end, std::string name) {
  Ring::Content content = lane.ring.read(lane.first);
  return {lane.id,
          lane.kernel_id,
          std::move(name),
          std::max(lane.begin, recording().begin),
          end,
          std::move(content.events),
          content.dropped};
}

void keep(ThreadTrace thread) {
  Recording& all = recording();
  const auto size_of = [](const ThreadTrace& one) {
    return one.events.size() + events_worth_a_thread;
  };
  all.size_of_ended += size_of(thread);
  all.ended.push_back(std::move(thread));
  while (all.size_of_ended > rings_of_ended * all.capacity && all.ended.size() > 1) {
    const ThreadTrace& oldest = all.ended.front();
    all.size_of_ended -= size_of(oldest);
    all.dropped_events += oldest.events.size() + oldest.dropped;
    ++all.dropped_threads;
    all.ended.pop_front();
  }
}

// What the thread is in the middle of: by its lane, if it has one, and by its wait record.
std::vector<Event> unfinished(const Slot& slot, const Lane* lane, std::int64_t end) {
  std::vector<Event> found;
  std::optional<Event> wait = lane == nullptr ? std::nullopt : lane->wait.read();
  const WaitRecord record = read_record(slot);
  Event recorded;
  recorded.begin = record.since;
  recorded.end = end;
  if (record.kind != WaitKind::none && record.kind != WaitKind::io && !record.woken) {
    recorded.what = What::asleep;
    found.push_back(recorded);
  }
  if (!wait && record.kind != WaitKind::none) {
    // It began before the recording, or is no wait of ours.
    recorded.what = record.kind == WaitKind::io ? What::io : What::wait;
    recorded.kind = record.kind;
    recorded.object = reinterpret_cast<const void*>(static_cast<std::uintptr_t>(record.object));
    wait = recorded;
    if (const std::string name = name_of(wait->object); !name.empty()) {
      std::vector<std::string>& texts = recording().texts;
      wait->text = static_cast<std::uint16_t>(std::min<std::size_t>(texts.size(), most_texts));
      texts.push_back(name);
    }
  }
  if (wait) {
    wait->end = end;
    found.push_back(*wait);
  }
  return found;
}

// Those that have been finished, and recorded, since they were looked at are left out.
void add_unfinished(std::vector<Event>& events, const std::vector<Event>& unfinished) {
  for (const Event& open : unfinished) {
    const bool is_recorded = std::any_of(events.begin(), events.end(), [&](const Event& event) {
      return event.what == open.what && event.end > open.begin;
    });
    if (!is_recorded) events.push_back(open);
  }
}

void add_living_threads(Timeline& timeline) {
  std::map<ThreadId, const Lane*> lanes;
  for (const Lane* lane : recording().lanes) {
    lanes.emplace(lane->id, lane);
    if (lane->last_name) {
      timeline.threads.push_back(trace_of(*lane, timeline.end, *lane->last_name));
    }
  }
  for (std::uint32_t number = 1; number <= last_slot(); ++number) {
    const Slot& slot = slot_at(number);
    const ThreadId id = id_of(slot);
    if (!is_living(id) || slot.phase() != SlotPhase::running) continue;
    const auto known = lanes.find(id);
    const Lane* lane = known == lanes.end() ? nullptr : known->second;
    if (lane != nullptr && lane->last_name) continue;
    const std::vector<Event> open = unfinished(slot, lane, timeline.end);
    ThreadTrace thread;
    if (lane != nullptr) {
      thread = trace_of(*lane, timeline.end, slot.name.get());
    } else {
      thread.id = id;
      thread.kernel_id = slot.thread.load(platform::relaxed);
      thread.name = slot.name.get();
      thread.begin = timeline.begin;
      thread.end = timeline.end;
    }
    add_unfinished(thread.events, open);
    timeline.threads.push_back(std::move(thread));
  }
}

// Objects that nobody has named go by the variables that they are. Those live as long as the
// program, so it is early enough at the end; and the first look takes long.
void name_variables(Timeline& timeline) {
  std::map<const void*, std::uint16_t> numbers;
  for (ThreadTrace& thread : timeline.threads) {
    for (Event& event : thread.events) {
      const bool has_object = event.what == What::wait || event.what == What::moved;
      if (!has_object || event.object == nullptr || event.text != 0) continue;
      const auto [known, is_new] = numbers.emplace(event.object, std::uint16_t{0});
      if (is_new && timeline.texts.size() <= most_texts) {
        if (std::string name = platform::variable_name(event.object); !name.empty()) {
          known->second = static_cast<std::uint16_t>(timeline.texts.size());
          timeline.texts.push_back(std::move(name));
        }
      }
      event.text = known->second;
    }
  }
}

Timeline make_timeline() {
  Recording& all = recording();
  Timeline timeline;
  timeline.program = platform::program_name();
  timeline.process = platform::process_id();
  timeline.begin = all.begin;
  timeline.end = platform::now();
  for (ThreadTrace& thread : all.ended) timeline.threads.push_back(std::move(thread));
  add_living_threads(timeline);
  std::stable_sort(timeline.threads.begin(), timeline.threads.end(),
                   [](const ThreadTrace& a, const ThreadTrace& b) { return a.begin < b.begin; });
  timeline.texts = std::move(all.texts);
  name_variables(timeline);
  timeline.dropped_threads = all.dropped_threads;
  timeline.dropped_events = all.dropped_events;
  for (const ThreadTrace& thread : timeline.threads) timeline.dropped_events += thread.dropped;
  return timeline;
}

// --- the file ------------------------------------------------------------------------------------

std::string reason() {
  return std::system_category().message(errno);
}

[[noreturn]] void throw_not_written(const std::string& path, const std::string& why) {
  throw RuntimeError("can't write the timeline to '" + path + "': " + why);
}

std::FILE* open(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr) throw_not_written(path, reason());
  return file;
}

std::string with_process_id(std::string path) {
  if (const std::size_t at = path.find("%p"); at != std::string::npos) {
    path.replace(at, 2, std::to_string(platform::process_id()));
  }
  return path;
}

void write_file() {
  Recording& all = recording();
  std::FILE* file = all.file != nullptr ? std::exchange(all.file, nullptr) : open(all.path);
  write(make_timeline(), file);
  const bool failed = std::ferror(file) != 0;
  if (std::fclose(file) != 0 || failed) throw_not_written(all.path, reason());
}

void forget_what_was_recorded() {
  Recording& all = recording();
  all.begin = platform::now();
  for (Lane* lane : all.lanes) lane->first = lane->ring.count();
  all.ended.clear();
  all.size_of_ended = 0;
  all.dropped_threads = 0;
  all.dropped_events = 0;
  all.numbers.clear();
  all.texts.assign(1, "");
}

// An exception that nobody catches ends the program without running what belongs to its end.
constinit std::terminate_handler next_terminate_handler = nullptr;

void write_and_terminate() {
  stop_at_end();
  if (next_terminate_handler != nullptr) next_terminate_handler();
  std::abort();
}

bool is_for_other_programs() noexcept {
  return tutti_leaves_trace_to_others != nullptr && tutti_leaves_trace_to_others();
}

}  // namespace

// --- what the slow paths say ---------------------------------------------------------------------

void Wait::begin_now(WaitKind kind, const void* object, ThreadId holder) noexcept {
  Lane* own = lane();
  if (since_ != 0 || own == nullptr || own->is_waiting) return;
  own->is_waiting = true;
  kind_ = kind;
  object_ = object;
  holder_ = holder;
  // By now, for in the end the object may be gone.
  text_ = name_number_of(object);
  since_ = platform::now();
  own->wait.begin({since_, 0, object_, What::wait, kind_, text_, holder_});
}

void Wait::end() noexcept {
  add(*own_lane, {since_, platform::now(), object_, What::wait, kind_, text_, holder_});
  own_lane->wait.end();
  own_lane->is_waiting = false;
}

void Asleep::end() noexcept {
  Lane* own = lane();
  if (own == nullptr) return;
  const std::int64_t now = platform::now();
  add(*own, {since_, now, nullptr, What::asleep, WaitKind::none, 0, 0});
  if (since_ != 0) return;
  // Nothing was recorded when the wait began.
  const void* const object = reason_.object.load(platform::relaxed);
  add(*own, {0, now, object, What::wait, reason_.kind.load(platform::relaxed),
             name_number_of(object), 0});
}

void wakes(const Slot& slot) noexcept {
  add(What::woke, id_of(slot), WaitKind::none, nullptr, 0);
}

// An event that is set, or a barrier that opens, was nobody's before.
void grants(const Slot& slot, const Reason& reason) noexcept {
  const WaitKind kind = reason.kind.load(platform::relaxed);
  if (kind != WaitKind::lock && kind != WaitKind::rlock && kind != WaitKind::semaphore) return;
  add(What::handed_over, id_of(slot), kind, reason.object.load(platform::relaxed), 0);
}

void moves(const Slot& slot, WaitKind kind, const void* object) noexcept {
  add(What::moved, id_of(slot), kind, object, name_number_of(object));
}

void begins_io() noexcept {
  if (Lane* own = lane()) own->io_since = platform::now();
}

void ends_io() noexcept {
  Lane* own = lane();
  if (own == nullptr || own->io_since == 0) return;
  add(*own,
      {std::exchange(own->io_since, 0), platform::now(), nullptr, What::io, WaitKind::io, 0, 0});
}

void mark(std::string_view text) {
  if (is_on()) add(What::mark, 0, WaitKind::none, nullptr, number_of(text));
}

// --- threads -------------------------------------------------------------------------------------

void thread_begins(const Self& self) noexcept {
  make_lane(self, platform::now());
}

ThreadEnd::ThreadEnd(const Self& self) noexcept try {
  Lane* own = is_on() ? lane() : own_lane;
  if (own == nullptr) return;
  std::string name = self.slot->name.get();
  const GuardHolder held(guard);
  own->last_name = std::move(name);
} catch (const std::bad_alloc&) {
  std::abort();
}

ThreadEnd::~ThreadEnd() {
  if (own_lane == nullptr) return;
  try {
    const GuardHolder held(guard);
    Recording& all = recording();
    all.lanes.erase(std::find(all.lanes.begin(), all.lanes.end(), own_lane));
    if (all.is_under_way) {
      keep(trace_of(*own_lane, platform::now(), own_lane->last_name.value_or("")));
    }
  } catch (const std::bad_alloc&) {
    // Then the timeline lacks this thread.
  }
  delete std::exchange(own_lane, nullptr);
}

// --- beginning and end ---------------------------------------------------------------------------

void start(const std::string& path) {
  if constexpr (!platform::has_timeline) return;
  const GuardHolder held(guard);
  Recording& all = recording();
  if (all.is_under_way) {
    throw RuntimeError("a timeline is being recorded already, for '" + all.path + "'");
  }
  all.path = with_process_id(path);
  all.file = open(all.path);
  forget_what_was_recorded();
  all.is_under_way = true;
  static const bool writes_before_terminating =
      (next_terminate_handler = std::set_terminate(write_and_terminate), true);
  (void)writes_before_terminating;
  is_recording.store(true, platform::relaxed);
}

void start_by_environment() noexcept {
  if constexpr (!platform::has_timeline) return;
  try {
    std::string path(trace_path());
    if (path.empty() || is_for_other_programs()) return;
    // The program that has spawned this one writes the file itself.
    if (platform::inheritance().was_spawned()) path += "." + std::to_string(platform::process_id());
    start(path);
  } catch (const std::exception& error) {
    platform::print_error(
        (std::string("tutti: TUTTI_TRACE: ") + error.what() + "; the program goes on without\n")
            .c_str());
  }
}

bool stop() {
  if constexpr (!platform::has_timeline) return false;
  const GuardHolder held(guard);
  is_recording.store(false, platform::relaxed);
  if (!std::exchange(recording().is_under_way, false)) return false;
  write_file();
  forget_what_was_recorded();
  return true;
}

void stop_at_end() noexcept {
  try {
    stop();
  } catch (const std::exception& error) {
    platform::print_error((std::string("tutti: ") + error.what() + "\n").c_str());
  }
}

// --- fork ----------------------------------------------------------------------------------------

void hold_for_fork() noexcept {
  recording();  // Made here, if it is not yet, or each child would make its own.
  guard.lock();
}

void release_after_fork() noexcept {
  guard.unlock();
}

void restart_in_child(const Self* self) noexcept {
  Recording& all = recording();
  if (all.lanes.empty() && !all.is_under_way) return;
  for (Lane* other : all.lanes) {
    if (other != own_lane) delete other;
  }
  all.lanes.clear();
  if (own_lane != nullptr) all.lanes.push_back(own_lane);
  if (!all.is_under_way) return;
  forget_what_was_recorded();
  // Nothing is in its buffer, so nothing is written to the parent's file.
  if (all.file != nullptr) std::fclose(std::exchange(all.file, nullptr));
  all.path += "." + std::to_string(platform::process_id());
  if (own_lane == nullptr || self == nullptr) return;
  own_lane->id = self->id;
  own_lane->kernel_id = platform::thread_id();
  own_lane->begin = all.begin;
}

}  // namespace tutti::inline TUTTI_ABI::runtime::trace
