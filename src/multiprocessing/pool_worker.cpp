#include "multiprocessing/pool_worker.h"

#include <cstring>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/describe.h"
#include "runtime/shared_waiting.h"
#include "tutti/errors.h"
#include "tutti/multiprocessing/task_owner.h"
#include "tutti/pickle/exceptions.h"
#include "tutti/pickle/packed.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

// A task, its bytes, and where its result goes.
class Running final : public TaskResult {
 public:
  Running(const WorkerDuties& duties, CodeTable& code, ResultWriter& writer,
          const OfferedTask& task) noexcept
      : memory_(duties.memory),
        on_exit_(duties.on_exit),
        code_(code),
        writer_(writer),
        task_(task) {}

  // What ends the process comes out: a thread::SystemExit.
  void run() {
    platform::run_guarded([](void* self) { static_cast<Running*>(self)->call(); },
                          [](void* self) { static_cast<Running*>(self)->take_exception(); },
                          [](void*) {}, this);
    if (is_exit_) std::rethrow_exception(exit_);
  }

  std::span<std::byte> room(std::size_t size) override { return writer_.room(size); }
  void commit(std::size_t size) override { tell(RecordKind::result, size); }

 private:
  void call() {
    TaskReader reader(bytes(), code_);
    const auto* const kind = reinterpret_cast<const TaskKind*>(reader.read_address());
    kind->run(reader, *this);
  }

  std::span<const std::byte> bytes() const noexcept {
    if (task_.is_inline != 0) return std::as_bytes(std::span(task_.words));
    return memory_.task_bytes().subspan(task_.words[0], task_.words[1]);
  }

  void tell(RecordKind kind, std::size_t size) noexcept {
    writer_.commit(kind, task_.ticket, size);
    memory_.wake_parent();
  }

  void take_exception() {
    try {
      throw;
    } catch (const thread::SystemExit& exit) {
      if (on_exit_ == WorkerDuties::OnExit::fails) {
        std::memcpy(room(sizeof exit).data(), &exit, sizeof exit);
        tell(RecordKind::exit, sizeof exit);
        return;
      }
      is_exit_ = true;
      exit_ = std::current_exception();
    } catch (...) {
      tell_exception(stage() == Stage::calling ? RecordKind::exception : RecordKind::not_packed);
    }
  }

  void tell_exception(RecordKind kind) {
    const std::vector<pickle::ThrownRecord> chain =
        pickle::describe_exception(std::current_exception());
    const std::size_t size = pickle::packed_size(chain);
    pickle::Writer writer(room(size));
    pickle::pack(writer, chain);
    tell(kind, writer.written());
  }

  const PoolMemory& memory_;
  const WorkerDuties::OnExit on_exit_;
  CodeTable& code_;
  ResultWriter& writer_;
  const OfferedTask& task_;
  bool is_exit_ = false;
  std::exception_ptr exit_;
};

class Worker {
 public:
  explicit Worker(const WorkerDuties& duties) noexcept
      : duties_(duties),
        words_(duties.memory.words()),
        seat_(duties.memory.seat(duties.seat)),
        code_(duties.modules),
        writer_(duties.memory.results_of(duties.seat)) {}

  void begin() {
    if (duties_.initializer) call_initializer();
    seat_.is_ready.store(1, platform::release);
  }

  void run_tasks() {
    for (std::uint64_t done = 0; !duties_.most_tasks || done < *duties_.most_tasks; ++done) {
      const std::optional<OfferedTask> task = next_task();
      if (!task) return;
      Running(duties_, code_, writer_, *task).run();
    }
  }

 private:
  void call_initializer() {
    try {
      duties_.initializer();
    } catch (const thread::SystemExit&) {
      throw;
    } catch (...) {
      const std::vector<pickle::ThrownRecord> chain =
          pickle::describe_exception(std::current_exception());
      pickle::Writer writer(writer_.room(pickle::packed_size(chain)));
      pickle::pack(writer, chain);
      writer_.commit(RecordKind::not_ready, 0, writer.written());
      // The parent tells of it.
      throw thread::SystemExit{1};
    }
  }

  // None when the worker is to end.
  std::optional<OfferedTask> next_task() {
    for (;;) {
      if (auto task = words_.tasks.take(duties_.seat)) return task;
      // Set when no task is left. acquire: only for the order of things.
      if (words_.is_closed.load(platform::acquire) != 0 || !wait_for_task()) return std::nullopt;
    }
  }

  // False when the main thread was interrupted: by Ctrl-C, which the parent has got, too.
  //
  // A worker that goes on takes its bit back, also when it was woken: the one who took a bit away
  // may have stored `wake` so late that it ended the next wait, in which the bit was set again. A
  // wake that finds the bit of a worker who is busy would be lost.
  bool wait_for_task() {
    platform::atomic<std::uint64_t>& idle = words_.idle[duties_.seat / 64];
    const std::uint64_t mine = std::uint64_t{1} << (duties_.seat % 64);
    seat_.wake.store(0, platform::relaxed);
    // seq_cst: see TaskRing::offer(). Whoever closes the pool looks who is idle after that, too.
    idle.fetch_or(mine, platform::seq_cst);
    if (!has_cause_to_go_on() && !sleep_until_woken()) return false;
    // acquire: pairs with the release of who has taken the bit away already, so that his task, too,
    // is seen by the next look for one.
    idle.fetch_and(~mine, platform::acquire);
    return true;
  }

  bool has_cause_to_go_on() noexcept {
    return words_.tasks.has_task() || words_.is_closed.load(platform::seq_cst) != 0;
  }

  bool sleep_until_woken() {
    runtime::Self& self = runtime::self();
    const runtime::Reason reason(runtime::WaitKind::work, &seat_, platform::Reach::machine);
    runtime::SharedWait wait(self, reason, platform::never);
    while (seat_.wake.load(platform::acquire) == 0) {
      const runtime::Ended ended = wait.sleep_on(seat_.wake, 0);
      if (ended == runtime::Ended::interrupted) return false;
      if (ended != runtime::Ended::woken) runtime::throw_if_broken_off(self, ended);
      // Whoever was woken for a task may have been killed before it took that.
      if (has_cause_to_go_on()) return true;
    }
    return true;
  }

  const WorkerDuties& duties_;
  PoolWords& words_;
  SeatWords& seat_;
  CodeTable code_;
  ResultWriter writer_;
};

// What a worker is told that is no copy of its parent.
struct Told {
  /// The index of the memory's descriptor, and for how many workers it is.
  int memory = -1;
  std::uint64_t workers = 0;
  std::uint16_t seat = 0;
  std::optional<std::uint64_t> most_tasks;
  WorkerDuties::OnExit on_exit = WorkerDuties::OnExit::ends;
  /// A Crossing::Entry; without a build if there is none.
  FunctionName initializer;
  // What the initializer's entry reads follows.
};

void work_as_told(pickle::Reader& reader) {
  const auto told = pickle::unpack<Told>(reader);
  const auto workers = static_cast<std::size_t>(told.workers);
  const PoolMemory memory(workers, Segment::adopt(reader.passage()->take_descriptor(told.memory),
                                                  PoolMemory::least_size(workers), "tutti pool"));
  Callable initializer;
  if (!told.initializer.build.empty()) {
    initializer = Callable(
        [&] { reinterpret_cast<Crossing::Entry>(find_function(told.initializer))(reader); });
  }
  work_for_pool({memory, told.seat, initializer, told.most_tasks, told.on_exit, &memory.modules()});
}

class WorkerTarget final : public Invocation, public Crossing {
 public:
  WorkerTarget(const WorkerDuties& duties, std::size_t workers) noexcept
      : duties_(duties), workers_(workers) {}

  void call() override { work_for_pool(duties_); }
  const Crossing* crossing() const noexcept override {
    return duties_.initializer && initializer() == nullptr ? nullptr : this;
  }
  std::string obstacle() const override {
    return "the pool's initializer: " + duties_.initializer.obstacle();
  }

  Entry entry() const noexcept override { return work_as_told; }
  std::size_t size() const override {
    return pickle::packed_size(told()) + (duties_.initializer ? initializer()->size() : 0);
  }
  void write(pickle::Writer& writer) const override {
    Told all = told();
    all.memory = writer.passage()->add_descriptor(duties_.memory.segment().descriptor());
    pickle::pack(writer, all);
    if (duties_.initializer) initializer()->write(writer);
  }

 private:
  const Crossing* initializer() const noexcept { return duties_.initializer.crossing(); }

  Told told() const {
    Told told;
    told.workers = workers_;
    told.seat = duties_.seat;
    told.most_tasks = duties_.most_tasks;
    told.on_exit = duties_.on_exit;
    if (duties_.initializer) {
      told.initializer = name_function(reinterpret_cast<std::uintptr_t>(initializer()->entry()));
    }
    return told;
  }

  const WorkerDuties duties_;
  const std::size_t workers_;
};

}  // namespace

Callable worker_target(const WorkerDuties& duties, std::size_t workers) {
  return Callable(std::make_unique<WorkerTarget>(duties, workers));
}

void work_for_pool(const WorkerDuties& duties) {
  Worker worker(duties);
  worker.begin();
  worker.run_tasks();
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
