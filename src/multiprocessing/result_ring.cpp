#include "multiprocessing/result_ring.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "platform/segment.h"
#include "runtime/describe.h"
#include "runtime/shared_waiting.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

struct Heading {
  std::uint32_t size;
  std::uint32_t ticket;
  RecordKind kind;
  std::uint32_t is_large;
};
// In place of the bytes of a large record.
struct LargePlace {
  std::uint64_t offset;
  std::uint64_t size;
};
static_assert(sizeof(Heading) == 16 && sizeof(LargePlace) == 16);

// Records begin at multiples of a heading's size, so that one always fits before the end.
constexpr std::size_t in_units(std::size_t size) noexcept {
  return (size + sizeof(Heading) - 1) / sizeof(Heading) * sizeof(Heading);
}

}  // namespace

// --- the worker's side ---------------------------------------------------------------------------

template <typename HasRoom>
void ResultWriter::wait_until(HasRoom has_room) {
  if (has_room()) return;
  ResultWords& words = *places_.words;
  runtime::Self& self = runtime::self();
  const runtime::Reason reason(runtime::WaitKind::queue_full, &words, platform::Reach::machine);
  runtime::SharedWait wait(self, reason, platform::never);
  for (;;) {
    // seq_cst: the parent makes room and then looks whether we are stuck; we say that we are and
    // then look for room.
    words.is_stuck.store(1, platform::seq_cst);
    if (has_room()) break;
    const runtime::Ended ended = wait.sleep_on(words.is_stuck, 1);
    if (ended == runtime::Ended::woken) continue;
    words.is_stuck.store(0, platform::relaxed);
    runtime::stop_or_throw(self, ended);
  }
  words.is_stuck.store(0, platform::relaxed);
}

std::span<std::byte> ResultWriter::room(std::size_t size) {
  ResultWords& words = *places_.words;
  is_large_ = size > largest_in_ring;
  if (is_large_ && size > places_.large.size()) {
    throw OSError("a result of " + std::to_string(size) + " bytes is larger than the " +
                      std::to_string(places_.large.size()) + " that a pool's worker has room for" +
                      runtime::in_calling_thread(),
                  ENOMEM);
  }
  const std::size_t needed = sizeof(Heading) + in_units(is_large_ ? sizeof(LargePlace) : size);
  const std::size_t place = written_ % places_.ring.size();
  const std::size_t up_to_end = places_.ring.size() - place;
  const std::size_t skipped = needed > up_to_end ? up_to_end : 0;
  // seq_cst: see wait_until(). It pairs with the release of pass() as well.
  wait_until([&] {
    return written_ + skipped + needed - words.read.load(platform::seq_cst) <= places_.ring.size();
  });
  if (skipped != 0) {
    const Heading heading{0, 0, RecordKind::skipped, 0};
    std::memcpy(&places_.ring[place], &heading, sizeof heading);
    written_ += skipped;
  }
  if (is_large_) {
    const auto has_been_read = [&] {
      return words.large_read.load(platform::seq_cst) == large_written_;
    };
    // acquire, within seq_cst: the parent has read what is overwritten from now on.
    if (has_been_read()) large_next_ = 0;
    if (size > places_.large.size() - large_next_) {
      wait_until(has_been_read);
      large_next_ = 0;
    }
    room_ = places_.large.subspan(large_next_, size);
  } else {
    room_ = places_.ring.subspan(written_ % places_.ring.size() + sizeof(Heading), size);
  }
  return room_;
}

void ResultWriter::commit(RecordKind kind, std::uint32_t ticket, std::size_t size) noexcept {
  std::byte* const place = &places_.ring[written_ % places_.ring.size()];
  Heading heading{static_cast<std::uint32_t>(size), ticket, kind, is_large_ ? 1u : 0u};
  if (is_large_) {
    const LargePlace large{large_next_, size};
    heading.size = sizeof large;
    std::memcpy(place + sizeof heading, &large, sizeof large);
    large_next_ += platform::in_pages(size);
    ++large_written_;
  }
  std::memcpy(place, &heading, sizeof heading);
  written_ += sizeof heading + in_units(heading.size);
  // Its release pairs with the acquire in next(). seq_cst, because the worker looks at once whether
  // the parent sleeps, and a parent that is about to looks for records.
  places_.words->written.store(written_, platform::seq_cst);
}

// --- the parent's side ---------------------------------------------------------------------------

bool ResultReader::has_record() const noexcept {
  return !is_damaged_ && places_.words->written.load(platform::seq_cst) != read_;
}

std::optional<ResultRecord> ResultReader::next() noexcept {
  while (!is_damaged_) {
    if (seen_ == read_) seen_ = places_.words->written.load(platform::acquire);
    if (seen_ == read_) return std::nullopt;
    const std::size_t place = read_ % places_.ring.size();
    const std::size_t up_to_end = places_.ring.size() - place;
    const std::uint64_t told = seen_ - read_;
    Heading heading;
    if (told > places_.ring.size() || told < sizeof heading || up_to_end < sizeof heading) break;
    std::memcpy(&heading, &places_.ring[place], sizeof heading);
    if (heading.kind == RecordKind::skipped) {
      if (up_to_end > told) break;
      read_ += up_to_end;
      continue;
    }
    if (sizeof heading + in_units(heading.size) > std::min<std::uint64_t>(told, up_to_end)) break;
    ResultRecord record{heading.kind,
                        heading.ticket,
                        {},
                        heading.is_large != 0,
                        read_ + sizeof heading + in_units(heading.size)};
    record.bytes = places_.ring.subspan(place + sizeof heading, heading.size);
    if (record.is_large) {
      LargePlace large;
      if (heading.size != sizeof large) break;
      std::memcpy(&large, record.bytes.data(), sizeof large);
      if (large.offset > places_.large.size() || large.size > places_.large.size() - large.offset) {
        break;
      }
      record.bytes = places_.large.subspan(large.offset, large.size);
    }
    read_ = record.end;
    return record;
  }
  is_damaged_ = true;
  return std::nullopt;
}

std::span<const std::byte> ResultReader::beyond_kept(const ResultRecord& record) const noexcept {
  if (!record.is_large) return {};
  const auto offset = static_cast<std::size_t>(record.bytes.data() - places_.large.data());
  const std::size_t kept = std::max(offset, largest_kept);
  if (kept >= offset + record.bytes.size()) return {};
  // To the end of its last page, which is nobody else's.
  return places_.large.subspan(
      kept,
      std::min(platform::in_pages(offset + record.bytes.size()), places_.large.size()) - kept);
}

void ResultReader::pass(const ResultRecord& record) noexcept {
  ResultWords& words = *places_.words;
  passed_ = record.end;
  if (record.is_large) words.large_read.store(++large_read_, platform::seq_cst);
  // Not after each of many small ones: the line is the worker's to look at.
  if (!record.is_large && seen_ != passed_ &&
      passed_ - words.read.load(platform::relaxed) < places_.ring.size() / 4) {
    return;
  }
  // seq_cst: see ResultWriter::wait_until().
  words.read.store(passed_, platform::seq_cst);
  if (words.is_stuck.load(platform::seq_cst) != 0) {
    words.is_stuck.store(0, platform::release);
    runtime::wake_shared_word(words.is_stuck, 1);
  }
}

void ResultReader::reset() noexcept {
  read_ = passed_ = seen_ = large_read_ = 0;
  is_damaged_ = false;
  ResultWords& words = *places_.words;
  words.written.store(0, platform::relaxed);
  words.read.store(0, platform::relaxed);
  words.large_read.store(0, platform::relaxed);
  words.is_stuck.store(0, platform::relaxed);
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
