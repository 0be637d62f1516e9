// The children take chunks off one counter, so a chunk is begun by one child only; which are done
// is in a table that each child changes for its own chunks. A child that is killed leaves its chunk
// open, and blocks nobody, for nobody waits for anything but the children's ends.
#include "tutti/multiprocessing/forked_run.h"

#include <algorithm>
#include <string>
#include <utility>

#include "platform/segment.h"
#include "tutti/errors.h"
#include "tutti/multiprocessing/process.h"
#include "tutti/multiprocessing/worker_lost.h"
#include "tutti/pickle/packed.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::forking {

using platform::atomic;

struct alignas(ForkedRun::alignment) ForkedRun::Progress {
  /// How many of the chunks that were open at the fork have been taken.
  atomic<std::size_t> taken;
  /// The first chunk in which a call has thrown; their number if none has. What comes after it is
  /// not worth doing any more.
  atomic<std::size_t> first_failed;
};

struct ForkedRun::Chunk {
  enum class State : std::uint32_t { open, done, failed };

  /// Written last, by the child that has taken the chunk.
  // release, pairs with the acquire in the parent, though that looks only when the child has ended.
  atomic<State> state;
  std::uint32_t child;
  /// Where in the child's memory its packed results lie, or the exception.
  std::size_t offset;
  std::size_t size;
};

namespace {

std::size_t at_least_zero(int value, const char* what) {
  if (value < 0) {
    throw ValueError("fork_map: " + std::string(what) + " must be 0 or more, and not " +
                     std::to_string(value));
  }
  return static_cast<std::size_t>(value);
}

constexpr std::size_t ceiling(std::size_t n, std::size_t parts) {
  return n / parts + (n % parts != 0 ? 1 : 0);
}

constexpr std::size_t chunks_a_process = 4;

constexpr std::size_t smallest_pack = std::size_t{4} << 20;
// Of the addresses that a process has, this is a sixteenth.
constexpr std::size_t most_in_all = std::size_t{8} << 40;

}  // namespace

// The processes of one round. Whatever happens, none is left.
class ForkedRun::Children {
 public:
  ~Children() {
    for (Process& child : children_) child.kill();
    for (Process& child : children_) join_at_all_events(child);
  }
  Children() = default;
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  void start(Callable target) {
    Process child({.target = std::move(target),
                   .daemon = true,
                   // It has the items and the function because it is a copy.
                   .start_method = StartMethod::fork});
    child.start();
    children_.push_back(child);
  }
  void join() {
    for (Process& child : children_) child.join();
  }
  /// How those have ended that did not do so in the ordinary way.
  std::string ends() const {
    std::string text;
    for (const Process& child : children_) {
      const int code = child.exitcode().value_or(0);
      if (code == 0) continue;
      if (!text.empty()) text += ", ";
      text += "process " + std::to_string(child.pid().value_or(0)) +
              (code < 0 ? " was killed by signal " : " has ended with exit code ") +
              std::to_string(std::abs(code));
    }
    return text.empty() ? "a process has ended" : text;
  }

 private:
  static void join_at_all_events(Process& child) noexcept {
    for (;;) {
      try {
        child.join();
        return;
      } catch (const KeyboardInterrupt&) {
        // It has been killed: the wait is short, and the interruption is on its way already.
      }
    }
  }

  std::vector<Process> children_;
};

ForkedRun::ForkedRun(std::size_t items, std::size_t width, const ForkMapOptions& options)
    : items_(items),
      width_(width),
      processes_(at_least_zero(options.processes, "processes")),
      chunksize_(at_least_zero(options.chunksize, "chunksize")),
      retries_(static_cast<int>(at_least_zero(options.retries, "retries"))) {
  if (processes_ == 0) processes_ = static_cast<std::size_t>(platform::cores());
  if (chunksize_ == 0) {
    chunksize_ = std::max<std::size_t>(ceiling(items_, processes_ * chunks_a_process), 1);
  }
  chunks_ = ceiling(items_, chunksize_);
  processes_ = std::min(processes_, chunks_);

  const std::size_t table =
      sizeof(Progress) + ceiling(chunks_ * sizeof(Chunk), alignment) * alignment;
  shared_ = Segment::make(table + std::max<std::size_t>(items_ * width_, 1), "tutti-fork-map");
  progress_ = reinterpret_cast<Progress*>(shared_.data());
  table_ = reinterpret_cast<Chunk*>(shared_.data() + sizeof(Progress));
  places_ = shared_.data() + table;
  progress_->first_failed.store(chunks_, platform::relaxed);
  // Sparse: a child may pack as much as there is memory. Of results that are kept elsewhere, it
  // packs exceptions.
  const std::size_t parts = std::max<std::size_t>(processes_, 1);
  const std::size_t largest_pack =
      width_ != 0 ? smallest_pack
                  : std::clamp(most_in_all / parts, smallest_pack,
                               std::max(platform::memory_of_machine(), smallest_pack));
  packs_ = Segment::make_largest(largest_pack * parts, smallest_pack * parts, "tutti-fork-map");
  pack_size_ = packs_.size() / parts;
}

ForkedRun::~ForkedRun() = default;

std::size_t ForkedRun::items_of(std::size_t chunk) const noexcept {
  return std::min(chunksize_, items_ - chunk * chunksize_);
}

std::span<std::byte> ForkedRun::pack_of(std::size_t child) const noexcept {
  return {packs_.data() + child * pack_size_, pack_size_};
}

std::span<std::byte> ForkedRun::room(std::size_t size) {
  const std::span<std::byte> pack = pack_of(child_);
  if (size > pack.size() - used_) {
    throw RuntimeError("fork_map: the results of one process do not fit into the " +
                       std::to_string(pack.size()) + " bytes that it has for them");
  }
  const std::span<std::byte> room(pack.data() + used_, size);
  used_ += size;
  return room;
}

std::span<const std::byte> ForkedRun::packed(std::size_t chunk) const noexcept {
  const Chunk& found = table_[chunk];
  return pack_of(found.child).subspan(found.offset, found.size);
}

void ForkedRun::perform(Work& work) {
  std::vector<std::size_t> open(chunks_);
  for (std::size_t i = 0; i < chunks_; ++i) open[i] = i;
  for (int retries_left = retries_; !open.empty(); --retries_left) {
    progress_->taken.store(0, platform::relaxed);
    Children children;
    for (std::size_t child = 0; child < std::min(processes_, open.size()); ++child) {
      children.start([this, &work, child, &open] { perform_in_child(work, child, open); });
    }
    children.join();
    open = still_open(open);
    if (!open.empty() && retries_left == 0) {
      const std::size_t first = open.front() * chunksize_;
      throw WorkerLost("fork_map: " + children.ends() + " before items " + std::to_string(first) +
                       " to " + std::to_string(first + items_of(open.front()) - 1) +
                       " were done: look why, or have them done again by the option `retries`");
    }
  }
  throw_first_error();
}

std::vector<std::size_t> ForkedRun::still_open(const std::vector<std::size_t>& of) const {
  std::vector<std::size_t> open;
  const std::size_t end = progress_->first_failed.load(platform::acquire);
  for (const std::size_t chunk : of) {
    const bool is_open = table_[chunk].state.load(platform::acquire) == Chunk::State::open;
    if (is_open && chunk < end) open.push_back(chunk);
  }
  return open;
}

void ForkedRun::throw_first_error() const {
  const std::size_t failed = progress_->first_failed.load(platform::acquire);
  if (failed == chunks_) return;
  pickle::Reader reader(packed(failed));
  std::rethrow_exception(pickle::unpack<std::exception_ptr>(reader));
}

void ForkedRun::perform_in_child(Work& work, std::size_t child,
                                 const std::vector<std::size_t>& open) {
  child_ = child;
  // One that was lost may have packed something here before.
  for (const Chunk& chunk : std::span(table_, chunks_)) {
    if (chunk.child == child) used_ = std::max(used_, chunk.offset + chunk.size);
  }
  for (;;) {
    // relaxed: the counter guards nothing but itself.
    const std::size_t next = progress_->taken.fetch_add(1, platform::relaxed);
    if (next >= open.size()) return;
    const std::size_t number = open[next];
    if (number > progress_->first_failed.load(platform::relaxed)) return;
    Chunk& chunk = table_[number];
    chunk.child = static_cast<std::uint32_t>(child);
    chunk.offset = used_;
    try {
      work.run(*this, number * chunksize_, number * chunksize_ + items_of(number));
      chunk.size = used_ - chunk.offset;
      chunk.state.store(Chunk::State::done, platform::release);
    } catch (...) {
      fail(chunk, std::current_exception());
    }
  }
}

// The results of the chunk so far are given up.
void ForkedRun::fail(Chunk& chunk, const std::exception_ptr& error) {
  used_ = chunk.offset;
  chunk.size = pickle::packed_size(error);
  pickle::Writer writer(room(chunk.size));
  pickle::pack(writer, error);
  chunk.state.store(Chunk::State::failed, platform::release);
  const auto number = static_cast<std::size_t>(&chunk - table_);
  std::size_t first = progress_->first_failed.load(platform::relaxed);
  // release: whoever sees the number sees the exception.
  while (number < first && !progress_->first_failed.compare_exchange_weak(
                               first, number, platform::release, platform::relaxed)) {
  }
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::forking
