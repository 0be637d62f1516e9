// Pools whose workers are no copies of their parent: what they have of it, and what they can be
// told.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "multiprocessing/code_table.h"
#include "multiprocessing/fork_server.h"
#include "multiprocessing/pool_memory.h"
#include "platform/module.h"
#include "support/start_methods.h"
#include "support/throws.h"
#include "tutti/multiprocessing.h"
#include "tutti/tutti.h"

namespace tests {

namespace {

namespace fs = std::filesystem;
using namespace tutti;
using multiprocessing::MaybeEncodingError;
using multiprocessing::Pool;
using multiprocessing::StartMethod;

struct Shape {
  double side = 0;
  double twice() const { return 2 * side; }
  virtual double area() const { return 0; }
  virtual ~Shape() = default;
  template <typename Archive>
  friend void tutti_serialize(Archive& archive, Shape& shape) {
    archive(shape.side);
  }
};
struct Square final : Shape {
  double area() const override { return side * side; }
};

Square square_of(double side) {
  Square square;
  square.side = side;
  return square;
}

int half(int n) {
  return n / 2;
}

int changed_by_parent = 0;

class PoolStartTest : public ForEachStartMethod {
 protected:
  bool is_forked() const { return GetParam() == StartMethod::fork; }
};

// A copy of the mathematical library, loaded by this process alone; removed at the end.
class Library {
 public:
  Library() {
    const auto sine = reinterpret_cast<std::uintptr_t>(static_cast<double (*)(double)>(std::sin));
    const std::string original = platform::module_at(sine).path;
    if (!fs::exists(original)) return;
    fs::copy_file(original, path_);
    library_ = dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
  }
  ~Library() {
    if (library_ != nullptr) dlclose(library_);
    fs::remove(path_);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  bool is_loaded() const { return library_ != nullptr; }
  const fs::path& path() const { return path_; }
  auto cosine() const { return reinterpret_cast<double (*)(double)>(dlsym(library_, "cos")); }

 private:
  const fs::path path_ =
      fs::temp_directory_path() / ("tutti-test-pool-" + std::to_string(getpid()) + ".so");
  void* library_ = nullptr;
};

// Of a single pool, as long as it lives.
std::string name_of_worker(Pool& pool) {
  return pool.apply([] { return multiprocessing::current_process().name(); });
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Started, PoolStartTest, all_start_methods(), name_of_start_method);

TEST_P(PoolStartTest, FunctionsAreFoundWhereverTheyAre) {
  Pool pool = context().Pool(1);
  EXPECT_EQ(pool.apply(half, 8), 4);
  EXPECT_EQ(pool.apply(&labs, -5L), 5);  // In a shared library, as a rule.
  EXPECT_EQ(pool.apply(&Shape::twice, square_of(3)), 6);
  EXPECT_EQ(pool.apply(&Square::area, square_of(3)), 9);
  EXPECT_EQ(pool.map(&Square::area, std::vector{square_of(1), square_of(2)}, 1),
            (std::vector<double>{1, 4}));
}

TEST_P(PoolStartTest, FunctionsOfALibraryThatWasLoadedLaterAreFound) {
  Pool pool = context().Pool(1);
  ASSERT_EQ(pool.apply(half, 2), 1);
  const Library library;
  if (!library.is_loaded()) GTEST_SKIP() << "the C library is no shared one";
  if (is_forked()) GTEST_SKIP() << "a worker that was forked before does not have it";
  EXPECT_EQ(pool.apply(library.cosine(), 0.0), 1);
}

TEST_P(PoolStartTest, ALibraryThatIsGoneIsNotCalledInto) {
  Pool pool = context().Pool(1);
  ASSERT_EQ(pool.apply(half, 2), 1);
  const Library library;
  if (!library.is_loaded()) GTEST_SKIP() << "the C library is no shared one";
  if (is_forked()) GTEST_SKIP() << "a worker that was forked before does not have it";
  fs::remove(library.path());
  EXPECT_TRUE(throws<MaybeEncodingError>([&] { pool.apply(library.cosine(), 0.0); },
                                         {library.path().string(), "No such file"}));
  EXPECT_EQ(pool.apply(half, 8), 4);
}

TEST_P(PoolStartTest, AFunctionMadeAtRunTimeIsRefused) {
  if (is_forked()) GTEST_SKIP() << "its workers may have it";
  Pool pool = context().Pool(1);
  const std::vector<char> code(64);
  const auto made = reinterpret_cast<int (*)(int)>(reinterpret_cast<std::uintptr_t>(code.data()));
  EXPECT_TRUE(throws<MaybeEncodingError>([&] { pool.apply(made, 1); }, {"made at run time"}));
  EXPECT_EQ(pool.apply(half, 8), 4);
}

TEST_P(PoolStartTest, WorkersHaveTheMemoryOfTheirParentOnlyIfTheyAreForked) {
  changed_by_parent = 1;
  Pool pool = context().Pool(1);
  EXPECT_EQ(pool.apply([] { return changed_by_parent; }), is_forked() ? 1 : 0);
  changed_by_parent = 0;
  EXPECT_EQ(pool.apply([] { return multiprocessing::parent_process()->pid().value_or(0); }),
            static_cast<std::uint32_t>(getpid()));
}

TEST_P(PoolStartTest, AnInitializerThatCannotBeSentIsATypeError) {
  const int captured = 5;
  const auto make = [&](multiprocessing::Callable initializer) {
    Pool pool = context().Pool({.processes = 1, .initializer = std::move(initializer)});
    pool.apply([] {});
  };
  const auto closure = [captured] { (void)captured; };
  const auto takes_text = [](const char*) {};
  if (is_forked()) {
    make(closure);
    make({takes_text, "database"});
  } else {
    EXPECT_TRUE(throws<TypeError>([&] { make(closure); },
                                  {"PoolWorker-1", "the pool's initializer", "its target, of type",
                                   "can't cross", "start method fork"}));
    EXPECT_TRUE(throws<TypeError>(
        [&] {
          make({takes_text, "database"});
        },
        {"argument 1", "char const*", "can't cross"}));
  }
  EXPECT_TRUE(multiprocessing::active_children().empty());
}

TEST_P(PoolStartTest, EachNewWorkerIsGivenTheInitializersArguments) {
  static int given = 0;
  Pool pool = context().Pool(
      {.processes = 1, .initializer = {[](int n) { given = n; }, 7}, .maxtasksperchild = 1});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pool.apply([] { return given; }), 7);
}

TEST_P(PoolStartTest, TheStartMethodInForceIsTheDefault) {
  const std::string before = multiprocessing::get_start_method();
  multiprocessing::set_start_method(to_string(GetParam()), {.force = true});
  {
    Pool pool(1);
    Pool same = context().Pool(1);
    const std::string name = name_of_worker(pool);
    EXPECT_EQ(name, name_of_worker(same));
    EXPECT_EQ(name.starts_with("Fork") && !name.starts_with("ForkServer"), is_forked());
    futures::ProcessPoolExecutor executor(1);
    EXPECT_EQ(executor.submit([] { return multiprocessing::current_process().name(); }).result(),
              name);
  }
  multiprocessing::set_start_method(before, {.force = true});
}

TEST(PoolOfForkServer, GoesOnWhenTheServerIsKilled) {
  {
    Pool pool = multiprocessing::get_context("forkserver").Pool(1);
    for (int round = 0; round < 2; ++round) {
      const pid_t server = pool.apply([] { return getppid(); });
      ASSERT_NE(server, getpid());
      kill(server, SIGKILL);
      try {
        pool.apply([] { raise(SIGKILL); });
        FAIL();
      } catch (const multiprocessing::WorkerLost& lost) {
        EXPECT_EQ(lost.exitcode(), 255);  // Nobody knows.
      }
      EXPECT_EQ(pool.apply(half, 8), 4);
    }
  }
  multiprocessing::fork_server::stop();
}

// --- the table -----------------------------------------------------------------------------------

TEST(CodeTable, GivesWordsThatAreFoundByTheirModules) {
  const multiprocessing::PoolMemory memory(1);
  multiprocessing::CodeTable parent(&memory.modules());
  multiprocessing::CodeTable worker(&memory.modules());
  const auto here = reinterpret_cast<std::uintptr_t>(half);
  const auto there = reinterpret_cast<std::uintptr_t>(dlsym(RTLD_DEFAULT, "strtol"));
  for (const std::uintptr_t address : {here, there, here + 1}) {
    const std::uint64_t word = parent.word_for(address);
    EXPECT_EQ(parent.word_for(address), word);
    EXPECT_EQ(worker.address_of(word), address);
    EXPECT_EQ(parent.address_of(word), address);
  }
  EXPECT_EQ(memory.modules().count.load(), there == 0 ? 1u : 2u);
}

TEST(CodeTable, WhatHasBeenOverwrittenIsNotCalled) {
  const multiprocessing::PoolMemory memory(1);
  multiprocessing::CodeTable parent(&memory.modules());
  const std::uint64_t word = parent.word_for(reinterpret_cast<std::uintptr_t>(half));
  multiprocessing::CodeTable worker(&memory.modules());
  EXPECT_TRUE(throws<RuntimeError>([&] { worker.address_of(~std::uint64_t{0}); }, {"no module"}));
  memory.modules().records[0].build.fill('x');
  EXPECT_TRUE(throws<RuntimeError>([&] { worker.address_of(word); }, {"replaced"}));
}

}  // namespace tests
