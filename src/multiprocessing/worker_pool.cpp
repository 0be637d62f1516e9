#include "multiprocessing/worker_pool.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "multiprocessing/errors.h"
#include "multiprocessing/pool_worker.h"
#include "platform/process.h"
#include "platform/stack.h"
#include "platform/stream.h"
#include "runtime/describe.h"
#include "runtime/descriptor_wait.h"
#include "runtime/shared_waiting.h"
#include "tutti/errors.h"
#include "tutti/multiprocessing/worker_lost.h"
#include "tutti/pickle/exceptions.h"
#include "tutti/pickle/packed.h"
#include "tutti/thread.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

using runtime::GuardHolder;

constinit platform::atomic<std::uint32_t> pools_made{0};

// What a terminated worker may take to end by itself.
constexpr std::int64_t patience_with_terminated = 1'000'000'000;
// Until the system is asked for a process again, and how many times, while no worker lives.
constexpr std::int64_t until_next_start = 100'000'000;
constexpr int most_failed_starts = 50;

std::string name_of_pool(const char* kind) {
  return std::string(kind) + "-" + std::to_string(pools_made.fetch_add(1, platform::relaxed) + 1);
}

std::string how_it_ended(int exitcode) {
  if (exitcode >= 0) return "has ended with exit code " + std::to_string(exitcode);
  const char* const name = platform::signal_name(-exitcode);
  return "was killed by " + (name != nullptr ? name : "signal " + std::to_string(-exitcode));
}

// "std::out_of_range: seventh of six"
std::string in_words(const std::vector<pickle::ThrownRecord>& chain) {
  if (chain.empty()) return "an unknown exception";
  return chain.front().type + (chain.front().text.empty() ? "" : ": " + chain.front().text);
}

}  // namespace

// --- beginning and end ---------------------------------------------------------------------------

WorkerPool::WorkerPool(WorkerPoolOptions options)
    : options_(std::move(options)),
      name_(name_of_pool(options_.kind)),
      process_(platform::process_id()),
      memory_(options_.workers),
      code_(options_.start_method == StartMethod::fork ? nullptr : &memory_.modules()),
      store_(memory_.task_bytes().size()),
      window_(options_.is_brittle ? options_.workers + 1 : TaskRing::capacity + options_.workers) {
  seats_.reserve(options_.workers);
  for (std::size_t seat = 0; seat < options_.workers; ++seat) {
    seats_.push_back(std::make_unique<Seat>(memory_.results_of(seat)));
  }
  const platform::DescriptorPair bell = platform::make_pipe();
  if (bell.error != 0) throw_os_error("cannot make " + name_, bell.error);
  bell_ = bell.first;
  ringer_ = bell.second;
}

WorkerPool::~WorkerPool() {
  platform::close_descriptor(bell_);
  platform::close_descriptor(ringer_);
}

std::shared_ptr<WorkerPool> WorkerPool::start(WorkerPoolOptions options) {
  auto pool = std::make_shared<WorkerPool>(std::move(options));
  try {
    for (std::size_t seat = 0; seat < pool->workers(); ++seat) pool->start_worker(seat);
    const auto thread = [&](const char* name, void (WorkerPool::*function)()) {
      threading::Thread made(
          {.target = threading::Target([pool, function] { (*pool.*function)(); }),
           .name = pool->name_ + name,
           .daemon = true});
      made.start();
      return made;
    };
    pool->results_thread_ = thread(" results", &WorkerPool::read_results);
    pool->supervisor_ = thread(" supervisor", &WorkerPool::supervise);
  } catch (...) {
    pool->state_.store(State::terminated, platform::release);
    pool->are_workers_gone_.store(true, platform::release);
    pool->tell_results_thread();
    for (const auto& seat : pool->seats_) {
      if (!seat->worker) continue;
      seat->worker->kill();
      seat->worker->join();
    }
    throw;
  }
  return pool;
}

bool WorkerPool::is_of_another_process() const noexcept {
  return process_ != platform::process_id();
}

bool WorkerPool::is_own_thread() const noexcept {
  const threading::Thread here = threading::current_thread();
  return here == results_thread_ || here == supervisor_;
}

void WorkerPool::close() noexcept {
  {
    const GuardHolder held(guard_);
    if (state() != State::running) return;
    state_.store(State::closed, platform::release);
  }
  tell_results_thread();
}

void WorkerPool::terminate() noexcept {
  {
    const GuardHolder held(guard_);
    if (state() == State::terminated || state() == State::broken) return;
    state_.store(State::terminated, platform::release);
  }
  tell_results_thread();
  ring_supervisor();
}

void WorkerPool::join() {
  if (is_of_another_process()) {
    throw RuntimeError(name_ +
                       " is that of the process from which this one was forked, and can't "
                       "be joined here" +
                       runtime::in_calling_thread());
  }
  if (state() == State::running) {
    throw ValueError(name_ + " is still running: close() or terminate() it first" +
                     runtime::in_calling_thread());
  }
  if (!is_own_thread()) {
    {
      const GuardHolder held(guard_);
      is_sealed_ = true;
    }
    tell_results_thread();
  }
  // This one first, which calls callbacks: in one of them it throws.
  results_thread_.join();
  // At the end of the program, daemon threads stop when they look up; this one waits in poll().
  ring_supervisor();
  supervisor_.join();
}

void WorkerPool::join_uninterrupted() noexcept {
  if (is_own_thread()) return;
  bool was_interrupted = false;
  for (bool is_joined = false; !is_joined;) {
    try {
      join();
      is_joined = true;
    } catch (const KeyboardInterrupt&) {
      was_interrupted = true;
    }
  }
  if (was_interrupted) thread::interrupt_main();
}

// --- tasks ---------------------------------------------------------------------------------------

void WorkerPool::check_open() const {
  if (is_of_another_process()) {
    throw RuntimeError(name_ +
                       " is that of the process from which this one was forked: its workers "
                       "are not to be had here, make a new one" +
                       runtime::in_calling_thread());
  }
  if (state() != State::running) refuse(Origin::call);
}

// Under the guard.
bool WorkerPool::accepts(Origin origin) const noexcept {
  const State now = state();
  return now == State::running || (now == State::closed && origin == Origin::source && !is_sealed_);
}

void WorkerPool::refuse(Origin origin) const {
  if (state() == State::broken) std::rethrow_exception(reason());
  if (options_.is_brittle) {
    throw RuntimeError("cannot schedule new futures after the shutdown of " + name_ +
                       runtime::in_calling_thread());
  }
  const bool is_joined = state() == State::closed && origin == Origin::source;
  throw ValueError("Pool not running: " + name_ + " was " +
                   (is_joined ? "joined before this imap had taken all elements: go through its "
                                "results before join()"
                    : state() == State::closed ? "closed"
                                               : "terminated") +
                   runtime::in_calling_thread());
}

std::exception_ptr WorkerPool::reason() const noexcept {
  const GuardHolder held(guard_);
  if (state() == State::broken) {
    return std::make_exception_ptr(futures::BrokenProcessPool(why_broken_));
  }
  if (options_.is_brittle) {
    return std::make_exception_ptr(
        futures::CancelledError(name_ + " was terminated before this call was made"));
  }
  return std::make_exception_ptr(RuntimeError(name_ + " was terminated before this task was done"));
}

void WorkerPool::begin_source() {
  check_open();
  const GuardHolder held(guard_);
  ++sources_;
}

void WorkerPool::end_source() noexcept {
  if (is_of_another_process()) return;
  {
    const GuardHolder held(guard_);
    --sources_;
  }
  if (state() == State::closed) tell_results_thread();
}

std::uint32_t WorkerPool::prepare(std::size_t size, std::span<std::byte>& room, Origin origin) {
  if (is_of_another_process()) check_open();
  std::optional<GuardHolder> held(guard_);
  if (!accepts(origin)) {
    held.reset();
    refuse(origin);
  }
  if (free_.first == no_ticket) {
    const auto first = static_cast<std::uint32_t>(flights_.size() * 256);
    flights_.push_back(std::make_unique<std::array<Flight, 256>>());
    for (std::uint32_t ticket = first; ticket < first + 256; ++ticket) add_last(free_, ticket);
  }
  Flight& made = flight(free_.first);
  made.size = size;
  if (!made.is_inline()) {
    const std::optional<std::size_t> place = store_.allocate(size);
    if (!place) {
      throw OSError(name_ + " has no room for a task of " + std::to_string(size) +
                        " bytes: too much waits for its workers",
                    ENOMEM);
    }
    made.place = *place;
  }
  const std::uint32_t ticket = take_first(free_);
  made.stage = Flight::Stage::prepared;
  unsettled_.fetch_add(1, platform::relaxed);
  room = bytes_of(made);
  return ticket;
}

void WorkerPool::submit(std::uint32_t ticket, TaskOwner& owner, std::uint32_t index) noexcept {
  owner.hold();
  Aftermath aftermath;
  bool is_over = false;
  {
    const GuardHolder held(guard_);
    Flight& made = flight(ticket);
    made.owner = &owner;
    made.index = index;
    made.has_begun = false;
    made.retries_left = options_.retries;
    is_over = is_over_;
    if (!is_over) {
      made.stage = Flight::Stage::pending;
      add_last(pending_, ticket);
      offer_pending(aftermath);
    } else {
      free_flight(ticket);
    }
  }
  if (is_over) {
    // Nobody is there any more who would do it.
    owner.failed(index, reason());
    owner.let_go();
    settle_one();
  }
  see_to(aftermath);
  if (state() == State::broken || state() == State::terminated) tell_results_thread();
}

void WorkerPool::fail(std::uint32_t ticket, TaskOwner& owner, std::uint32_t index,
                      std::exception_ptr exception) {
  bool is_over = false;
  {
    const GuardHolder held(guard_);
    is_over = is_over_;
    not_made_.emplace_back(ticket, std::move(exception));
    flight(ticket).owner = &owner;
    flight(ticket).index = index;
    owner.hold();
  }
  if (is_over) {
    tell_of_not_made();
  } else {
    tell_results_thread();
  }
}

void WorkerPool::tell_of_not_made() noexcept {
  for (;;) {
    Line one;
    std::exception_ptr exception;
    {
      const GuardHolder held(guard_);
      if (not_made_.empty()) return;
      add_last(one, not_made_.back().first);
      exception = std::move(not_made_.back().second);
      not_made_.pop_back();
    }
    settle_all(one, exception);
  }
}

void WorkerPool::discard(std::uint32_t ticket) noexcept {
  {
    const GuardHolder held(guard_);
    free_flight(ticket);
  }
  settle_one();
}

void WorkerPool::cancel_pending() noexcept {
  Line dropped;
  {
    const GuardHolder held(guard_);
    dropped = std::exchange(pending_, Line{});
  }
  settle_all(dropped, nullptr);
}

std::span<std::byte> WorkerPool::bytes_of(Flight& flight) noexcept {
  if (flight.is_inline()) return std::as_writable_bytes(std::span(flight.words)).first(flight.size);
  return memory_.task_bytes().subspan(flight.place, flight.size);
}

// --- lists, under the guard ----------------------------------------------------------------------

void WorkerPool::add_last(Line& line, std::uint32_t ticket) noexcept {
  flight(ticket).next = no_ticket;
  if (line.first == no_ticket) {
    line.first = ticket;
  } else {
    flight(line.last).next = ticket;
  }
  line.last = ticket;
}

void WorkerPool::add_first(Line& line, std::uint32_t ticket) noexcept {
  flight(ticket).next = line.first;
  if (line.first == no_ticket) line.last = ticket;
  line.first = ticket;
}

std::uint32_t WorkerPool::take_first(Line& line) noexcept {
  const std::uint32_t ticket = line.first;
  if (ticket != no_ticket) line.first = flight(ticket).next;
  return ticket;
}

void WorkerPool::free_flight(std::uint32_t ticket) noexcept {
  Flight& freed = flight(ticket);
  if (!freed.is_inline()) {
    // Blocks are kept, but not the memory of very large ones.
    constexpr std::size_t very_large = std::size_t{32} << 20;
    if (freed.size >= very_large) memory_.drop(bytes_of(freed));
    store_.free(freed.place, freed.size);
  }
  if (freed.stage == Flight::Stage::offered) --in_flight_;
  freed.stage = Flight::Stage::free;
  freed.owner = nullptr;
  add_first(free_, ticket);
}

// --- offering, under the guard -------------------------------------------------------------------

void WorkerPool::note_taker(std::uint64_t position) noexcept {
  Flight& former = flight(ticket_at_[position % TaskRing::capacity]);
  if (former.stage == Flight::Stage::offered && former.position == position) {
    former.seat = memory_.words().tasks.taker_of(position);
  }
}

void WorkerPool::offer_pending(Aftermath& aftermath) noexcept {
  if (state() == State::broken || state() == State::terminated) return;
  TaskRing& tasks = memory_.words().tasks;
  while (pending_.first != no_ticket && in_flight_ < window_ && tasks.has_room(position_)) {
    const std::uint32_t ticket = take_first(pending_);
    Flight& next = flight(ticket);
    if (!next.has_begun && !next.owner->begin(next.index)) {
      add_last(aftermath.dropped, ticket);
      continue;
    }
    next.has_begun = true;
    OfferedTask task{ticket, next.is_inline() ? 1u : 0u, next.words};
    if (!next.is_inline()) task.words = {next.place, next.size};
    if (position_ >= TaskRing::capacity) note_taker(position_ - TaskRing::capacity);
    ticket_at_[position_ % TaskRing::capacity] = ticket;
    next.stage = Flight::Stage::offered;
    next.seat.reset();
    next.position = position_;
    tasks.offer(position_, task);
    ++position_;
    ++in_flight_;
    ++aftermath.offered;
  }
}

void WorkerPool::see_to(const Aftermath& aftermath) noexcept {
  for (std::size_t i = 0; i < std::min(aftermath.offered, workers()); ++i) memory_.wake_worker();
  Line dropped = aftermath.dropped;
  if (dropped.first != no_ticket) settle_all(dropped, nullptr);
}

void WorkerPool::settle_one() noexcept {
  // release: pairs with the acquire of the results thread, which then has the workers end.
  if (unsettled_.fetch_sub(1, platform::acq_rel) == 1 && state() == State::closed) {
    tell_results_thread();
  }
}

void WorkerPool::settle_all(Line& line, const std::exception_ptr& exception) noexcept {
  for (;;) {
    TaskOwner* owner = nullptr;
    std::uint32_t index = 0;
    {
      const GuardHolder held(guard_);
      const std::uint32_t ticket = take_first(line);
      if (ticket == no_ticket) return;
      owner = flight(ticket).owner;
      index = flight(ticket).index;
      free_flight(ticket);
    }
    if (exception != nullptr) {
      owner->failed(index, exception);
    } else {
      owner->cancelled(index);
    }
    owner->let_go();
    settle_one();
  }
}

// --- the results thread --------------------------------------------------------------------------

void WorkerPool::tell_results_thread() noexcept {
  // seq_cst: see PoolMemory::wake_parent().
  has_news_.store(true, platform::seq_cst);
  memory_.wake_parent_surely();
}

void WorkerPool::read_results() {
  runtime::Self& self = runtime::self();
  for (;;) {
    bool has_read = false;
    for (std::size_t seat = 0; seat < seats_.size(); ++seat) has_read |= read_results_of(seat);
    if (has_news_.load(platform::relaxed) && has_news_.exchange(false, platform::seq_cst)) {
      heed_news();
    } else if (!has_read) {
      if (are_workers_gone_.load(platform::acquire)) break;
      sleep_until_news(self);
    }
  }
  settle_leftovers();
}

bool WorkerPool::read_results_of(std::size_t number) {
  Seat& seat = *seats_[number];
  // First, so that what a dead worker has told is there to be read.
  const bool is_dead = seat.phase.load(platform::acquire) == Seat::Phase::dead;
  // So many at a time, lest other workers wait for tasks meanwhile.
  constexpr int most = 128;
  int read = 0;
  while (is_dead || read < most) {
    const std::optional<ResultRecord> record = seat.reader.peek();
    if (!record) break;
    take_record(seat, *record);
    memory_.drop(seat.reader.beyond_kept(*record));
    seat.reader.pass(*record);
    ++read;
  }
  if (seat.reader.is_damaged() && !seat.is_to_be_killed.exchange(true, platform::relaxed)) {
    ring_supervisor();
  }
  if (is_dead) bury(number);
  if (read == 0 && !is_dead) return false;
  Aftermath aftermath;
  {
    const GuardHolder held(guard_);
    if (options_.is_brittle) adapt_window(static_cast<std::size_t>(read));
    offer_pending(aftermath);
  }
  see_to(aftermath);
  return true;
}

void WorkerPool::take_record(Seat& seat, const ResultRecord& record) {
  if (record.kind == RecordKind::not_ready) {
    seat.not_ready = exception_of(record);
    return;
  }
  TaskOwner* owner = nullptr;
  std::uint32_t index = 0;
  {
    const GuardHolder held(guard_);
    if (record.ticket >= flights_.size() * 256) return;
    Flight& settled = flight(record.ticket);
    // It has failed before, if the pool was broken or terminated.
    if (settled.stage != Flight::Stage::offered) return;
    owner = settled.owner;
    index = settled.index;
    free_flight(record.ticket);
  }
  std::exception_ptr exception;
  if (record.kind == RecordKind::result) {
    try {
      pickle::Reader reader(record.bytes);
      owner->arrived(index, reader);
    } catch (...) {
      exception = not_packed("the result of a task can't be unpacked");
    }
  } else {
    exception = exception_of(record);
  }
  if (exception != nullptr) owner->failed(index, exception);
  owner->let_go();
  settle_one();
}

std::exception_ptr WorkerPool::exception_of(const ResultRecord& record) noexcept {
  try {
    pickle::Reader reader(record.bytes);
    if (record.kind == RecordKind::exit) {
      thread::SystemExit exit;
      reader.read(&exit, sizeof exit);
      throw exit;
    }
    const auto chain = pickle::unpack<std::vector<pickle::ThrownRecord>>(reader);
    if (record.kind != RecordKind::not_packed) return pickle::rebuild_exception(chain);
    throw MaybeEncodingError(
        "the arguments of a task can't be unpacked in its worker, or its "
        "result not packed: " +
        in_words(chain));
  } catch (...) {
    return std::current_exception();
  }
}

bool WorkerPool::is_finished() noexcept {
  const GuardHolder held(guard_);
  if (state() != State::closed || unsettled_.load(platform::acquire) != 0) return false;
  if (sources_ != 0 && !is_sealed_) return false;
  is_sealed_ = true;
  return true;
}

void WorkerPool::heed_news() noexcept {
  tell_of_not_made();
  if (is_finished()) {
    // Workers look at it after they have said that they are idle: see Worker::wait_for_task().
    memory_.words().is_closed.store(1, platform::seq_cst);
    memory_.wake_all_workers();
    ring_supervisor();
  }
  const State now = state();
  if (now == State::broken || now == State::terminated) {
    Line dropped = take_all_flights();
    settle_all(dropped, reason());
  }
}

WorkerPool::Line WorkerPool::take_all_flights() noexcept {
  const GuardHolder held(guard_);
  Line all = std::exchange(pending_, Line{});
  for (std::uint32_t ticket = 0; ticket < flights_.size() * 256; ++ticket) {
    Flight& each = flight(ticket);
    if (each.stage != Flight::Stage::offered) continue;
    // Workers may be at them still.
    --in_flight_;
    each.stage = Flight::Stage::pending;
    add_last(all, ticket);
  }
  return all;
}

// When the workers are gone: what is left, and from now on what comes, is for nobody to do.
void WorkerPool::settle_leftovers() noexcept {
  for (;;) {
    tell_of_not_made();
    Line left = take_all_flights();
    if (left.first == no_ticket) {
      const GuardHolder held(guard_);
      is_over_ = pending_.first == no_ticket && not_made_.empty();
      if (is_over_) return;
    }
    settle_all(left, reason());
  }
}

void WorkerPool::sleep_until_news(runtime::Self& self) {
  platform::atomic<std::uint32_t>& is_asleep = memory_.words().is_parent_asleep;
  const auto has_something = [this] {
    if (has_news_.load(platform::seq_cst)) return true;
    return std::any_of(seats_.begin(), seats_.end(),
                       [](const auto& seat) { return seat->reader.has_record(); });
  };
  // seq_cst: see PoolMemory::wake_parent().
  is_asleep.store(1, platform::seq_cst);
  if (!has_something()) {
    const runtime::Reason reason(runtime::WaitKind::work, this, platform::Reach::machine);
    runtime::SharedWait wait(self, reason, platform::never);
    while (is_asleep.load(platform::acquire) == 1) {
      const runtime::Ended ended = wait.sleep_on(is_asleep, 1);
      if (runtime::must_stop(self)) runtime::stop_for_good(self);
      // A worker may have been killed between telling something and waking us.
      if (ended != runtime::Ended::woken || has_something()) break;
    }
  }
  is_asleep.store(0, platform::relaxed);
}

// Of a pool whose calls can be cancelled until they are offered: so few are offered that it does
// not matter, and so many that workers don't wait. A window is worth some milliseconds.
void WorkerPool::adapt_window(std::size_t settled) noexcept {
  constexpr std::int64_t too_short = 1'000'000;
  constexpr std::int64_t too_long = 4'000'000;
  settled_in_window_ += settled;
  if (settled_in_window_ < window_) return;
  settled_in_window_ = 0;
  const std::int64_t now = platform::now();
  const std::int64_t took = now - window_since_;
  window_since_ = now;
  if (took < too_short) window_ = std::min(window_ * 2, TaskRing::capacity);
  if (took > too_long) window_ = std::max(window_ / 2, workers() + 1);
}

// --- the dead ------------------------------------------------------------------------------------

bool WorkerPool::holds(std::size_t seat, const Flight& flight) const noexcept {
  if (flight.stage != Flight::Stage::offered) return false;
  const TaskRing::Seat taker =
      flight.seat ? flight.seat : memory_.words().tasks.taker_of(flight.position);
  return taker == seat;
}

std::string WorkerPool::name_of_task(Flight& flight) noexcept {
  try {
    TaskReader reader(bytes_of(flight), code_);
    return reinterpret_cast<const TaskKind*>(reader.read_address())->name(reader);
  } catch (...) {
    return "a task";
  }
}

std::string WorkerPool::fate_of(const Seat& seat) const {
  return "worker '" + seat.name + "' (pid " + std::to_string(seat.pid) + ") of " + name_ + " " +
         how_it_ended(seat.exitcode) +
         (seat.reader.is_damaged() ? ", for it had overwritten memory that it shares with the pool"
                                   : "");
}

void WorkerPool::bury(std::size_t number) {
  Seat& seat = *seats_[number];
  Line lost;
  {
    const GuardHolder held(guard_);
    for (std::uint32_t ticket = 0; ticket < flights_.size() * 256; ++ticket) {
      Flight& each = flight(ticket);
      if (!holds(number, each)) continue;
      --in_flight_;
      each.stage = Flight::Stage::pending;
      if (each.retries_left > 0) {
        --each.retries_left;
        add_first(pending_, ticket);
      } else {
        add_last(lost, ticket);
      }
    }
  }
  const bool was_ready = memory_.seat(number).is_ready.load(platform::acquire) != 0;
  const bool is_ending = state() == State::terminated || state() == State::broken;
  if (!is_ending && options_.is_brittle && (seat.exitcode != 0 || lost.first != no_ticket)) {
    const bool had_calls = unsettled_.load(platform::acquire) != 0;
    if (was_ready) {
      break_down(fate_of(seat) +
                 (had_calls ? " while calls were running or pending" : " while it was idle"));
    }
  }
  if (!is_ending && !was_ready) learn_of_failure(seat);
  if (was_ready) failures_in_a_row_ = 0;
  if (lost.first != no_ticket) {
    const State now = state();
    settle_all(lost, now == State::terminated || now == State::broken
                         ? reason()
                         : std::make_exception_ptr(
                               WorkerLost(fate_of(seat) + " before the result of its task came: " +
                                              name_of_task(flight(lost.first)),
                                          seat.pid, seat.exitcode)));
  }
  vacate(number);
}

void WorkerPool::vacate(std::size_t number) noexcept {
  Seat& seat = *seats_[number];
  SeatWords& words = memory_.seat(number);
  memory_.words().idle[number / 64].fetch_and(~(std::uint64_t{1} << (number % 64)),
                                              platform::relaxed);
  words.wake.store(0, platform::relaxed);
  words.is_ready.store(0, platform::relaxed);
  seat.reader.reset();
  seat.is_to_be_killed.store(false, platform::relaxed);
  seat.not_ready = nullptr;
  // It may have been woken for a task that it has not taken any more.
  memory_.wake_worker();
  seat.phase.store(Seat::Phase::vacant, platform::release);
  ring_supervisor();
}

void WorkerPool::learn_of_failure(const Seat& seat) {
  ++failures_in_a_row_;
  // A single one may be bad luck. If all of the workers have failed, and some more, the next will.
  const std::size_t most = options_.is_brittle ? 0 : workers() + 2;
  if (failures_in_a_row_ <= most) return;
  std::string why = fate_of(seat) + " before it was ready";
  if (seat.not_ready != nullptr) {
    why = "the initializer of " + name_ + " has failed in " + std::to_string(failures_in_a_row_) +
          (failures_in_a_row_ == 1 ? " worker" : " workers in a row") + ", at last with " +
          in_words(pickle::describe_exception(seat.not_ready));
  }
  break_down(why);
}

void WorkerPool::break_down(const std::string& why) noexcept {
  {
    const GuardHolder held(guard_);
    if (state() == State::terminated || state() == State::broken) return;
    why_broken_ = why;
    state_.store(State::broken, platform::release);
  }
  tell_results_thread();
  ring_supervisor();
}

// --- the supervisor ------------------------------------------------------------------------------

void WorkerPool::ring_supervisor() noexcept {
  // A full pipe rings as well.
  const std::byte any{1};
  platform::write_now(platform::Stream::other, ringer_, {&any, 1}, {});
}

bool WorkerPool::needs_workers() const noexcept {
  return state() == State::running ||
         (state() == State::closed && memory_.words().is_closed.load(platform::acquire) == 0);
}

std::string WorkerPool::name_of_worker(std::uint64_t number) const {
  const char* const kind = options_.start_method == StartMethod::fork    ? "Fork"
                           : options_.start_method == StartMethod::spawn ? "Spawn"
                                                                         : "ForkServer";
  return kind + ("PoolWorker-" + std::to_string(number));
}

void WorkerPool::start_worker(std::size_t number) {
  Seat& seat = *seats_[number];
  seat.name = name_of_worker(++workers_made_);
  const WorkerDuties duties{
      memory_, static_cast<std::uint16_t>(number), options_.initializer, options_.most_tasks,
      options_.is_brittle ? WorkerDuties::OnExit::fails : WorkerDuties::OnExit::ends};
  Process worker({.target = worker_target(duties, workers()),
                  .name = seat.name,
                  .daemon = true,
                  .start_method = options_.start_method});
  worker.start();
  seat.pid = worker.pid().value_or(0);
  seat.worker.emplace(std::move(worker));
  seat.phase.store(Seat::Phase::alive, platform::release);
}

// False if one could not be started, and it is to be tried again.
bool WorkerPool::fill_seats() {
  for (std::size_t number = 0; number < seats_.size(); ++number) {
    Seat& seat = *seats_[number];
    if (seat.phase.load(platform::acquire) != Seat::Phase::vacant) continue;
    try {
      start_worker(number);
      failed_starts_ = 0;
    } catch (const std::exception& error) {
      if (!has_workers() && ++failed_starts_ >= most_failed_starts) {
        break_down("the workers of " + name_ +
                   " are gone, and others can't be started: " + error.what());
      }
      return false;
    }
  }
  return true;
}

bool WorkerPool::has_workers() const noexcept {
  return std::any_of(seats_.begin(), seats_.end(), [](const auto& seat) {
    return seat->phase.load(platform::acquire) != Seat::Phase::vacant;
  });
}

void WorkerPool::look_for_ends() {
  bool has_ended = false;
  for (const auto& seat : seats_) {
    if (seat->phase.load(platform::relaxed) != Seat::Phase::alive) continue;
    if (seat->worker->is_alive()) {
      if (seat->is_to_be_killed.load(platform::relaxed)) seat->worker->kill();
      continue;
    }
    seat->exitcode = seat->worker->exitcode().value_or(0);
    seat->worker.reset();
    seat->phase.store(Seat::Phase::dead, platform::release);
    has_ended = true;
  }
  if (has_ended) tell_results_thread();
}

void WorkerPool::end_workers() {
  if (kill_at_ == platform::never) {
    for (const auto& seat : seats_) {
      if (seat->phase.load(platform::relaxed) == Seat::Phase::alive) seat->worker->terminate();
    }
    kill_at_ = platform::now() + patience_with_terminated;
  } else if (platform::now() >= kill_at_) {
    for (const auto& seat : seats_) {
      if (seat->phase.load(platform::relaxed) == Seat::Phase::alive) seat->worker->kill();
    }
    kill_at_ = platform::now() + patience_with_terminated;
  }
}

void WorkerPool::supervise() {
  runtime::Self& self = runtime::self();
  std::vector<platform::Watched> watched;
  for (;;) {
    look_for_ends();
    std::int64_t deadline = platform::never;
    if (needs_workers()) {
      if (!fill_seats()) deadline = platform::now() + until_next_start;
    } else if (!has_workers()) {
      break;
    }
    if (state() == State::broken || state() == State::terminated) {
      end_workers();
      deadline = kill_at_;
    }
    watched.clear();
    watched.push_back({bell_, platform::can_read, 0});
    for (const auto& seat : seats_) {
      if (seat->phase.load(platform::relaxed) == Seat::Phase::alive) {
        watched.push_back({seat->worker->sentinel(), platform::can_read, 0});
      }
    }
    runtime::wait_for_descriptors(self, watched, deadline);
    if (runtime::must_stop(self)) runtime::stop_for_good(self);
    std::array<std::byte, 64> rings;
    if (watched.front().revents != 0) platform::read_now(platform::Stream::other, bell_, rings);
  }
  are_workers_gone_.store(true, platform::release);
  tell_results_thread();
}

// --- tasks in the making -------------------------------------------------------------------------

TaskSource::TaskSource(WorkerPool& pool) : pool_(&pool) {
  pool.begin_source();
}

void TaskSource::end() noexcept {
  if (WorkerPool* const pool = std::exchange(pool_, nullptr)) pool->end_source();
}

NewTask::NewTask(WorkerPool& pool, std::size_t size, Origin origin)
    : pool_(pool), ticket_(pool.prepare(size, room_, origin)) {}

NewTask::~NewTask() {
  if (!is_submitted_) pool_.discard(ticket_);
}

CodeTable& NewTask::code() const noexcept {
  return pool_.code();
}

void NewTask::submit(TaskOwner& owner, std::uint32_t index) {
  is_submitted_ = true;
  pool_.submit(ticket_, owner, index);
}

void NewTask::fail(TaskOwner& owner, std::uint32_t index, std::exception_ptr exception) {
  pool_.fail(ticket_, owner, index, std::move(exception));
  is_submitted_ = true;
}

std::exception_ptr not_packed(const std::string& what) noexcept {
  try {
    throw MaybeEncodingError(what + ": " + platform::describe_current_exception());
  } catch (...) {
    return std::current_exception();
  }
}

std::string name_of_function(std::uintptr_t address, const char* type) {
  const std::string name = address == 0 ? std::string() : platform::function_name(address);
  return name.empty() ? platform::readable_name(type) : name;
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
