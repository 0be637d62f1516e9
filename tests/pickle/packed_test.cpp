// Packed values come back as they were; bytes that are no such value are refused.
#include <gtest/gtest.h>
#include <tutti/pickle/packed.h>

#include <bitset>
#include <chrono>
#include <complex>
#include <deque>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "support/throws.h"

namespace {

using tests::throws;
using tutti::pickle::pack;
using tutti::pickle::Packable;
using tutti::pickle::packed_size;
using tutti::pickle::Passage;
using tutti::pickle::Reader;
using tutti::pickle::unpack;
using tutti::pickle::Writer;

using Bytes = std::vector<std::byte>;

template <typename T>
Bytes packed(const T& value) {
  Bytes bytes(packed_size(value));
  Writer writer(bytes);
  pack(writer, value);
  EXPECT_EQ(writer.written(), bytes.size());
  return bytes;
}

template <typename T>
T unpacked(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  T value = unpack<T>(reader);
  EXPECT_EQ(reader.rest(), 0u);
  return value;
}

/// Whether `value` comes back, and what was cut off is refused.
template <typename T>
testing::AssertionResult crosses(const T& value) {
  const Bytes bytes = packed(value);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    auto refused = throws<tutti::ValueError>(
        [&] { unpacked<T>(std::span<const std::byte>(bytes).first(size)); }, {"cut off"});
    if (!refused) return refused << " with " << size << " of " << bytes.size() << " bytes";
  }
  if (unpacked<T>(bytes) == value) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "came back as another";
}

struct Tag {
  bool operator==(const Tag&) const = default;
};
struct Point {
  double x, y;
  bool visible;
  bool operator==(const Point&) const = default;
};
struct Flags {
  unsigned low : 3;
  bool flag : 1;
  int rest;
  bool operator==(const Flags&) const = default;
};
struct Picture {
  std::string title;
  std::vector<Point> points;
  int matrix[2][2];
  Tag tag;
  std::map<int, std::string> notes;
  std::optional<Point> center;
  std::string authors[2];
  bool operator==(const Picture&) const = default;
};
struct Constant : Tag {
  const int number;
  std::string text;
  bool operator==(const Constant&) const = default;
};
struct Tree {
  int value;
  std::vector<Tree> children;
  bool operator==(const Tree&) const = default;
};
enum class Color : char { red, green };

class Account {
 public:
  Account() = default;
  Account(std::string owner, int balance) : owner_(std::move(owner)), balance_(balance) {}
  bool operator==(const Account&) const = default;

  template <typename Archive>
  friend void tutti_serialize(Archive& archive, Account& account) {
    archive(account.owner_, account.balance_);
  }

 private:
  std::string owner_;
  int balance_ = 0;
};
class Safe {
 public:
  Safe() = default;
  explicit Safe(Account account) : account_(std::move(account)) {}
  bool operator==(const Safe&) const = default;

  template <typename Archive>
  static void tutti_serialize(Archive& archive, Safe& safe) {
    archive(safe.account_);
  }

 private:
  Account account_;
};

TEST(Packed, NumbersCross) {
  EXPECT_TRUE(crosses(-1));
  EXPECT_TRUE(crosses(true));
  EXPECT_TRUE(crosses(3.5));
  EXPECT_TRUE(crosses(Color::green));
  EXPECT_TRUE(crosses(std::byte{7}));
  EXPECT_TRUE(crosses(std::complex<double>(1, 2)));
  EXPECT_TRUE(crosses(std::bitset<70>("1011")));
}

TEST(Packed, ContainersCross) {
  EXPECT_TRUE(crosses(std::string("hello")));
  EXPECT_TRUE(crosses(std::u16string(u"hello")));
  EXPECT_TRUE(crosses(std::vector{1, 2, 3}));
  EXPECT_TRUE(crosses(std::vector{true, false, true}));
  EXPECT_TRUE(crosses(std::vector<std::vector<std::string>>{{"a"}, {}, {"b", "c"}}));
  EXPECT_TRUE(crosses(std::array{1, 2, 3}));
  EXPECT_TRUE(crosses(std::array<std::string, 2>{"a", "b"}));
  EXPECT_TRUE(crosses(std::array<std::string, 0>{}));
  EXPECT_TRUE(crosses(std::deque{1, 2}));
  EXPECT_TRUE(crosses(std::list<std::string>{"a", "b"}));
  EXPECT_TRUE(crosses(std::set{3, 4}));
  EXPECT_TRUE(crosses(std::unordered_set<std::string>{"a", "b"}));
  EXPECT_TRUE(crosses(std::map<std::string, std::vector<int>>{{"a", {1}}, {"b", {}}}));
  EXPECT_TRUE(crosses(std::multimap<int, int>{{1, 2}, {1, 3}}));
  EXPECT_TRUE(crosses(std::unordered_map<int, std::string>{{1, "one"}, {2, "two"}}));
}

TEST(Packed, AlternativesAndTuplesCross) {
  EXPECT_TRUE(crosses(std::optional<int>{}));
  EXPECT_TRUE(crosses(std::optional<std::string>{"some"}));
  EXPECT_TRUE(crosses(std::variant<int, std::string>{"text"}));
  EXPECT_TRUE(crosses(std::variant<std::monostate, int>{}));
  EXPECT_TRUE(crosses(std::pair<int, std::string>{1, "one"}));
  EXPECT_TRUE(crosses(std::tuple<int, double, std::string>{1, 2.5, "three"}));
  EXPECT_TRUE(crosses(std::tuple<>{}));
  EXPECT_TRUE(crosses(std::monostate{}));
}

TEST(Packed, TimesAndPathsCross) {
  EXPECT_TRUE(crosses(std::chrono::milliseconds(1500)));
  EXPECT_TRUE(crosses(std::chrono::system_clock::now()));
  EXPECT_TRUE(crosses(std::filesystem::path("/usr/include")));
}

TEST(Packed, AggregatesCross) {
  EXPECT_TRUE(crosses(Tag{}));
  EXPECT_TRUE(crosses(std::vector<Tag>(3)));
  EXPECT_TRUE(crosses(Point{1, 2, true}));
  EXPECT_TRUE(crosses(std::vector<Point>{{1, 2, true}, {3, 4, false}}));
  EXPECT_TRUE(crosses(Flags{5, true, 9}));
  EXPECT_TRUE(crosses(Constant{{}, 3, "three"}));
  EXPECT_TRUE(crosses(Picture{.title = "triangle",
                              .points = {{0, 0, true}, {1, 0, false}},
                              .matrix = {{1, 2}, {3, 4}},
                              .tag = {},
                              .notes = {{1, "first"}},
                              .center = Point{0.5, 0.3, true},
                              .authors = {"a", "b"}}));
  EXPECT_TRUE(crosses(Tree{1, {{2, {}}, {3, {{4, {}}}}}}));
}

TEST(Packed, ClassesCrossByTheirHooks) {
  EXPECT_TRUE(crosses(Account("Ada", 7)));
  EXPECT_TRUE(crosses(Safe(Account("Ada", 7))));
  EXPECT_TRUE(crosses(std::vector{Account("Ada", 7), Account("Bob", 8)}));
}

TEST(Packed, ElementsThatLieUnalignedAreRead) {
  EXPECT_TRUE(crosses(std::tuple<char, std::vector<double>>{'a', {1, 2, 3}}));
}

// --- what can't cross ----------------------------------------------------------------------------

struct WithPointer {
  int number;
  const char* text;
};
struct WithReference {
  int& number;
};
static_assert(!Packable<int*> && !Packable<std::nullptr_t> && !Packable<void (*)()>);
static_assert(!Packable<int&> && !Packable<std::tuple<int&>> && !Packable<WithReference>);
static_assert(!Packable<WithPointer> && !Packable<std::vector<WithPointer>>);
static_assert(!Packable<std::string_view> && !Packable<std::span<int>>);
static_assert(!Packable<std::map<int, std::optional<std::string_view>>>);
static_assert(!Packable<std::unique_ptr<int>> && !Packable<std::vector<int>::iterator>);
static_assert(!Packable<std::function<void()>> && !Packable<std::reference_wrapper<int>>);
static_assert(Packable<Tree> && Packable<Picture> && Packable<Account>);

TEST(Packed, LambdasDontCrossWithWhatTheyCaptured) {
  int number = 3;
  const auto captures = [&number] { return number; };
  const auto captures_nothing = [] { return 3; };
  EXPECT_EQ(captures(), captures_nothing());
  EXPECT_FALSE(Packable<decltype(captures)>);
  EXPECT_TRUE(Packable<decltype(captures_nothing)>);
}

// --- bytes that are no such value ----------------------------------------------------------------

TEST(Packed, AByteThatIsNoBoolIsRefused) {
  Bytes bytes = packed(Point{1, 2, true});
  bytes[offsetof(Point, visible)] = std::byte{7};
  EXPECT_TRUE(throws<tutti::ValueError>([&] { unpacked<Point>(bytes); }, {"7 is no bool"}));
  EXPECT_TRUE(throws<tutti::ValueError>(
      [&] {
        unpacked<std::vector<bool>>(
            Bytes{{std::byte{1}, {}, {}, {}, {}, {}, {}, {}, std::byte{2}}});
      },
      {"2 is no bool"}));
}

TEST(Packed, AnIndexThatNoAlternativeHasIsRefused) {
  Bytes bytes = packed(std::variant<int, std::string>{1});
  bytes[0] = std::byte{2};
  EXPECT_TRUE(throws<tutti::ValueError>([&] { unpacked<std::variant<int, std::string>>(bytes); },
                                        {"2 is no index of a variant"}));
}

TEST(Packed, ASizeBeyondTheBytesIsRefusedBeforeMemoryIsTaken) {
  Bytes bytes = packed(std::vector<Tag>(3));
  bytes[7] = std::byte{0x10};
  EXPECT_TRUE(throws<tutti::ValueError>(
      [&] { unpacked<std::vector<Tag>>(bytes); },
      {"1152921504606846979 elements of at least 1 byte expected, 3 bytes left"}));
}

TEST(Packed, WhatIsNestedTooDeepIsRefusedOnBothSides) {
  Tree tree{0, {}};
  for (int level = 1; level < 200; ++level) {
    Tree parent{level, {}};
    parent.children.push_back(std::move(tree));
    tree = std::move(parent);
  }
  EXPECT_EQ(unpacked<Tree>(packed(tree)), tree);

  Tree parent{200, {}};
  parent.children.push_back(std::move(tree));
  EXPECT_TRUE(throws<tutti::ValueError>([&] { packed_size(parent); }, {"deeper than 200 levels"}));

  Bytes bytes;
  const Bytes level = packed(std::pair<int, std::uint64_t>{0, 1});
  for (int i = 0; i < 10000; ++i) bytes.insert(bytes.end(), level.begin(), level.end());
  EXPECT_TRUE(
      throws<tutti::ValueError>([&] { unpacked<Tree>(bytes); }, {"deeper than 200 levels"}));
}

TEST(Packed, AWriterDoesntLeaveItsRoom) {
  std::array<std::byte, 10> room{};
  Writer writer(room);
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { pack(writer, std::string("text")); },
                                          {"4 bytes more, but room for 2 bytes only"}));
}

// --- descriptors ---------------------------------------------------------------------------------

struct Owner {
  int descriptor = -1;
  template <typename Archive>
  static void tutti_serialize(Archive& archive, Owner& owner) {
    archive.descriptor(owner.descriptor, "an Owner");
  }
};

TEST(Packed, DescriptorsGoByThePassage) {
  struct Ferry : Passage {
    std::vector<int> aboard;
    int add_descriptor(int descriptor) override {
      aboard.push_back(descriptor);
      return static_cast<int>(aboard.size()) - 1;
    }
    int take_descriptor(int index) override { return aboard.at(static_cast<std::size_t>(index)); }
  };
  Ferry ferry;
  const std::pair<Owner, Owner> owners{{17}, {18}};
  Bytes bytes(packed_size(owners));
  Writer writer(bytes, &ferry);
  pack(writer, owners);
  Reader reader(bytes, &ferry);
  const auto received = unpack<std::pair<Owner, Owner>>(reader);
  EXPECT_EQ(received.first.descriptor, 17);
  EXPECT_EQ(received.second.descriptor, 18);
}

TEST(Packed, WithoutAPassageNoDescriptorGoes) {
  EXPECT_TRUE(throws<tutti::RuntimeError>(
      [] { packed(Owner{3}); }, {"an Owner can only be given to a process as its argument"}));
}

// --- exceptions ----------------------------------------------------------------------------------

class TooHot : public tutti::ValueError {
 public:
  using ValueError::ValueError;
};

std::exception_ptr crossed(const std::exception_ptr& exception) {
  return unpacked<std::exception_ptr>(packed(exception));
}

TEST(Packed, AnExceptionComesBackAsItsType) {
  const auto exception = crossed(std::make_exception_ptr(std::out_of_range("7 of 6")));
  EXPECT_TRUE(throws<std::out_of_range>([&] { std::rethrow_exception(exception); }, {"7 of 6"}));
  const auto empty = crossed(std::make_exception_ptr(tutti::queue::Empty("no item")));
  EXPECT_TRUE(throws<tutti::queue::Empty>([&] { std::rethrow_exception(empty); }, {"no item"}));
  EXPECT_EQ(crossed(nullptr), nullptr);
}

TEST(Packed, AnExceptionOfTheUsersComesBackAsTheNearestBaseThatIsKnown) {
  const auto exception = crossed(std::make_exception_ptr(TooHot("100 degrees")));
  EXPECT_TRUE(throws<tutti::ValueError>([&] { std::rethrow_exception(exception); },
                                        {"TooHot: 100 degrees"}));
  const auto number = crossed(std::make_exception_ptr(7));
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { std::rethrow_exception(number); }, {"int"}));
}

TEST(Packed, TheCauseOfAnExceptionCrossesWithIt) {
  std::exception_ptr exception;
  try {
    try {
      throw std::invalid_argument("inner");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("outer"));
    }
  } catch (...) {
    exception = crossed(std::current_exception());
  }
  try {
    std::rethrow_exception(exception);
  } catch (const std::runtime_error& outer) {
    EXPECT_STREQ(outer.what(), "outer");
    EXPECT_TRUE(throws<std::invalid_argument>([&] { std::rethrow_if_nested(outer); }, {"inner"}));
  }
}

}  // namespace
