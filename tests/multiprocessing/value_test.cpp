// multiprocessing::Value and RawValue.
#include "tutti/multiprocessing/value.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <mutex>

#include "support/forked.h"
#include "support/throws.h"
#include "tutti/errors.h"

namespace tests {

using tutti::multiprocessing::Flat;
using tutti::multiprocessing::RawValue;
using tutti::multiprocessing::RLock;
using tutti::multiprocessing::Value;

struct Point {
  double x;
  double y;
};
struct Node {
  int value;
  Node* next;
};

TEST(Value, HoldsWhatIsItsOwnBytes) {
  EXPECT_TRUE(Flat<int>);
  EXPECT_TRUE(Flat<Point>);
  EXPECT_TRUE((Flat<std::array<char, 20>>));
  EXPECT_FALSE(Flat<int*>);
  EXPECT_FALSE(Flat<Node>);
  EXPECT_FALSE(Flat<std::string>);
}

TEST(Value, IsWhatItWasMadeWithAndWhatItWasSetTo) {
  Value<int> number;
  EXPECT_EQ(number.value(), 0);
  Value point(Point{1, 2});
  EXPECT_EQ(point.value().y, 2);
  point = Point{3, 4};
  EXPECT_EQ(point.value().x, 3);
  EXPECT_EQ(point.get_obj().value().y, 4);
}

TEST(Value, ChangesInAllProcesses) {
  Value<int> number(1);
  Value<int> copy = number;
  EXPECT_EQ(Forked([&] { number = 7; }).join(), 0);
  EXPECT_EQ(number.value(), 7);
  EXPECT_EQ(copy.value(), 7);
}

TEST(Value, AddsUpUnderItsLock) {
  Value<long> total(0);
  {
    std::array<std::unique_ptr<Forked>, 4> children;
    for (auto& child : children) {
      child = std::make_unique<Forked>([&] {
        for (int i = 0; i < 5000; ++i) {
          const std::scoped_lock held(total.get_lock());
          total = total.value() + 1;
        }
      });
    }
    for (auto& child : children) EXPECT_EQ(child->join(), 0);
  }
  EXPECT_EQ(total.value(), 20000);
}

TEST(Value, MayShareALockWithAnother) {
  RLock lock;
  Value<int> one(1, lock);
  Value<int> two(2, lock);
  const std::scoped_lock held(one.get_lock());
  EXPECT_TRUE(two.get_lock().locked());
  EXPECT_EQ(two.value(), 2);
}

TEST(Value, OfAKilledHolderIsBrokenUntilItIsRecovered) {
  Value<int> number(1);
  EXPECT_EQ(Forked([&] {
              number.acquire();
              number = 2;
            }).join(),
            0);
  EXPECT_TRUE(throws<tutti::OwnerDiedError>([&] { number.value(); }));
  EXPECT_TRUE(throws<tutti::OwnerDiedError>([&] { number = 3; }));
  EXPECT_TRUE(number.get_lock().recover());
  EXPECT_EQ(number.value(), 2);
  number.release();
}

TEST(RawValue, IsTheObjectItself) {
  RawValue<int> number(5);
  EXPECT_EQ(Forked([&] { number.value() += 2; }).join(), 0);
  EXPECT_EQ(number.value(), 7);
  number = 9;
  EXPECT_EQ(number.value(), 9);
}

}  // namespace tests
