// Pickles that are refused, and how; what errors say; objects of unknown type.
#include <gtest/gtest.h>
#include <tutti/pickle.h>

#include <array>
#include <bitset>
#include <chrono>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pickle/counted_memory.h"
#include "support/throws.h"

namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using tests::throws;
using tutti::ValueError;
using tutti::pickle::dumps;
using tutti::pickle::loads;
using tutti::pickle::Object;

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::string_view text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

testing::AssertionResult refused(std::string_view pickle, std::string_view part) {
  return throws<ValueError>([&] { loads(bytes_of(pickle)); }, {part});
}

template <typename T>
testing::AssertionResult is_no(const Object& object, std::string_view message) {
  return throws<ValueError>([&] { object.as<T>(); }, {message});
}

// --- what is never read --------------------------------------------------------------------------

TEST(Pickle, NamesNoFunctionOfAnyModule) {
  EXPECT_TRUE(refused("cos\nsystem\n(S'true'\ntR."sv, "os.system is not plain data"));
  EXPECT_TRUE(
      refused("\x80\x04\x8c\x08"
              "builtins\x8c\x04"
              "eval\x93."sv,
              "builtins.eval is not plain data"));
  EXPECT_TRUE(refused("c__builtin__\neval\n."sv, "builtin__.eval is not plain data"));
  EXPECT_TRUE(refused("(ios\nsystem\n."sv, "an object of a class is not plain data"));
  EXPECT_TRUE(refused("\x80\x02)\x81."sv, "an object of a class is not plain data"));
  EXPECT_TRUE(refused("Pid\n."sv, "persistent ids are not read"));
  EXPECT_TRUE(refused("\x82\x01."sv, "registered extensions"));
  EXPECT_TRUE(refused("\x80\x05\x97."sv, "buffers outside of the pickle"));
}

TEST(Pickle, CallsItsOwnClassesWithPlainArgumentsOnly) {
  EXPECT_TRUE(refused("c__builtin__\nset\nK\x01\x85R."sv, "arguments that are not plain"));
  EXPECT_TRUE(refused("c_codecs\nencode\n(Vx\nVutf8\ntR."sv, "arguments that are not plain"));
  EXPECT_TRUE(refused("cdatetime\ntimedelta\n(VX\nVY\nVZ\ntR."sv, "not made of ints"));
  EXPECT_TRUE(refused("K\x01)R."sv, "the type int can't be called"));
  EXPECT_TRUE(refused("c__builtin__\nset\nK\x01R."sv, "arguments of a call are no tuple"));
  EXPECT_TRUE(refused("]}b."sv, "the type list is given a state"));
}

TEST(Pickle, AClassByItselfIsNoValue) {
  EXPECT_TRUE(refused("c__builtin__\nset\n."sv, "expected a value, got class"));
}

// --- what is damaged -----------------------------------------------------------------------------

TEST(Pickle, DamagedOnesAreRefusedWithThePlace) {
  EXPECT_TRUE(refused(""sv, "at byte 0: cut off: 1 byte expected, 0 left"));
  EXPECT_TRUE(refused("\x80\x04N"sv, "at byte 3: cut off"));
  EXPECT_TRUE(refused("\x80\x06N."sv, "protocol 6 is not known"));
  EXPECT_TRUE(refused("\xFF."sv, "opcode 255 is not known"));
  EXPECT_TRUE(refused("."sv, "it ends with 0 values"));
  EXPECT_TRUE(refused("NN."sv, "it ends with 2 values"));
  EXPECT_TRUE(refused("N.N"sv, "after its end: 1 byte more"));
  EXPECT_TRUE(refused("0."sv, "a value is missing"));
  EXPECT_TRUE(refused("N(\x85."sv, "a value is missing"));
  EXPECT_TRUE(refused("Nt."sv, "a mark is missing"));
  EXPECT_TRUE(refused("h\x05."sv, "no value has the number 5"));
  EXPECT_TRUE(refused("Ng7x\n."sv, "a number is none"));
  EXPECT_TRUE(refused("NNa."sv, "the type None is given an element"));
  EXPECT_TRUE(refused("](Ne(Ns."sv, "a value is missing"));
  EXPECT_TRUE(refused("}(Nu."sv, "a key has no value"));
  EXPECT_TRUE(refused("(Nd."sv, "a key has no value"));
  EXPECT_TRUE(refused("X\x01\x00\x00\x00\xFF."sv, "a str is not UTF-8"));
  EXPECT_TRUE(refused("Ix\n."sv, "an int is not a number"));
  EXPECT_TRUE(refused("Fx\n."sv, "a float is not a number"));
  EXPECT_TRUE(refused("Sx\n."sv, "a string is not in quotes"));
  EXPECT_TRUE(refused("V\\uZZZZ\n."sv, "a str has a wrong escape"));
  EXPECT_TRUE(refused("Vx"sv, "the end of a line expected"));
  EXPECT_TRUE(refused("\x80\x04\x95\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFN."sv, "cut off in a frame"));
}

// --- what would take too much --------------------------------------------------------------------

/// The most memory that was taken while `pickle` was read or refused.
std::size_t memory_of(const Bytes& pickle) {
  const tests::CountedMemory memory;
  try {
    loads(pickle);
  } catch (const ValueError&) {
  }
  return memory.most();
}

constexpr std::size_t megabyte = 1 << 20;

TEST(Pickle, SizesThatAreOnlySaidTakeNoMemory) {
  EXPECT_LT(memory_of(bytes_of("\x80\x04\x8e\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x0F."sv)), 4096u);
  EXPECT_LT(memory_of(bytes_of("\x80\x04\x8d\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF."sv)), 4096u);
  EXPECT_LT(memory_of(bytes_of("\x80\x04\x8b\xFF\xFF\xFF\x7F."sv)), 4096u);
  EXPECT_LT(memory_of(bytes_of("Nr\xFF\xFF\xFF\xFF."sv)), 4096u);
  EXPECT_LT(memory_of(bytes_of("Np18446744073709551615\n."sv)), 4096u);
}

TEST(Pickle, AnIntOfTooManyDigitsIsRefused) {
  EXPECT_TRUE(refused("L" + std::string(5000, '9') + "L\n.", "more than 4300 digits"));
}

/// Ten lists in each list, of which all are the same one.
Bytes bomb(int levels) {
  std::string pickle = "]q";
  pickle += '\0';
  for (int level = 1; level <= levels; ++level) {
    pickle += "](";
    for (int i = 0; i < 10; ++i) {
      pickle += 'h';
      pickle += static_cast<char>(level - 1);
    }
    pickle += "eq";
    pickle += static_cast<char>(level);
  }
  // Those below the last are taken from the stack.
  pickle += "q\xFF";
  for (int level = 0; level <= levels; ++level) pickle += '0';
  return bytes_of(pickle + "h\xFF.");
}

TEST(Pickle, PartsThatAreSharedAreNotMultipliedWithoutEnd) {
  EXPECT_EQ(loads(bomb(3)).size(), 10u);
  EXPECT_TRUE(throws<ValueError>([] { loads(bomb(100)); }, {"refers to the same parts so often"}));
  EXPECT_LT(memory_of(bomb(100)), 3 * megabyte);
  using Lists = std::vector<std::vector<std::vector<Object>>>;
  EXPECT_TRUE(
      throws<ValueError>([] { loads<Lists>(bomb(100)); }, {"refers to the same parts so often"}));
}

TEST(Pickle, AValueThatContainsItselfIsRefused) {
  EXPECT_TRUE(
      refused("]q\x01h\x01"
              "a."sv,
              "nested deeper than 200 levels"));
  EXPECT_TRUE(refused("}q\x01Nh\x01s."sv, "nested deeper than 200 levels"));
  // Many times, so that memory for as many is needed at each level.
  const std::string often =
      "]q\x01(" + std::string(1000, 'N') + "h\x01" + std::string(1000, '2') + "e.";
  const std::string first = "]q\x01(h\x01" + std::string(1000, '2') + "e.";
  EXPECT_LT(memory_of(bytes_of(often)), 3 * megabyte);
  EXPECT_LT(memory_of(bytes_of(first)), 3 * megabyte);
}

TEST(Pickle, DeepNestingIsRefusedOnBothSides) {
  const auto nested = [](std::size_t levels) {
    return bytes_of(std::string(levels, ']') + std::string(levels - 1, 'a') + ".");
  };
  EXPECT_NO_THROW(loads(nested(200)));
  EXPECT_TRUE(throws<ValueError>([&] { loads(nested(1'000'000)); }, {"deeper than 200 levels"}));
  Object list{Object::Value(Object::List{})};
  for (int level = 1; level < 200; ++level) {
    Object::List parent;
    parent.items.push_back(std::move(list));
    list = Object(Object::Value(std::move(parent)));
  }
  EXPECT_EQ(loads(dumps(list)), list);
  Object::List parent;
  parent.items.push_back(std::move(list));
  EXPECT_TRUE(throws<ValueError>([&] { dumps(Object(Object::Value(std::move(parent)))); },
                                 {"deeper than 200 levels"}));
}

TEST(Pickle, TakesASmallMultipleOfItsSize) {
  constexpr std::size_t count = 100'000;
  const std::string nones = "(" + std::string(count, 'N') + "l.";
  const std::string lists = "(" + std::string(count, ']') + "l.";
  const std::string texts = "X" + std::string("\xA0\x86\x01\0", 4) + std::string(count, 'x') + ".";
  EXPECT_LT(memory_of(bytes_of(nones)), 110 * count);
  EXPECT_LT(memory_of(bytes_of(lists)), 180 * count);
  EXPECT_LT(memory_of(bytes_of(texts)), 2 * count);
}

// Whoever has sent a pickle chooses the numbers by which its parts are referred to.
TEST(Pickle, AnyNumbersMayReferToParts) {
  std::string parts = "(";
  std::string again;
  constexpr int count = 1000;
  for (int i = 0; i < count; ++i) {
    const std::string number = std::to_string(std::int64_t{i} * 1'000'003);
    parts.append("I").append(std::to_string(i)).append("\np").append(number).append("\n");
    again.append("g").append(number).append("\n");
  }
  const Object list = loads(bytes_of(parts + again + "l."));
  ASSERT_EQ(list.size(), std::size_t{2 * count});
  for (int i = 0; i < count; ++i) EXPECT_EQ(list[i], list[count + i]);
}

// --- what is another type than was asked for -----------------------------------------------------

struct Point {
  int x, y;
};
enum class Small : std::uint8_t { one = 1 };

TEST(Pickle, ErrorsSayWhereAndWhat) {
  using People = std::vector<std::map<std::string, int>>;
  const auto people =
      Object::of(std::tuple<std::map<std::string, int>, std::map<std::string, std::string>>(
          {{"age", 1}}, {{"name", "Ada"}}));
  EXPECT_TRUE(is_no<People>(people, "expected int at [1]['name'], got str"));
  EXPECT_TRUE(is_no<int>(people, "expected int, got tuple"));
  EXPECT_TRUE(is_no<std::string>(Object(1), "expected str, got int"));
  EXPECT_TRUE(is_no<int>(Object(1.0), "expected int, got float"));
  EXPECT_TRUE(is_no<int>(Object(true), "expected int, got bool"));
  EXPECT_TRUE(is_no<bool>(Object(1), "expected bool, got int"));
  EXPECT_TRUE(is_no<double>(Object("1"), "expected float, got str"));
  EXPECT_TRUE(is_no<Point>(Object::of(std::tuple(1)), "expected 2 elements, got 1"));
  EXPECT_TRUE(is_no<Point>(Object::of(std::tuple(1, "y"s)), "expected int at [1], got str"));
  EXPECT_TRUE(is_no<std::vector<Point>>(Object::of(std::vector<std::vector<int>>{{1, 2, 3}}),
                                        "expected 2 elements at [0], got 3"));
  EXPECT_TRUE(
      (is_no<std::array<int, 3>>(Object::of(std::vector{1}), "expected 3 elements, got 1")));
  EXPECT_TRUE((is_no<std::array<std::byte, 3>>(Object::of(Bytes(2)), "expected 3 bytes, got 2")));
  EXPECT_TRUE((is_no<std::map<int, int>>(Object::of(std::map<std::string, int>{{"a", 1}}),
                                         "expected int at ['a'], got str")));
  EXPECT_TRUE((is_no<std::variant<int, double>>(
      Object("x"), "expected one of a variant's alternatives, got str")));
  EXPECT_TRUE((is_no<std::variant<std::vector<int>, double>>(
      Object::of(std::vector<std::string>{"x"}), "expected int at [0], got str")));
}

TEST(Pickle, NumbersOutOfRangeAreRefused) {
  EXPECT_TRUE(is_no<std::int8_t>(Object(128), "int out of range: 128"));
  EXPECT_TRUE(is_no<unsigned>(Object(-1), "int out of range: -1"));
  EXPECT_TRUE(is_no<Small>(Object(256), "int out of range: 256"));
  const Object large = loads(bytes_of("L18446744073709551616L\n."));
  EXPECT_TRUE(is_no<std::uint64_t>(large, "int out of range: an int of 9 bytes"));
  EXPECT_TRUE(is_no<std::int64_t>(Object::of(UINT64_MAX), "int out of range: an int of 9 bytes"));
  EXPECT_TRUE(is_no<std::bitset<3>>(Object(8), "int out of range: 8"));
  EXPECT_TRUE(is_no<std::bitset<80>>(Object(-1), "int out of range: -1"));
  EXPECT_TRUE(is_no<std::chrono::seconds>(Object::of(std::chrono::milliseconds(1500)),
                                          "too long, or finer"));
  EXPECT_TRUE(is_no<std::chrono::nanoseconds>(
      Object(Object::Value(Object::TimeDelta{999'999'999, 0, 0})), "too long, or finer"));
}

TEST(Pickle, WhatPythonHasNoValueForIsNotWritten) {
  using Key = std::map<int, int>;
  EXPECT_TRUE(throws<ValueError>(
      [] {
        dumps(std::map<Key, int>{{{{1, 2}}, 3}});
      },
      {"a dict can be no key"}));
  EXPECT_TRUE(throws<ValueError>([] { dumps(std::chrono::hours(24'000'000'001)); },
                                 {"1000000000 days is too long"}));
}

TEST(Pickle, VariantsAreTheAlternativeOfTheValuesOwnType) {
  using Number = std::variant<double, int>;
  EXPECT_EQ(loads<Number>(dumps(3)), Number(3));
  EXPECT_EQ(loads<Number>(dumps(3.0)), Number(3.0));
  using Size = std::variant<std::int8_t, std::int64_t>;
  EXPECT_EQ(loads<Size>(dumps(1000)), Size(std::in_place_index<1>, 1000));
  using Real = std::variant<std::string, double>;
  EXPECT_EQ(loads<Real>(dumps(3)), Real(3.0));
}

// --- objects -------------------------------------------------------------------------------------

TEST(PickleObject, IsLookedIntoLikePythons) {
  const Object message =
      Object::of(std::tuple<std::string, std::map<std::string, std::vector<int>>>(
          "sizes", {{"a", {1, 2, 3}}}));
  EXPECT_EQ(message[0], "sizes");
  EXPECT_EQ(message[1]["a"][-1], 3);
  EXPECT_EQ(message[-1]["a"].as<std::vector<int>>(), (std::vector{1, 2, 3}));
  EXPECT_EQ(message.size(), 2u);
  EXPECT_TRUE(Object().is_none());
  std::ostringstream stream;
  stream << message;
  EXPECT_EQ(stream.str(), "('sizes', {'a': [1, 2, 3]})");
}

TEST(PickleObject, TellsWhatItHasNot) {
  const Object list = Object::of(std::vector{1, 2});
  EXPECT_TRUE(throws<std::out_of_range>([&] { list[2]; }, {"a list of 2 has no element 2"}));
  EXPECT_TRUE(throws<std::out_of_range>([&] { list[-3]; }, {"has no element -3"}));
  EXPECT_TRUE(throws<tutti::TypeError>([&] { list["x"]; }, {"by an int, not a str"}));
  EXPECT_TRUE(throws<tutti::TypeError>([] { Object(1)[0]; }, {"the type int has no elements"}));
  EXPECT_TRUE(throws<tutti::TypeError>([] { static_cast<void>(Object(1).size()); },
                                       {"the type int has no size"}));
  const Object dict = Object::of(std::map<std::string, int>{{"a", 1}});
  EXPECT_TRUE(throws<std::out_of_range>([&] { dict["b"]; }, {"a dict has no key 'b'"}));
}

TEST(PickleObject, IsEqualToTheSameTypeAndValue) {
  EXPECT_EQ(Object(1), Object(1));
  EXPECT_NE(Object(1), Object(1.0));
  EXPECT_NE(Object(1), Object(true));
  EXPECT_EQ(loads(bytes_of("(K\x01K\x02"
                           "d.")),
            Object::of(std::map<int, int>{{1, 2}}));
  EXPECT_EQ(loads(bytes_of("\x80\x04\x8f(K\x01K\x02\x90.")),
            loads(bytes_of("\x80\x04\x8f(K\x02K\x01\x90.")));
}

TEST(PickleObject, CanBePartOfOtherValues) {
  struct Envelope {
    std::string to;
    Object content;
    bool operator==(const Envelope&) const = default;
  };
  const Envelope envelope{"all", Object::of(std::vector{1, 2})};
  EXPECT_EQ(loads<Envelope>(dumps(envelope)), envelope);
}

}  // namespace
