#include "platform/explore/order.h"

#include <algorithm>

namespace tutti::inline TUTTI_ABI::platform::exploring {

namespace {

bool acquires(std::memory_order order) noexcept {
  return order == acquire || order == acq_rel || order == seq_cst ||
         order == std::memory_order_consume;
}
bool releases(std::memory_order order) noexcept {
  return order == release || order == acq_rel || order == seq_cst;
}

}  // namespace

Order& order() noexcept {
  static Order& only_one = *new Order;
  return only_one;
}

void Order::restart(const Rules& rules) noexcept {
  ++execution_;
  is_followed_ = rules.follows_order;
  is_relaxed_ = rules.is_relaxed;
  is_missed_ = false;
  width_ = 0;
  word_count_ = plain_count_ = 0;
  fences_ = {};
  seq_cst_ = 0;
}

void Order::begin_thread(unsigned thread, unsigned starter) noexcept {
  width_ = std::max(width_, thread + 1);
  if (!is_followed_) return;
  Thread& its = threads_[thread];
  const Clock known = thread == starter ? Clock{} : threads_[starter].clock;
  its = {};
  its.clock = known;
  its.clock.times[thread] = 1;
  if (thread != starter) {
    its.visible = threads_[starter].visible;
    ++threads_[starter].clock.times[starter];
  }
}

void Order::join_thread(unsigned ended, unsigned joiner) noexcept {
  if (is_followed_) threads_[joiner].clock.join(threads_[ended].clock, width_);
}

// --- words ---------------------------------------------------------------------------------------

Order::Word& Order::word_of(Tag& tag, std::uint64_t value) noexcept {
  if (tag.execution == execution_) return words_[tag.record];
  tag = {execution_, static_cast<std::uint32_t>(word_count_++)};
  if (tag.record == words_.size()) words_.emplace_back();
  Word& word = words_[tag.record];
  word.history.resize(1);
  word.history[0] = {};
  word.history[0].value = value;
  word.stale_loads.fill(0);
  return word;
}

// The running thread can't load anything older than a message it knows of: because that store, or
// some thread's load of it, happens before, or comes before it by the seq_cst rules: operation
// before operation, operation before fence, fence before operation, fence before fence.
bool Order::is_known(const Message& message, std::memory_order order) const noexcept {
  const Thread& thread = threads_[my_index()];
  if (message.seq_cst != 0 && (order == seq_cst || message.seq_cst < thread.last_fence))
    return true;
  for (unsigned i = 0; i < width_; ++i) {
    const std::uint32_t seen = message.seen[i];
    if (seen == 0) continue;
    if (thread.clock.knows(i, seen) || thread.visible.knows(i, seen)) return true;
    if (order == seq_cst && fences_.knows(i, seen)) return true;
  }
  return false;
}

std::size_t Order::oldest_visible(const Word& word, std::memory_order order) const noexcept {
  std::size_t oldest = word.history.size() - 1;
  while (oldest > 0 && !is_known(word.history[oldest], order)) --oldest;
  return oldest;
}

void Order::acquire_from(const Message& message, std::memory_order order) noexcept {
  Thread& thread = me();
  if (acquires(order)) {
    thread.clock.join(message.released, width_);
  } else {
    thread.unfenced.join(message.released, width_);
  }
}

std::uint64_t Order::load(Tag& tag, std::uint64_t newest, std::memory_order order) noexcept {
  Word& word = word_of(tag, newest);
  std::size_t chosen = word.history.size() - 1;
  if (is_relaxed_) {
    const std::size_t oldest = oldest_visible(word, order);
    std::uint8_t& stale_loads = word.stale_loads[my_index()];
    if (oldest < chosen && stale_loads < most_stale_loads) {
      const auto count = static_cast<unsigned>(chosen - oldest + 1);
      const unsigned age = scheduler().driver().choose_value(count);
      stale_loads = age == 0 ? 0 : static_cast<std::uint8_t>(stale_loads + 1);
      chosen -= age;
    } else {
      stale_loads = 0;
    }
  }
  Message& message = word.history[chosen];
  acquire_from(message, order);
  see(message, order);
  return message.value;
}

void Order::see(Message& message, std::memory_order order) noexcept {
  std::uint32_t& seen = message.seen[my_index()];
  if (seen == 0) seen = me().clock.times[my_index()];
  if (order == seq_cst) {
    ++seq_cst_;
    if (message.seq_cst == 0) message.seq_cst = seq_cst_;
  }
}

void Order::peek(Tag& tag, std::uint64_t newest, std::memory_order order) noexcept {
  Word& word = word_of(tag, newest);
  acquire_from(word.history.back(), order);
  see(word.history.back(), order);
  word.stale_loads[my_index()] = 0;
}

void Order::append(Word& word, std::uint64_t value, std::memory_order order,
                   const Clock* sequence) {
  const unsigned index = my_index();
  Thread& thread = me();
  if (!is_relaxed_) {
    // Only the newest can be read.
    word.history.resize(1);
  } else {
    if (word.history.size() == longest_history) {
      word.history.erase(word.history.begin());
    }
    word.history.emplace_back();
  }
  Message& message = word.history.back();
  Clock released{};
  if (releases(order)) {
    released = thread.clock;
  } else if (thread.has_fenced) {
    released = thread.fenced;
  }
  if (sequence != nullptr) released.join(*sequence, width_);
  message.released = released;
  message.value = value;
  message.seen.fill(0);
  message.seen[index] = thread.clock.times[index];
  message.seq_cst = order == seq_cst ? ++seq_cst_ : 0;
  ++thread.clock.times[index];
}

void Order::store(Tag& tag, std::uint64_t before, std::uint64_t value,
                  std::memory_order order) noexcept {
  append(word_of(tag, before), value, order, nullptr);
}

void Order::exchange(Tag& tag, std::uint64_t before, std::uint64_t value,
                     std::memory_order order) noexcept {
  Word& word = word_of(tag, before);
  Message& newest = word.history.back();
  acquire_from(newest, order);
  see(newest, order);
  // It goes on with the release sequence that it reads from.
  const Clock sequence = newest.released;
  append(word, value, order, &sequence);
}

void Order::fence(std::memory_order order) noexcept {
  Thread& thread = me();
  const unsigned index = my_index();
  if (acquires(order)) thread.clock.join(thread.unfenced, width_);
  if (releases(order)) {
    thread.fenced = thread.clock;
    thread.has_fenced = true;
  }
  if (order == seq_cst) {
    thread.visible.join(fences_, width_);
    thread.visible.join(thread.clock, width_);
    fences_.join(thread.visible, width_);
    thread.last_fence = ++seq_cst_;
  }
  ++thread.clock.times[index];
}

// --- plain objects -------------------------------------------------------------------------------

Order::Plain& Order::plain_of(Tag& tag) noexcept {
  if (tag.execution == execution_) return plains_[tag.record];
  tag = {execution_, static_cast<std::uint32_t>(plain_count_++)};
  if (tag.record == plains_.size()) plains_.emplace_back();
  Plain& plain = plains_[tag.record];
  plain = {};
  return plain;
}

Order::Race Order::read(Tag& tag) noexcept {
  Plain& plain = plain_of(tag);
  const unsigned index = my_index();
  Race race;
  if (plain.writer != most_threads && !me().clock.knows(plain.writer, plain.written)) {
    race = {plain.writer, plain.write_step};
  }
  plain.reads.times[index] = me().clock.times[index]++;
  plain.read_steps[index] = scheduler().steps();
  return race;
}

Order::Race Order::write(Tag& tag) noexcept {
  Plain& plain = plain_of(tag);
  const unsigned index = my_index();
  Race race;
  if (plain.writer != most_threads && !me().clock.knows(plain.writer, plain.written)) {
    race = {plain.writer, plain.write_step};
  }
  for (unsigned reader = 0; reader < width_; ++reader) {
    if (!me().clock.knows(reader, plain.reads.times[reader])) {
      race = {reader, plain.read_steps[reader]};
    }
  }
  plain.writer = index;
  plain.written = me().clock.times[index]++;
  plain.write_step = scheduler().steps();
  plain.reads = {};
  return race;
}

}  // namespace tutti::inline TUTTI_ABI::platform::exploring
