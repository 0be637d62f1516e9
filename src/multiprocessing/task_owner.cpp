#include "tutti/multiprocessing/task_owner.h"

#include <cstring>
#include <utility>

#include "multiprocessing/worker_pool.h"
#include "platform/stack.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

// A pointer to a member function as compilers lay it out (Itanium C++ ABI, 2.3; on arm64 with the
// change of its own ABI).
struct MemberFunction {
  /// Of the code, or where it stands in the virtual table.
  std::uintptr_t code;
  std::ptrdiff_t adjustment;

  bool is_virtual() const noexcept {
#if defined(__aarch64__)
    return (adjustment & 1) != 0;
#else
    return (code & 1) != 0;
#endif
  }
};

}  // namespace

TaskWriter::TaskWriter(const NewTask& task) noexcept
    : pickle::Writer(task.room()), code_(task.code()) {}

void TaskWriter::write_address(std::uintptr_t address) {
  const std::uint64_t word = code_.word_for(address);
  write(&word, sizeof word);
}

void TaskWriter::write_member_function(const void* pointer) {
  MemberFunction function;
  std::memcpy(&function, pointer, sizeof function);
  if (!function.is_virtual()) function.code = code_.word_for(function.code);
  write(&function, sizeof function);
}

std::uintptr_t TaskReader::read_address() {
  std::uint64_t word = 0;
  read(&word, sizeof word);
  return code_.address_of(word);
}

void TaskReader::read_member_function(void* pointer) {
  MemberFunction function;
  read(&function, sizeof function);
  if (!function.is_virtual()) function.code = code_.address_of(function.code);
  std::memcpy(pointer, &function, sizeof function);
}

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
