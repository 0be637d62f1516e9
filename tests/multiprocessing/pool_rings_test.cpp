// What a pool's workers do in shared memory, killed at each instruction of it: a task is taken or
// is not, and a result is told or is not.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "multiprocessing/pool_memory.h"
#include "multiprocessing/pool_worker.h"
#include "multiprocessing/result_ring.h"
#include "multiprocessing/task_ring.h"
#include "multiprocessing/task_store.h"
#include "runtime/shared_waiting.h"
#include "support/forked.h"
#include "support/sanitizer.h"
#include "support/stepped.h"
#include "support/until.h"
#include "tutti/multiprocessing/task_owner.h"

namespace tests {

namespace {

using namespace tutti::multiprocessing;

OfferedTask task(std::uint32_t ticket) {
  OfferedTask made;
  made.ticket = ticket;
  made.is_inline = 1;
  made.words.fill(ticket * 1000);
  return made;
}

void write(ResultWriter& writer, std::uint32_t ticket, std::size_t size) {
  const std::span<std::byte> room = writer.room(size);
  std::memset(room.data(), static_cast<int>(ticket), size);
  writer.commit(RecordKind::result, ticket, size);
}

bool is_whole(const std::optional<ResultRecord>& record, std::uint32_t ticket, std::size_t size) {
  return record && record->kind == RecordKind::result && record->ticket == ticket &&
         record->bytes.size() == size &&
         std::all_of(record->bytes.begin(), record->bytes.end(),
                     [ticket](std::byte byte) { return byte == static_cast<std::byte>(ticket); });
}

}  // namespace

TEST(TaskRing, TasksAreTakenOnceInTheirOrder) {
  const PoolMemory memory(1);
  TaskRing& ring = memory.words().tasks;
  EXPECT_FALSE(ring.take(0));
  std::uint64_t position = 0;
  for (std::uint32_t round = 0; round < 3; ++round) {
    for (std::uint32_t i = 0; i < TaskRing::capacity; ++i, ++position) {
      ASSERT_TRUE(ring.has_room(position));
      ring.offer(position, task(i));
    }
    EXPECT_FALSE(ring.has_room(position));
    for (std::uint32_t i = 0; i < TaskRing::capacity; ++i) {
      const std::optional<OfferedTask> taken = ring.take(static_cast<std::uint16_t>(i % 7));
      ASSERT_TRUE(taken);
      EXPECT_EQ(taken->ticket, i);
      EXPECT_EQ(taken->words, task(i).words);
      EXPECT_EQ(ring.taker_of(position - TaskRing::capacity + i), i % 7);
    }
    EXPECT_FALSE(ring.has_task());
  }
}

TEST(TaskRing, AKilledTakerIsOnRecordOrHasTakenNothing) {
  if (const std::string why = why_not_stepped(); !why.empty()) GTEST_SKIP() << why;
  int taken = 0;
  const std::size_t cuts = for_each_cut(1, [&](std::size_t steps) {
    const PoolMemory memory(1);
    TaskRing& ring = memory.words().tasks;
    for (std::uint32_t i = 0; i < 3; ++i) ring.offer(i, task(i));
    const Cut cut = cut_short([] {}, [&] { ring.take(4); }, steps);
    const TaskRing::Seat taker = ring.taker_of(0);
    EXPECT_TRUE(!taker || taker == 4) << cut.place();
    EXPECT_TRUE(taker || !cut.has_finished);
    taken += taker ? 1 : 0;
    // The others go on with the next one.
    const std::optional<OfferedTask> next = ring.take(5);
    EXPECT_TRUE(next && next->ticket == (taker ? 1u : 0u)) << cut.place();
    EXPECT_EQ(ring.taker_of(taker ? 1 : 0), 5);
    return cut;
  });
  EXPECT_GT(taken, 1);
  EXPECT_GT(static_cast<int>(cuts), taken);
}

TEST(ResultRing, AKilledWriterHasToldAllOfAResultOrNothing) {
  if (const std::string why = why_not_stepped(); !why.empty()) GTEST_SKIP() << why;
  // One that is written while it is killed, one that does not fit before the ring's end, and one
  // that lies elsewhere, of which only the telling is killed.
  for (const std::size_t size :
       {std::size_t{40}, std::size_t{3000}, ResultWriter::largest_in_ring + 1}) {
    int told = 0;
    for_each_cut(1, [&](std::size_t steps) {
      const PoolMemory memory(1);
      ResultWriter writer(memory.results_of(0));
      ResultReader reader(memory.results_of(0));
      for (std::size_t i = 0; i < 99; ++i) {
        write(writer, 1, 2600);
        reader.pass(*reader.next());
      }
      write(writer, 2, 100);
      const auto prepare = [&] {
        if (size != 40) std::memset(writer.room(size).data(), 3, size);
      };
      const auto work = [&] {
        if (size == 40) std::memset(writer.room(size).data(), 3, size);
        writer.commit(RecordKind::result, 3, size);
      };
      const Cut cut = cut_short(prepare, work, steps);
      const std::optional<ResultRecord> before = reader.next();
      EXPECT_TRUE(is_whole(before, 2, 100)) << cut.place();
      reader.pass(*before);
      const std::optional<ResultRecord> record = reader.next();
      EXPECT_TRUE(!record || is_whole(record, 3, size)) << cut.place();
      EXPECT_TRUE(record || !cut.has_finished);
      told += record ? 1 : 0;
      return cut;
    });
    EXPECT_GT(told, 0);
  }
}

TEST(ResultRing, RecordsOfAllSizesGoRoundInOrder) {
  const PoolMemory memory(1);
  ResultWriter writer(memory.results_of(0));
  ResultReader reader(memory.results_of(0));
  for (std::uint32_t i = 0; i < 3000; ++i) {
    const std::size_t size = i % 100 == 50 ? 100'000 : i * 7 % 5000;
    write(writer, i % 256, size);
    const std::optional<ResultRecord> record = reader.next();
    ASSERT_TRUE(is_whole(record, i % 256, size)) << i;
    reader.pass(*record);
    ASSERT_FALSE(reader.next());
  }
}

TEST(ResultRing, RecordsCanBeReadBeforeThoseBeforeThemArePassed) {
  const PoolMemory memory(1);
  ResultWriter writer(memory.results_of(0));
  ResultReader reader(memory.results_of(0));
  // Far more than the ring holds, so that passing one must make room for others.
  for (std::uint32_t round = 0; round < 500; ++round) {
    std::vector<ResultRecord> records;
    for (std::uint32_t i = 0; i < 5; ++i) write(writer, i, i == 3 ? 100'000 : 1000 * i);
    while (const std::optional<ResultRecord> record = reader.next()) records.push_back(*record);
    ASSERT_EQ(records.size(), 5u);
    EXPECT_FALSE(reader.has_record());
    for (std::uint32_t i = 0; i < 5; ++i) {
      EXPECT_TRUE(is_whole(records[i], i, i == 3 ? 100'000 : 1000 * i));
      reader.pass(records[i]);
    }
  }
}

// None reads past the end of the memory, and all that comes after it is lost.
TEST(ResultRing, WhatCannotBeARecordIsNotRead) {
  struct Heading {
    std::uint32_t size, ticket;
    RecordKind kind;
    std::uint32_t is_large;
    std::uint64_t offset, large_size;
  };
  for (const Heading& wild :
       {Heading{1 << 30, 0, RecordKind::result, 0, 0, 0},
        Heading{~0u, 0, RecordKind::result, 0, 0, 0}, Heading{0, 0, RecordKind::skipped, 0, 0, 0},
        Heading{8, 0, RecordKind::result, 1, 0, 0},
        Heading{16, 0, RecordKind::result, 1, std::uint64_t{1} << 60, 1},
        Heading{16, 0, RecordKind::result, 1, 4096, ~std::uint64_t{0}}}) {
    const PoolMemory memory(1);
    ResultWriter writer(memory.results_of(0));
    ResultReader reader(memory.results_of(0));
    write(writer, 1, 16);
    std::memcpy(memory.results_of(0).ring.data(), &wild, sizeof wild);
    EXPECT_FALSE(reader.next());
    EXPECT_TRUE(reader.is_damaged());
    EXPECT_FALSE(reader.has_record());
    reader.reset();
    ResultWriter next(memory.results_of(0));
    write(next, 2, 16);
    EXPECT_TRUE(is_whole(reader.next(), 2, 16));
  }
  const PoolMemory memory(1);
  ResultReader reader(memory.results_of(0));
  memory.results_of(0).words->written.store(~std::uint64_t{0} << 4);
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.is_damaged());
}

namespace {

// A task of nothing but its kind.
OfferedTask task_of(const TaskKind& kind) {
  OfferedTask made;
  made.is_inline = 1;
  made.words[0] = reinterpret_cast<std::uintptr_t>(&kind);
  return made;
}

const TaskKind waits_for_a_signal{[](TaskReader&, TaskResult&) {
                                    for (;;) pause();
                                  },
                                  nullptr};

void work_on_seat_0(const PoolMemory& memory) {
  tutti::multiprocessing::Callable none;
  work_for_pool({memory, 0, none, std::nullopt});
}

}  // namespace

TEST(PoolWorker, FindsATaskForWhichNobodyHasWokenIt) {
  const PoolMemory memory(1);
  PoolWords& words = memory.words();
  const Forked worker([&] { work_on_seat_0(memory); });
  until([&] { return words.idle[0].load() == 1; });
  words.tasks.offer(0, task_of(waits_for_a_signal));
  until([&] { return words.tasks.taker_of(0) == 0; });
}

// As from one who had taken the bit away before the worker found something to do by itself.
TEST(PoolWorker, IsNotTakenForIdleAfterALateWake) {
  const PoolMemory memory(1);
  PoolWords& words = memory.words();
  const Forked worker([&] { work_on_seat_0(memory); });
  until([&] { return words.idle[0].load() == 1; });
  words.tasks.offer(0, task_of(waits_for_a_signal));
  memory.seat(0).wake.store(1);
  tutti::runtime::wake_shared_word(memory.seat(0).wake, 1);
  until([&] { return words.tasks.taker_of(0) == 0; });
  EXPECT_EQ(words.idle[0].load(), 0u);
}

TEST(TaskStore, BlocksAreApartAndUsedAgain) {
  TaskStore store(1 << 20);
  const auto first = store.allocate(100);
  const auto second = store.allocate(100);
  ASSERT_TRUE(first && second);
  EXPECT_GE(std::max(*first, *second) - std::min(*first, *second), 100u);
  store.free(*first, 100);
  EXPECT_EQ(store.allocate(120), first);
  EXPECT_EQ(store.allocate((1 << 20) - 255), std::nullopt);
  EXPECT_EQ(store.allocate((1 << 20) + 1), std::nullopt);
}

}  // namespace tests
