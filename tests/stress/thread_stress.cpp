// Threads that are born and die, in all ways there are.
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <thread>

#include "stress/stress.h"
#include "support/until.h"
#include "tutti/inspect.h"
#include "tutti/thread.h"
#include "tutti/threading.h"

namespace tests {

namespace threading = tutti::threading;
using threading::Thread;

class ThreadStress : public Stress {};

TEST_F(ThreadStress, SixtyFourLiveAndReplaceEachOther) {
  constexpr int most = 64;
  threading::Semaphore places(most);
  threading::Lock lock;
  std::int64_t ran = 0;
  std::atomic<std::int64_t> started{0};
  std::atomic<int> wrong{0};
  const auto life = [&](Dice dice) {
    const std::uint64_t ident = threading::get_ident();
    dice.dawdle();
    if (threading::current_thread().ident() != ident) ++wrong;
    {
      const std::scoped_lock held(lock);
      ++ran;
    }
    places.release();
  };
  start(3, [&](Dice& dice) {
    places.acquire();
    ++started;
    const auto work = [&life, own = Dice(static_cast<std::uint64_t>(dice.below(1'000'000)))] {
      life(own);
    };
    switch (dice.below(5)) {
      case 0: {
        Thread thread(work);
        thread.start();
        thread.join();
        if (thread.is_alive()) ++wrong;
        break;
      }
      case 1:
        Thread(work).start();
        break;
      case 2:
        tutti::thread::start_new_thread(work);
        break;
      case 3:
        std::thread(work).join();
        break;
      default: {
        Thread thread({.target = work, .daemon = true});
        thread.start();
        while (!dice.one_in(3)) thread.join(dice.timeout(std::chrono::milliseconds(1)));
        break;
      }
    }
  });
  start(1, [&](Dice& dice) {
    for (const Thread& thread : threading::enumerate()) {
      if (thread.name().empty()) ++wrong;
      (void)thread.state().to_string();
    }
    if (tutti::inspect::threads().size() > most + 12) ++wrong;
    dice.dawdle();
  });
  run();
  for (int i = 0; i < most; ++i) places.acquire();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(ran, started);
  until([] { return threading::active_count() == 1; }, "all threads to leave");
}

TEST_F(ThreadStress, ManyJoinOne) {
  std::atomic<int> wrong{0};
  threading::Lock lock;
  std::optional<Thread> current;
  start(5, [&](Dice& dice) {
    std::optional<Thread> joined;
    {
      const std::scoped_lock held(lock);
      joined = current;
    }
    if (!joined) return dice.dawdle();
    if (dice.one_in(2)) {
      joined->join();
      if (joined->is_alive()) ++wrong;
    } else {
      joined->join(dice.timeout(std::chrono::milliseconds(1)));
    }
  });
  run([&](Dice& dice) {
    Thread next(
        [work = Dice(static_cast<std::uint64_t>(dice.below(1000)))]() mutable { work.dawdle(); });
    next.start();
    const std::scoped_lock held(lock);
    current = next;
  });
  EXPECT_EQ(wrong, 0);
}

TEST_F(ThreadStress, LocalsAreMadeAndDestroyedOnceAThread) {
  std::atomic<std::int64_t> alive{0};
  struct Counted {
    explicit Counted(std::atomic<std::int64_t>& number) : alive(&number) { ++*alive; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --*alive; }
    std::atomic<std::int64_t>* alive;
    int uses = 0;
  };
  {
    threading::Local<std::shared_ptr<Counted>> first(
        [&] { return std::make_shared<Counted>(alive); });
    threading::Local<std::shared_ptr<Counted>> second(
        [&] { return std::make_shared<Counted>(alive); });
    start(4, [&](Dice& dice) {
      Thread thread([&, n = dice.below(3)] {
        if (n != 0) ++(*first)->uses;
        if (n != 1) ++(*second)->uses;
        if (n != 0 && (*first)->uses != 1) alive += 1000;
      });
      thread.start();
      ++(*first)->uses;
      thread.join();
    });
    run();
    EXPECT_EQ(alive, 0) << "all threads have ended";
  }
  EXPECT_EQ(alive, 0);
}

}  // namespace tests
