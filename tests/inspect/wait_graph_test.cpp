// Who waits for whom, as a graph.
#include <gtest/gtest.h>

#include <limits>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "support/until.h"
#include "tutti/inspect.h"
#include "tutti/threading.h"

namespace tests {

namespace inspect = tutti::inspect;
namespace threading = tutti::threading;
using Ring = std::vector<std::uint64_t>;

inspect::ThreadInfo thread_waiting_for(std::uint64_t ident, std::uint64_t holder) {
  inspect::ThreadInfo info;
  info.ident = ident;
  info.name = "T" + std::to_string(ident);
  info.holder = holder;
  info.time_left = std::numeric_limits<double>::infinity();
  if (holder != 0) info.state = {threading::Phase::blocked_in_lock_pool, {}};
  return info;
}

// Each pair is a thread and the one that it waits for, or 0.
inspect::WaitGraph graph(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& waits) {
  std::vector<inspect::ThreadInfo> threads;
  for (const auto& [from, to] : waits) threads.push_back(thread_waiting_for(from, to));
  return inspect::WaitGraph(std::move(threads));
}

TEST(WaitGraph, HasAnEdgeForEachThreadThatWaitsForAnother) {
  const inspect::WaitGraph chain = graph({{1, 2}, {2, 3}, {3, 0}});
  ASSERT_EQ(chain.waits().size(), 2u);
  EXPECT_EQ(chain.waits()[0].from, 1u);
  EXPECT_EQ(chain.waits()[0].to, 2u);
  EXPECT_TRUE(chain.waits()[0].endless);
  EXPECT_TRUE(chain.rings().empty());
  EXPECT_FALSE(chain.is_in_ring(1));
}

TEST(WaitGraph, HasNoEdgeToAThreadThatIsGone) {
  EXPECT_TRUE(graph({{1, 9}}).waits().empty());
}

TEST(WaitGraph, SaysWhichWaitsEndByThemselves) {
  inspect::ThreadInfo patient = thread_waiting_for(1, 2);
  patient.time_left = 3;
  const inspect::WaitGraph timed({patient, thread_waiting_for(2, 1)});
  EXPECT_FALSE(timed.waits()[0].endless);
  EXPECT_TRUE(timed.waits()[1].endless);
}

TEST(WaitGraph, FindsARingInItsOrderAndOnce) {
  const inspect::WaitGraph three = graph({{7, 4}, {4, 9}, {9, 7}});
  ASSERT_EQ(three.rings().size(), 1u);
  EXPECT_EQ(three.rings()[0], (Ring{7, 4, 9}));
}

TEST(WaitGraph, LeavesThoseOutOfARingWhoWaitForItsMembers) {
  const inspect::WaitGraph tail = graph({{1, 2}, {2, 3}, {3, 2}, {4, 1}, {5, 3}});
  ASSERT_EQ(tail.rings().size(), 1u);
  EXPECT_EQ(tail.rings()[0], (Ring{2, 3}));
  EXPECT_FALSE(tail.is_in_ring(1));
  EXPECT_TRUE(tail.is_in_ring(3));
  EXPECT_FALSE(tail.is_in_ring(4));
}

TEST(WaitGraph, FindsEachOfSeveralRings) {
  const inspect::WaitGraph two = graph({{1, 2}, {3, 4}, {2, 1}, {5, 5}, {4, 3}});
  EXPECT_EQ(two.rings(), (std::vector<Ring>{{1, 2}, {3, 4}, {5}}));
}

TEST(WaitGraph, OfThisProcessHasItsThreads) {
  const inspect::WaitGraph here = inspect::wait_graph();
  ASSERT_NE(here.find(threading::get_ident()), nullptr);
  EXPECT_EQ(here.find(threading::get_ident())->name, "MainThread");
  EXPECT_EQ(here.find(0), nullptr);
  EXPECT_TRUE(here.waits().empty());
}

// A thread that wants a lock which the calling thread holds, and has wanted it for so long that it
// has said who that is.
TEST(WaitGraph, KnowsTheHolderOfALockThatIsLongWaitedFor) {
  threading::Lock lock("accounts");
  lock.acquire();
  threading::Thread waiting({.target = [&] { const std::scoped_lock held(lock); }, .name = "late"});
  waiting.start();
  until([] { return !inspect::wait_graph().waits().empty(); });
  const inspect::WaitGraph graph = inspect::wait_graph();
  ASSERT_EQ(graph.waits().size(), 1u);
  EXPECT_EQ(graph.waits()[0].from, waiting.ident());
  EXPECT_EQ(graph.waits()[0].to, threading::get_ident());
  EXPECT_EQ(graph.waits()[0].through.kind, threading::WaitKind::lock);
  EXPECT_EQ(graph.waits()[0].through.object, &lock);
  EXPECT_EQ(graph.waits()[0].object_name, "accounts");
  EXPECT_FALSE(graph.find(*waiting.ident())->stack.empty());
  std::ostringstream table;
  inspect::dump(table);
  EXPECT_NE(table.str().find("Lock 'accounts'), held by MainThread, for "), std::string::npos)
      << table.str();
  lock.release();
  waiting.join();
}

}  // namespace tests
