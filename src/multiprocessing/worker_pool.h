// The parent's side of a pool of processes: which tasks there are, who has them, and what becomes
// of them. Types of calls and results are the business of the headers above.
//
// Two threads serve it. *Results* reads what the workers tell, settles tasks, and offers the next
// ones. *Supervisor* waits for workers to end, and starts others in their place. Threads that
// submit offer tasks themselves if there is room.
//
//     a task:   prepared → pending → offered → settled        and back to pending, to be retried
//     a seat:   vacant → alive → dead → vacant                supervisor, supervisor, results
//
// A dead worker's task is lost, and no other: the supervisor says that a seat is dead when the
// worker has ended; the results thread then reads all that it had told, so that what it still has,
// by the claims of the ring, has no result and will have none.
//
// Each change of a seat is a release that pairs with the acquire of the other thread. What several
// threads use is guarded by `guard_`; no code of the user's runs under it.
//
// worker_pool.cpp is about the beginning, the end and what is accepted in between; the other files
// of that name about tasks, results, dead workers and the supervisor.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "multiprocessing/code_table.h"
#include "multiprocessing/pool_memory.h"
#include "multiprocessing/result_ring.h"
#include "multiprocessing/task_store.h"
#include "runtime/guard.h"
#include "runtime/self.h"
#include "tutti/multiprocessing/callable.h"
#include "tutti/multiprocessing/process.h"
#include "tutti/multiprocessing/task_owner.h"
#include "tutti/pickle/exceptions.h"
#include "tutti/threading/thread.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

struct WorkerPoolOptions {
  /// "Pool", "ProcessPoolExecutor": for messages.
  const char* kind = "Pool";
  std::size_t workers = 1;
  StartMethod start_method = StartMethod::fork;
  Callable initializer = {};
  /// So many tasks a worker runs before another takes its place.
  std::optional<std::uint64_t> most_tasks = std::nullopt;
  /// So many times a task is tried again whose worker was lost.
  int retries = 0;
  /// A worker that dies breaks the pool.
  bool is_brittle = false;
};

struct PoolOptions;
/// Throws ValueError for numbers that are out of range.
WorkerPoolOptions checked(PoolOptions options);

/// "std::out_of_range: seventh of six", of an exception and its causes.
std::string in_words(const std::vector<pickle::ThrownRecord>& chain);

class WorkerPool : public std::enable_shared_from_this<WorkerPool> {
 public:
  /// Starts the workers and threads. Throws OSError when the system has no room for them.
  static std::shared_ptr<WorkerPool> start(WorkerPoolOptions options);
  explicit WorkerPool(WorkerPoolOptions options);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  std::size_t workers() const noexcept { return seats_.size(); }
  bool is_brittle() const noexcept { return options_.is_brittle; }
  /// "Pool-1"
  const std::string& name() const noexcept { return name_; }
  bool is_of_another_process() const noexcept;

  // --- tasks ---
  CodeTable& code() noexcept { return code_; }
  /// Throws what says why there can be no tasks any more.
  void check_open() const;
  /// Room for a task of `size` bytes, by a ticket. Throws as check_open(), and OSError.
  std::uint32_t prepare(std::size_t size, std::span<std::byte>& room, Origin origin);
  void submit(std::uint32_t ticket, TaskOwner& owner, std::uint32_t index) noexcept;
  /// The owner is told by the results thread that its task has failed.
  void fail(std::uint32_t ticket, TaskOwner& owner, std::uint32_t index,
            std::exception_ptr exception);
  void discard(std::uint32_t ticket) noexcept;
  /// Tasks that no worker was offered are cancelled.
  void cancel_pending() noexcept;
  /// Of TaskSources. Throws as check_open().
  void begin_source();
  void end_source() noexcept;

  // --- the end ---
  /// No more tasks but from sources; once there are none of both left, the workers end.
  void close() noexcept;
  /// The workers are terminated; what is not settled fails.
  void terminate() noexcept;
  /// Nothing comes from sources any more. Waits until workers and threads have ended. Throws
  /// ValueError before close() and terminate(), DeadlockError in a callback, KeyboardInterrupt in
  /// an interrupted main thread.
  void join();
  /// For destructors: an interruption stays pending. Does not wait in a callback.
  void join_uninterrupted() noexcept;
  /// True in a callback.
  bool is_own_thread() const noexcept;

 private:
  enum class State : std::uint32_t { running, closed, broken, terminated };
  static constexpr std::uint32_t no_ticket = ~std::uint32_t{0};

  struct Flight {
    enum class Stage : std::uint8_t { free, prepared, pending, offered };

    TaskOwner* owner = nullptr;
    std::uint32_t index = 0;
    /// In the list that it is in.
    std::uint32_t next = no_ticket;
    Stage stage = Stage::free;
    bool has_begun = false;
    int retries_left = 0;
    /// Who has it, as far as that was noted.
    TaskRing::Seat seat;
    std::uint64_t position = 0;
    std::size_t place = 0;
    std::size_t size = 0;
    std::array<std::uint64_t, OfferedTask::inline_size / 8> words{};

    bool is_inline() const noexcept { return size <= OfferedTask::inline_size; }
  };

  struct Seat {
    enum class Phase : std::uint32_t { vacant, alive, dead };

    explicit Seat(ResultPlaces places) noexcept : reader(places) {}

    ResultReader reader;
    // Written by the supervisor while the seat is vacant or alive, read by the results thread when
    // it is dead.
    platform::atomic<Phase> phase{Phase::vacant};
    std::optional<Process> worker;
    std::string name;
    std::uint32_t pid = 0;
    int exitcode = 0;
    /// Set by the results thread: its results can't be read any more.
    platform::atomic<bool> is_to_be_killed{false};
    /// Of the results thread: what the initializer has thrown.
    std::exception_ptr not_ready;
  };

  /// A FIFO of flights.
  struct Line {
    std::uint32_t first = no_ticket;
    std::uint32_t last = no_ticket;
  };

  Flight& flight(std::uint32_t ticket) noexcept { return (*flights_[ticket / 256])[ticket % 256]; }
  std::span<std::byte> bytes_of(Flight& flight) noexcept;
  void add_last(Line& line, std::uint32_t ticket) noexcept;
  void add_first(Line& line, std::uint32_t ticket) noexcept;
  std::uint32_t take_first(Line& line) noexcept;
  void free_flight(std::uint32_t ticket) noexcept;

  // acquire and release: who sees a state sees why it came.
  State state() const noexcept { return state_.load(platform::acquire); }
  [[noreturn]] void refuse(Origin origin) const;
  bool accepts(Origin origin) const noexcept;
  /// Closed, and there is nothing left to do; nor will there be from then on.
  bool is_finished() noexcept;
  /// Why nothing comes of what is not settled.
  std::exception_ptr reason() const noexcept;

  /// What is left to do once the guard is released.
  struct Aftermath {
    std::size_t offered = 0;
    Line dropped;
  };
  void offer_pending(Aftermath& aftermath) noexcept;
  void note_taker(std::uint64_t position) noexcept;
  void see_to(const Aftermath& aftermath) noexcept;
  /// So many of those that were submitted need nothing more.
  void settle(std::size_t tasks) noexcept;
  /// They fail with the exception, or are cancelled if there is none.
  void settle_all(Line& line, const std::exception_ptr& exception) noexcept;
  void tell_results_thread() noexcept;
  void ring_supervisor() noexcept;

  // --- the results thread: worker_pool_results.cpp ---
  void read_results();
  bool read_results_of(std::size_t number);
  std::size_t read_some_results(Seat& seat);
  void hand_over(const ResultRecord& record, TaskOwner& owner, std::uint32_t index) noexcept;
  std::exception_ptr exception_of(const ResultRecord& record) noexcept;
  void heed_news() noexcept;
  void tell_of_not_made() noexcept;
  Line take_all_flights() noexcept;
  void settle_leftovers() noexcept;
  void sleep_until_news(runtime::Self& self);
  void adapt_window(std::size_t settled) noexcept;
  // Of the dead: worker_pool_deaths.cpp.
  bool holds(std::size_t seat, const Flight& flight) const noexcept;
  std::string name_of_task(Flight& flight) noexcept;
  std::string fate_of(const Seat& seat) const;
  void bury(std::size_t number);
  void vacate(std::size_t number) noexcept;
  void learn_of_failure(const Seat& seat);
  void break_down(const std::string& why) noexcept;

  // --- the supervisor: worker_pool_supervisor.cpp ---
  void supervise();
  bool needs_workers() const noexcept;
  std::string name_of_worker(std::uint64_t number) const;
  void start_worker(std::size_t number);
  bool fill_seats();
  bool has_workers() const noexcept;
  void look_for_ends();
  void end_workers();

  WorkerPoolOptions options_;
  const std::string name_;
  const std::uint32_t process_;
  PoolMemory memory_;
  CodeTable code_;
  std::vector<std::unique_ptr<Seat>> seats_;

  mutable runtime::Guard guard_;
  // Guarded from here on; the state is read without.
  platform::atomic<State> state_{State::running};
  std::string why_broken_;
  /// How many have begun and not ended.
  std::size_t sources_ = 0;
  /// Nothing comes from them either any more.
  bool is_sealed_ = false;
  /// The results thread has done its last.
  bool is_over_ = false;
  TaskStore store_;
  std::vector<std::unique_ptr<std::array<Flight, 256>>> flights_;
  Line free_;
  Line pending_;
  /// That could not be made, and what their owners are to be told.
  std::vector<std::pair<std::uint32_t, std::exception_ptr>> not_made_;
  /// How many were ever offered: the next one's position in the ring.
  std::uint64_t position_ = 0;
  std::array<std::uint32_t, TaskRing::capacity> ticket_at_{};
  /// Offered and not settled, and how many may be.
  std::size_t in_flight_ = 0;
  std::size_t window_;
  // No longer guarded.

  /// Submitted and not settled.
  platform::atomic<std::uint64_t> unsettled_{0};
  platform::atomic<bool> has_news_{false};
  platform::atomic<bool> are_workers_gone_{false};

  // Of the results thread.
  std::size_t failures_in_a_row_ = 0;
  std::size_t settled_in_window_ = 0;
  std::int64_t window_since_ = 0;

  // Of the supervisor.
  std::uint64_t workers_made_ = 0;
  int failed_starts_ = 0;
  /// When workers that were terminated are killed.
  std::int64_t kill_at_ = platform::never;
  /// What rings the supervisor: a pipe's ends.
  int bell_ = -1;
  int ringer_ = -1;

  threading::Thread results_thread_;
  threading::Thread supervisor_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
