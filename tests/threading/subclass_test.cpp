// Classes derived from threading::Thread.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "support/journal.h"
#include "support/until.h"
#include "tutti/threading/event.h"
#include "tutti/threading/thread.h"
#include "tutti/threading/timer.h"

namespace tests {

using tutti::threading::Event;
using tutti::threading::Phase;
using tutti::threading::Thread;

class Adder : public Thread {
 public:
  Adder(int a, int b) : Thread({.name = "adder"}), a_(a), b_(b) {}
  ~Adder() override {
    if (ident()) join();
  }
  void run() override { sum_ = a_ + b_; }
  int sum() const { return sum_; }

 private:
  int a_;
  int b_;
  int sum_ = 0;
};

TEST(ThreadSubclass, RunsItsRun) {
  Adder adder(3, 4);
  EXPECT_EQ(adder.name(), "adder");
  adder.start();
  adder.join();
  EXPECT_EQ(adder.sum(), 7);
}

TEST(ThreadSubclass, MayBeDestroyedWithoutEverBeingStarted) {
  const Adder adder(1, 2);
}

TEST(ThreadSubclass, MayCallTheTargetFromItsRun) {
  class Wrapped : public Thread {
   public:
    explicit Wrapped(Journal<int>& steps) : Thread([&steps] { steps.add(2); }), steps_(steps) {}
    ~Wrapped() override { join(); }
    void run() override {
      steps_.add(1);
      Thread::run();
      steps_.add(3);
    }

   private:
    Journal<int>& steps_;
  };
  Journal<int> steps;
  {
    Wrapped thread(steps);
    thread.start();
  }
  EXPECT_EQ(steps.entries(), (std::vector<int>{1, 2, 3}));
}

TEST(ThreadSubclass, RunCalledByHandRunsInTheCaller) {
  std::uint64_t ran_in = 0;
  Thread thread([&] { ran_in = tutti::threading::get_ident(); });
  thread.run();
  EXPECT_EQ(ran_in, tutti::threading::get_ident());
  EXPECT_FALSE(thread.is_alive());
}

TEST(ThreadSubclass, HeldBySharedPtrIsKeptAliveByItsRun) {
  class Worker : public Thread {
   public:
    Worker(Event& go, Journal<int>& steps) : go_(go), steps_(steps) {}
    ~Worker() override { steps_.add(2); }
    void run() override {
      go_.wait();
      steps_.add(number_);
    }

   private:
    Event& go_;
    Journal<int>& steps_;
    int number_ = 1;
  };
  Event go;
  Journal<int> steps;
  auto worker = std::make_shared<Worker>(go, steps);
  const std::weak_ptr<Worker> observer = worker;
  Thread handle = *worker;
  worker->start();
  worker.reset();
  EXPECT_FALSE(observer.expired());
  EXPECT_EQ(steps.size(), 0u);
  go.set();
  handle.join();
  EXPECT_TRUE(observer.expired()) << "the thread has ended: nobody needs the object any more";
  EXPECT_EQ(steps.entries(), (std::vector<int>{1, 2}));
}

TEST(ThreadSubclass, ItsDestructionWaitsForItsRun) {
  class Worker : public Thread {
   public:
    Worker(Event& started, Journal<int>& steps) : started_(started), steps_(steps) {}
    void run() override {
      // References only: members of the derived class may be gone while this runs.
      Event& started = started_;
      Journal<int>& steps = steps_;
      started.set();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      steps.add(1);
    }

   private:
    Event& started_;
    Journal<int>& steps_;
  };
  Event started;
  Journal<int> steps;
  {
    Worker worker(started, steps);
    worker.start();
    started.wait();
  }
  EXPECT_EQ(steps.entries(), std::vector<int>{1});
}

TEST(ThreadSubclass, CopiedToAHandleIsTheSameThread) {
  Adder adder(1, 1);
  const Thread handle = adder;
  EXPECT_EQ(handle, adder);
  adder.start();
  adder.join();
  EXPECT_FALSE(handle.is_alive());
  EXPECT_EQ(handle.state(), Phase::dead);
}

TEST(ThreadSubclass, StartedThroughACopiedHandleDoesNotRunTheDerivedRun) {
  // A copy as a Thread is sliced: it has the identity, not the class. Its run() is Thread's.
  Adder adder(2, 2);
  Thread handle = adder;
  handle.start();
  handle.join();
  EXPECT_EQ(adder.sum(), 0);
}

TEST(ThreadSubclass, MayDeriveFromSeveralClasses) {
  struct Other {
    virtual ~Other() = default;
    int padding[4] = {1, 2, 3, 4};
  };
  class Both : public Other, public Thread {
   public:
    ~Both() override { join(); }
    void run() override { sum = padding[0] + padding[3]; }
    int sum = 0;
  };
  Both both;
  both.start();
  both.join();
  EXPECT_EQ(both.sum, 5);
}

TEST(ThreadSubclass, MayBeDerivedVirtually) {
  class Middle : public virtual Thread {};
  class Bottom : public Middle {
   public:
    ~Bottom() override { join(); }
    void run() override { ran = true; }
    bool ran = false;
  };
  Bottom bottom;
  bottom.start();
  bottom.join();
  EXPECT_TRUE(bottom.ran);
}

TEST(ThreadSubclass, RunIsFoundThroughSeveralLevels) {
  class Upper : public Thread {
   public:
    explicit Upper(Journal<int>& steps) : steps_(steps) {}
    ~Upper() override {
      if (ident()) join();
    }
    void run() override { steps_.add(1); }

   protected:
    Journal<int>& steps_;
  };
  class Lower : public Upper {
   public:
    using Upper::Upper;
    ~Lower() override { join(); }
    void run() override {
      steps_.add(0);
      Upper::run();
    }
  };
  class Heir : public Upper {
   public:
    using Upper::Upper;
    ~Heir() override { join(); }
  };
  Journal<int> steps;
  {
    Lower lower(steps);
    lower.start();
    lower.join();
    Heir heir(steps);
    heir.start();
  }
  EXPECT_EQ(steps.entries(), (std::vector<int>{0, 1, 1}));
}

}  // namespace tests
