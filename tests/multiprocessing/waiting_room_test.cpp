// WaitingRoom: who comes first, and whose places are given again.
#include "multiprocessing/waiting_room.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>

#include "runtime/self.h"

namespace tests {

using tutti::multiprocessing::WaitingRoom;
using Sign = WaitingRoom::Sign;

class AWaitingRoom : public testing::Test {
 protected:
  WaitingRoom::Ticket join() {
    const auto ticket = room->join(me);
    EXPECT_TRUE(ticket.has_value());
    return ticket.value_or(0);
  }
  void fill(tutti::runtime::ThreadId thread) {
    for (std::uint32_t i = 0; i < WaitingRoom::capacity; ++i) EXPECT_TRUE(room->join(thread));
  }

  // Its slot was never used.
  static constexpr tutti::runtime::ThreadId dead = 0xffff;
  const tutti::runtime::ThreadId me = tutti::runtime::self().id;
  const std::unique_ptr<WaitingRoom> room = std::make_unique<WaitingRoom>();
};

TEST_F(AWaitingRoom, OneThatWaitsForLongKeepsNoOthersOut) {
  const auto longest = join();
  std::set<WaitingRoom::Ticket> places;
  for (std::uint32_t i = 0; i < 2 * WaitingRoom::capacity; ++i) {
    const auto ticket = join();
    EXPECT_EQ(room->first_waiting(), longest);
    places.insert(ticket);
    room->leave(ticket);
  }
  EXPECT_EQ(places.size(), 1u);
}

TEST_F(AWaitingRoom, TheFirstThatCameIsFirstWhereverItStands) {
  const auto first = join();
  const auto second = join();
  const auto third = join();
  room->leave(first);
  const auto fourth = join();
  EXPECT_EQ(fourth, first);
  for (const auto next : {second, third, fourth}) {
    EXPECT_EQ(room->first_waiting(), next);
    room->mark(next, Sign::chosen);
  }
  EXPECT_EQ(room->first_waiting(), std::nullopt);
  for (const auto next : {second, third, fourth}) {
    EXPECT_EQ(room->first_chosen(), next);
    room->leave(next);
  }
  EXPECT_EQ(room->first_chosen(), std::nullopt);
}

TEST_F(AWaitingRoom, IsFullWhenAllPlacesAreTaken) {
  fill(me);
  EXPECT_EQ(room->join(me), std::nullopt);
  room->leave(1234);
  EXPECT_EQ(room->join(me), 1234u);
  EXPECT_EQ(room->join(me), std::nullopt);
}

TEST_F(AWaitingRoom, TheDeadLeaveTheirPlacesUnlessTheyWereChosen) {
  fill(dead);
  for (std::uint32_t i = 1; i < WaitingRoom::capacity; ++i) room->mark(i, Sign::chosen);
  EXPECT_TRUE(room->has_dead(Sign::waiting));
  EXPECT_EQ(room->join(me), 0u);
  EXPECT_EQ(room->join(me), std::nullopt);
  EXPECT_EQ(room->first_chosen(), 1u);
  EXPECT_EQ(room->first_waiting(), 0u);
}

}  // namespace tests
