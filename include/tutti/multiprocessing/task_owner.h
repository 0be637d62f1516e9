// What a pool of processes makes of a task, without the types of its call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>

#include "tutti/pickle/bytes.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

class WorkerPool;
class CodeTable;
class NewTask;

/// Writes a task's bytes. What is code in them, workers find where they have it.
class TaskWriter : public pickle::Writer {
 public:
  explicit TaskWriter(const NewTask& task) noexcept;

  /// Of a function, or a constant, of the program's, in 8 bytes. Throws RuntimeError if the workers
  /// are not forked and it lies in no module: code that was made at run time.
  void write_address(std::uintptr_t address);
  /// The same for a pointer to a member function, in 16 bytes.
  void write_member_function(const void* pointer);

 private:
  CodeTable& code_;
};

/// Reads them.
class TaskReader : public pickle::Reader {
 public:
  TaskReader(std::span<const std::byte> bytes, CodeTable& code) noexcept
      : pickle::Reader(bytes), code_(code) {}

  /// Throws RuntimeError if the module is another build here.
  std::uintptr_t read_address();
  void read_member_function(void* pointer);

 private:
  CodeTable& code_;
};

/// Where a task, in its worker, puts its result.
class TaskResult {
 public:
  /// Where the task is: it says whose fault an exception is.
  enum class Stage { unpacking, calling, packing };
  void enter(Stage stage) noexcept { stage_ = stage; }
  Stage stage() const noexcept { return stage_; }

  /// Room for `size` bytes, until the next call. May be asked for before the call.
  virtual std::span<std::byte> room(std::size_t size) = 0;
  /// The result is the first `size` bytes of the room. The last thing that a task does.
  virtual void commit(std::size_t size) = 0;

 protected:
  ~TaskResult() = default;

 private:
  Stage stage_ = Stage::unpacking;
};

/// A kind of task: a constant, whose address begins a task's bytes.
struct TaskKind {
  /// Reads the rest of the task, makes the call, and commits the result.
  void (*run)(TaskReader& task, TaskResult& result);
  /// Reads it as far as to tell what is called.
  std::string (*name)(TaskReader& task);
};

/// Whom the results of one or more tasks go to: a future, or a map. Counted by who refers to it.
/// Its functions are called in one thread of the parent, except begin() and, once there are no
/// workers any more, by whoever submits.
class TaskOwner {
 public:
  virtual void hold() noexcept = 0;
  virtual void let_go() noexcept = 0;

  /// The task is about to be offered to the workers: false if it is not wanted any more. Called
  /// under the pool's guard, once.
  virtual bool begin(std::uint32_t index) noexcept = 0;
  /// Its result has come. What this throws goes to failed().
  virtual void arrived(std::uint32_t index, pickle::Reader& result) = 0;
  /// It has thrown, is lost, or will never be made.
  virtual void failed(std::uint32_t index, const std::exception_ptr& exception) noexcept = 0;
  /// It is not wanted any more, and no worker was offered it.
  virtual void cancelled(std::uint32_t index) noexcept = 0;

 protected:
  ~TaskOwner() = default;
};

/// Who makes tasks one after the other, as somebody wants their results. It may go on when the pool
/// was closed, and the workers then stay until it ends; but whoever joins the pool does not wait
/// for it, since nobody may want the results any more.
class TaskSource {
 public:
  /// Throws what says why there can be no tasks. The pool lives longer.
  explicit TaskSource(WorkerPool& pool);
  ~TaskSource() { end(); }
  TaskSource(const TaskSource&) = delete;
  TaskSource& operator=(const TaskSource&) = delete;

  /// There will be no more. Does nothing when called again.
  void end() noexcept;

 private:
  WorkerPool* pool_;
};

/// Whose task it is.
enum class Origin { call, source };

/// A task that is being made: first there is room for it, then it is written, then submitted.
class NewTask {
 public:
  /// Throws what submit() of the pool throws; OSError when there is no room for `size` bytes.
  NewTask(WorkerPool& pool, std::size_t size, Origin origin = Origin::call);
  /// Gives the room back if the task was not submitted.
  ~NewTask();
  NewTask(const NewTask&) = delete;
  NewTask& operator=(const NewTask&) = delete;

  std::span<std::byte> room() const noexcept { return room_; }
  CodeTable& code() const noexcept;
  /// Its result is the owner's `index`th.
  void submit(TaskOwner& owner, std::uint32_t index);
  /// It could not be made: the owner is told as if it had failed in a worker.
  void fail(TaskOwner& owner, std::uint32_t index, std::exception_ptr exception);

 private:
  WorkerPool& pool_;
  std::span<std::byte> room_;
  std::uint32_t ticket_;
  bool is_submitted_ = false;
};

/// What a function of the program's that packs or unpacks has thrown, the exception being handled,
/// as a MaybeEncodingError about `what`.
std::exception_ptr not_packed(const std::string& what) noexcept;
/// The name of a function, as the program's symbols have it, or its type's.
std::string name_of_function(std::uintptr_t address, const char* type);

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
