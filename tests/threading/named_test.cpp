// Names of locks and the like: in messages, and forgotten with the object.
#include "tutti/threading/named.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "support/throws.h"
#include "tutti/threading.h"

namespace tests {

namespace threading = tutti::threading;
using tutti::RuntimeError;

namespace bank {
threading::Lock ledger;
}

TEST(Named, AppearInMessages) {
  threading::Lock lock{"accounts"};
  EXPECT_EQ(lock.name(), "accounts");
  EXPECT_TRUE(throws<RuntimeError>([&] { lock.release(); }, {"Lock 'accounts'"}));
  threading::RLock rlock{"tree"};
  EXPECT_TRUE(throws<RuntimeError>([&] { rlock.release(); }, {"RLock 'tree'"}));
  threading::Event event{"begin"};
  EXPECT_EQ(event.name(), "begin");
  threading::Semaphore semaphore(1, "places");
  EXPECT_TRUE(throws<tutti::ValueError>([&] { semaphore.release(0); }, {"Semaphore 'places'"}));
  threading::BoundedSemaphore bounded(1, "pool");
  EXPECT_TRUE(throws<tutti::ValueError>([&] { bounded.release(); }, {"Semaphore 'pool'"}));
  threading::Barrier barrier(2);
  barrier.set_name("step");
  barrier.abort();
  EXPECT_TRUE(throws<threading::BrokenBarrierError>([&] { barrier.wait(); }, {"Barrier 'step'"}));
}

TEST(Named, ByTheirDeclarationAreGlobalAndStaticOnes) {
  static threading::RLock counter;
  EXPECT_TRUE(
      throws<RuntimeError>([&] { bank::ledger.release(); }, {"Lock 'tests::bank::ledger'"}));
  EXPECT_TRUE(throws<RuntimeError>([&] { counter.release(); }, {"RLock '", "counter'"}));
  bank::ledger.set_name("the ledger");
  EXPECT_TRUE(throws<RuntimeError>([&] { bank::ledger.release(); }, {"Lock 'the ledger'"}));
  bank::ledger.set_name("");
}

TEST(Named, MayBeRenamedAndUnnamed) {
  threading::Lock lock;
  EXPECT_EQ(lock.name(), "");
  lock.set_name("first");
  lock.set_name("second");
  EXPECT_EQ(lock.name(), "second");
  lock.set_name("");
  EXPECT_EQ(lock.name(), "");
  EXPECT_TRUE(throws<RuntimeError>([&] { lock.release(); }, {address_of(&lock)}));
}

TEST(Named, AConditionsOwnLockHasTheConditionsName) {
  threading::Condition condition{"changed"};
  EXPECT_TRUE(throws<RuntimeError>([&] { condition.notify(); }, {"Condition 'changed'"}));
  EXPECT_TRUE(throws<RuntimeError>([&] { condition.release(); }, {"RLock 'changed'"}));
}

TEST(Named, ALockThatIsGivenToAConditionKeepsItsOwn) {
  threading::Lock lock{"items"};
  threading::Condition condition(lock, "not_empty");
  EXPECT_TRUE(throws<RuntimeError>([&] { condition.notify(); }, {"Condition 'not_empty'"}));
  EXPECT_TRUE(throws<RuntimeError>([&] { condition.release(); }, {"Lock 'items'"}));
}

TEST(Named, WhatComesToLieAtTheSamePlaceDoesNotInheritIt) {
  alignas(threading::Condition) std::byte place[sizeof(threading::Condition)];
  const auto check = [&]<typename T>(std::type_identity<T>, auto... arguments) {
    T* const named = std::construct_at(reinterpret_cast<T*>(place), arguments...);
    named->set_name("former");
    EXPECT_EQ(named->name(), "former");
    std::destroy_at(named);
    T* const other = std::construct_at(reinterpret_cast<T*>(place), arguments...);
    EXPECT_EQ(other->name(), "");
    std::destroy_at(other);
  };
  check(std::type_identity<threading::Lock>());
  check(std::type_identity<threading::RLock>());
  check(std::type_identity<threading::Semaphore>());
  check(std::type_identity<threading::BoundedSemaphore>());
  check(std::type_identity<threading::Event>());
  check(std::type_identity<threading::Condition>());

  auto* const condition = std::construct_at(reinterpret_cast<threading::Condition*>(place));
  condition->set_name("former");
  std::destroy_at(condition);
  std::construct_at(condition);
  EXPECT_TRUE(throws<RuntimeError>([&] { condition->release(); }, {"RLock at 0x"}));
  std::destroy_at(condition);
}

TEST(Named, CostsNoRoomAndUnnamedOnesAreReadyBeforeMain) {
  EXPECT_EQ(sizeof(threading::Lock), 4u);
  EXPECT_EQ(sizeof(threading::Event), 4u);
  EXPECT_EQ(sizeof(threading::RLock), 8u);
  EXPECT_EQ(sizeof(threading::Condition), 24u);
  static constinit threading::Lock lock;
  static constinit threading::RLock rlock;
  static constinit threading::Event event;
  static constinit threading::Semaphore semaphore(3);
  EXPECT_EQ(lock.name() + rlock.name() + event.name() + semaphore.name(), "");
}

}  // namespace tests
