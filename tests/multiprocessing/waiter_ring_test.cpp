// WaiterRing: who comes first, and whose places are given again.
#include "multiprocessing/waiter_ring.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>

#include "runtime/self.h"

namespace tests {

using tutti::multiprocessing::WaiterRing;
using Sign = WaiterRing::Sign;

class WaitersInARing : public testing::Test {
 protected:
  WaiterRing::Ticket join() {
    const auto ticket = ring->join(me);
    EXPECT_TRUE(ticket.has_value());
    return ticket.value_or(0);
  }
  void fill(tutti::runtime::ThreadId thread) {
    for (std::uint32_t i = 0; i < WaiterRing::capacity; ++i) EXPECT_TRUE(ring->join(thread));
  }

  // Its slot was never used.
  static constexpr tutti::runtime::ThreadId dead = 0xffff;
  const tutti::runtime::ThreadId me = tutti::runtime::self().id;
  const std::unique_ptr<WaiterRing> ring = std::make_unique<WaiterRing>();
};

TEST_F(WaitersInARing, OneThatWaitsForLongKeepsNoOthersOut) {
  const auto longest = join();
  std::set<WaiterRing::Ticket> places;
  for (std::uint32_t i = 0; i < 2 * WaiterRing::capacity; ++i) {
    const auto ticket = join();
    EXPECT_EQ(ring->first_waiting(), longest);
    places.insert(ticket);
    ring->leave(ticket);
  }
  EXPECT_EQ(places.size(), 1u);
}

TEST_F(WaitersInARing, TheFirstThatCameIsFirstWhereverItStands) {
  const auto first = join();
  const auto second = join();
  const auto third = join();
  ring->leave(first);
  const auto fourth = join();
  EXPECT_EQ(fourth, first);
  for (const auto next : {second, third, fourth}) {
    EXPECT_EQ(ring->first_waiting(), next);
    ring->mark(next, Sign::chosen);
  }
  EXPECT_EQ(ring->first_waiting(), std::nullopt);
  for (const auto next : {second, third, fourth}) {
    EXPECT_EQ(ring->first_chosen(), next);
    ring->leave(next);
  }
  EXPECT_EQ(ring->first_chosen(), std::nullopt);
}

TEST_F(WaitersInARing, IsFullWhenAllPlacesAreTaken) {
  fill(me);
  EXPECT_EQ(ring->join(me), std::nullopt);
  ring->leave(1234);
  EXPECT_EQ(ring->join(me), 1234u);
  EXPECT_EQ(ring->join(me), std::nullopt);
}

TEST_F(WaitersInARing, TheDeadLeaveTheirPlacesUnlessTheyWereChosen) {
  fill(dead);
  for (std::uint32_t i = 1; i < WaiterRing::capacity; ++i) ring->mark(i, Sign::chosen);
  EXPECT_TRUE(ring->has_dead(Sign::waiting));
  EXPECT_EQ(ring->join(me), 0u);
  EXPECT_EQ(ring->join(me), std::nullopt);
  EXPECT_EQ(ring->first_chosen(), 1u);
  EXPECT_EQ(ring->first_waiting(), 0u);
}

}  // namespace tests
