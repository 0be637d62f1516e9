#include "tutti/futures/parallel.h"

#include <cstdint>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "futures/worker.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::futures {

namespace {

constexpr std::int64_t short_loop = 5'000;
constexpr std::int64_t short_piece = 50'000;
constexpr std::int64_t long_piece = 1'000'000;

// The places from `next` on are nobody's yet; whoever raises it has those between.
class Loop {
 public:
  // The caller is one of the parties, whether it is a worker or not.
  Loop(ThreadPoolExecutor& pool, std::size_t count, Piece piece, void* work,
       std::exception_ptr& failure)
      : pool_(pool),
        count_(count),
        parties_(std::min(pool.max_workers(), count)),
        piece_(piece),
        work_(work),
        failure_(failure),
        invited_(parties_ - 1) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() {
    // In the order in which one has invited the other: when one has ended, its guest is known.
    for (std::optional<Future<void>>& guest : invited_) {
      if (!guest) break;
      // One that has not begun would find nothing, and must not come when the loop is gone.
      if (!guest->cancel()) guest->state().wait_unconditionally();
    }
  }

  /// Has a worker come and work, as number `guest` of those who are invited.
  void invite(std::size_t guest) noexcept {
    if (guest == invited_.size() || is_over()) return;
    try {
      invited_[guest] = pool_.submit([this, guest] {
        invite(guest + 1);
        work([](std::int64_t) {});
      });
    } catch (const std::exception&) {
      // No memory, no thread, a shutdown meanwhile: those who are there do all the work.
    }
  }

  /// What the caller does. It invites others at once if somebody is free, and otherwise when the
  /// loop has turned out not to be a short one.
  void host() noexcept {
    bool has_invited = false;
    const auto invite_once = [&] {
      if (!std::exchange(has_invited, true)) invite(0);
    };
    if (pool_.has_free_worker()) invite_once();
    const std::int64_t begin = platform::now();
    work([&](std::int64_t now) {
      if (now - begin >= short_loop) invite_once();
    });
  }

 private:
  // Calls `after_piece` with the time after each piece.
  template <typename AfterPiece>
  void work(AfterPiece after_piece) noexcept {
    std::size_t largest = 1;
    std::size_t first;
    std::int64_t begin = platform::now();
    while (const std::size_t size = take(largest, first)) {
      do_piece(first, first + size);
      const std::int64_t end = platform::now();
      if (end - begin < short_piece && largest < count_) largest *= 2;
      if (end - begin > long_piece && largest > 1) largest /= 2;
      after_piece(end);
      begin = end;
    }
  }

  struct Part {
    Loop& loop;
    std::size_t first;
    std::size_t last;
  };

  /// How many places, from `first` on, are now the caller's; 0 when there are none left for it.
  std::size_t take(std::size_t largest, std::size_t& first) noexcept {
    const platform::Operation operation("parallel loop", this);
    if (has_failed_.load(platform::relaxed)) return 0;
    first = next_.load(platform::relaxed);
    std::size_t size;
    do {
      const std::size_t left = count_ - first;
      size = std::min({std::max<std::size_t>(left / (2 * parties_), 1), largest, left});
      // relaxed: places carry no data, and what a piece has done is seen through its thread's
      // future.
    } while (size > 0 && !next_.compare_exchange_weak(first, first + size, platform::relaxed));
    return size;
  }

  bool is_over() const noexcept {
    const platform::Operation operation("parallel loop", this, platform::Access::read);
    return next_.load(platform::relaxed) == count_ || has_failed_.load(platform::relaxed);
  }

  void do_piece(std::size_t first, std::size_t last) noexcept {
    Part part{*this, first, last};
    platform::run_guarded(
        [](void* pointer) {
          const Part& mine = *static_cast<Part*>(pointer);
          mine.loop.piece_(mine.loop.work_, mine.first, mine.last);
        },
        [](void* pointer) { static_cast<Part*>(pointer)->loop.fail(std::current_exception()); },
        refuse_thread_exit, &part);
  }

  void fail(std::exception_ptr exception) noexcept {
    const platform::Operation operation("parallel loop", this);
    if (!has_failed_.exchange(true, platform::relaxed)) failure_ = std::move(exception);
  }

  ThreadPoolExecutor& pool_;
  const std::size_t count_;
  const std::size_t parties_;
  const Piece piece_;
  void* const work_;
  platform::atomic<std::size_t> next_{0};
  platform::atomic<bool> has_failed_{false};
  /// Written by the one that has set the flag; read when all have ended.
  std::exception_ptr& failure_;
  std::vector<std::optional<Future<void>>> invited_;
};

}  // namespace

void share_out(ThreadPoolExecutor& pool, std::size_t count, Piece piece, void* work) {
  pool.check_open();
  if (count == 0) return;
  std::exception_ptr failure;
  {
    Loop loop(pool, count, piece, work, failure);
    loop.host();
  }
  if (failure != nullptr) std::rethrow_exception(failure);
}

}  // namespace tutti::inline TUTTI_ABI::futures
