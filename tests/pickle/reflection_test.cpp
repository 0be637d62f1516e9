// Counting and naming the members of aggregates of every shape.
#include <gtest/gtest.h>
#include <tutti/pickle/reflection.h>

#include <any>
#include <array>
#include <concepts>
#include <map>
#include <string>
#include <vector>

namespace {

using tutti::pickle::make_aggregate;
using tutti::pickle::member_count;
using tutti::pickle::MemberTypes;
using tutti::pickle::Reflectable;
using tutti::pickle::TypeList;
using tutti::pickle::with_members;

struct Tag {};
struct OtherTag {};
struct Pair {
  int number;
  std::string text;
};
struct Strict {
  explicit Strict(int);
  int number;
};

// --- what is counted as one ---
struct Arrays {
  char name[4096];
  int matrix[2][3];
  Pair pairs[2];
  std::array<int, 3> numbers;
};
static_assert(member_count<Arrays> == 4);

struct Nested {
  Pair pair;
  Tag tag;
  std::map<int, std::string> names;
  std::vector<Nested> children;
};
static_assert(member_count<Nested> == 4);

struct BitFields {
  unsigned low : 3;
  bool flag : 1;
  int rest;
};
static_assert(member_count<BitFields> == 3);
static_assert(std::same_as<MemberTypes<BitFields>, TypeList<unsigned, bool, int>>);

struct MadeOfAnything {
  std::any first;
  int second;
};
static_assert(member_count<MadeOfAnything> == 2);

struct Defaults {
  int number = 3;
  std::string text = "three";
};
static_assert(member_count<Defaults> == 2);

static_assert(member_count<Tag> == 0);
struct OneTag {
  Tag tag;
};
static_assert(member_count<OneTag> == 1);

// --- what `T{}` doesn't make ---
struct References {
  int& number;
  const std::string& text;
  int array[3];
};
static_assert(member_count<References> == 3);
static_assert(std::same_as<MemberTypes<References>, TypeList<int&, const std::string&, int[3]>>);

struct StrictMembers {
  Strict strict;
  int array[3];
  std::string text;
};
static_assert(member_count<StrictMembers> == 3);

// --- bases ---
struct Tagged : Tag, OtherTag {
  int number;
  std::string text;
};
static_assert(member_count<Tagged> == 2);

struct TaggedStrict : Tag {
  Strict strict;
  int number;
};
static_assert(member_count<TaggedStrict> == 2);

struct WithBase : Pair {
  int more;
};
static_assert(!Reflectable<WithBase>);
struct OnlyBase : Pair {};
static_assert(!Reflectable<OnlyBase>);

// --- the limit ---
struct Many32 {
  int a1, a2, a3, a4, a5, a6, a7, a8, b1, b2, b3, b4, b5, b6, b7, b8;
  int c1, c2, c3, c4, c5, c6, c7, c8, d1, d2, d3, d4, d5, d6, d7, d8;
};
static_assert(member_count<Many32> == 32);
struct Many33 {
  int a1, a2, a3, a4, a5, a6, a7, a8, b1, b2, b3, b4, b5, b6, b7, b8;
  int c1, c2, c3, c4, c5, c6, c7, c8, d1, d2, d3, d4, d5, d6, d7, d8;
  int last;
};
static_assert(!Reflectable<Many33>);

class Private {
  int number_ = 0;
};
static_assert(!Reflectable<Private>);
static_assert(!Reflectable<int>);

TEST(Reflection, MembersAreGivenInOrderAndCanBeChanged) {
  Tagged tagged{{}, {}, 1, "one"};
  with_members(tagged, [](int& number, std::string& text) {
    number = 2;
    text += " more";
  });
  EXPECT_EQ(tagged.number, 2);
  EXPECT_EQ(tagged.text, "one more");
}

TEST(Reflection, TheLastOf32MembersIsTheLast) {
  Many32 many{};
  with_members(many, [](auto&... members) {
    int number = 0;
    ((members = ++number), ...);
  });
  EXPECT_EQ(many.a1, 1);
  EXPECT_EQ(many.d8, 32);
}

TEST(Reflection, BitFieldsOfAConstantAreGivenAsCopies) {
  const BitFields fields{5, true, 7};
  const int sum = with_members(
      fields, [](const auto&... members) { return (0 + ... + static_cast<int>(members)); });
  EXPECT_EQ(sum, 13);
}

TEST(Reflection, AnAggregateIsMadeMemberByMember) {
  int next = 0;
  const auto tagged = make_aggregate<Tagged>([&]<typename Member>() -> Member {
    ++next;
    if constexpr (std::same_as<Member, int>) {
      return next;
    } else {
      return std::to_string(next);
    }
  });
  EXPECT_EQ(tagged.number, 1);
  EXPECT_EQ(tagged.text, "2");
}

}  // namespace
