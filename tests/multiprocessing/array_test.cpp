// multiprocessing::Array and RawArray.
#include "tutti/multiprocessing/array.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <numeric>
#include <vector>

#include "support/forked.h"
#include "support/throws.h"
#include "tutti/errors.h"

namespace tests {

using tutti::multiprocessing::Array;
using tutti::multiprocessing::RawArray;

TEST(Array, OfASizeIsZeros) {
  const Array<int> array(3);
  EXPECT_EQ(array.size(), 3u);
  EXPECT_EQ(array.slice(), (std::vector<int>{0, 0, 0}));
}

TEST(Array, CopiesWhatItIsMadeOf) {
  EXPECT_EQ((Array<int>{4, 5}).slice(), (std::vector<int>{4, 5}));
  EXPECT_EQ(Array<double>(std::vector{1.5}).slice(), std::vector{1.5});
  EXPECT_EQ(Array<int>(std::list{1, 2, 3}).slice(), (std::vector<int>{1, 2, 3}));
  EXPECT_TRUE(Array<int>(std::vector<int>{}).empty());
}

TEST(Array, IsReadAndWrittenByPosition) {
  Array<int> array{1, 2, 3};
  array[0] = 7;
  array[1] = array[2];
  const int last = array[2];
  EXPECT_EQ(last, 3);
  EXPECT_EQ(array.slice(), (std::vector<int>{7, 3, 3}));
}

TEST(Array, RefusesPositionsThatItDoesNotHave) {
  Array<int> array{1, 2, 3};
  const Array<int>& read_only = array;
  EXPECT_TRUE(throws<tutti::IndexError>([&] { array[3] = 1; }, {"element 3", "has 3"}));
  EXPECT_TRUE(throws<tutti::IndexError>([&] { read_only[3]; }, {"element 3"}));
  EXPECT_TRUE(throws<tutti::IndexError>([&] { RawArray<int>(0)[0]; }, {"has 0"}));
  EXPECT_TRUE(throws<tutti::ValueError>(
      [] { Array<double> bad(std::numeric_limits<std::size_t>::max() / 2); }, {"memory"}));
}

TEST(Array, SlicesEndWhereItEnds) {
  Array<int> array{1, 2, 3, 4};
  EXPECT_EQ(array.slice(1, 3), (std::vector<int>{2, 3}));
  EXPECT_EQ(array.slice(2), (std::vector<int>{3, 4}));
  EXPECT_EQ(array.slice(3, 1), std::vector<int>{});
  EXPECT_EQ(array.slice(9, 12), std::vector<int>{});
  EXPECT_EQ(array.get_obj().slice(1, 100).size(), 3u);
}

TEST(Array, AssignsToSeveralOrToNone) {
  Array<int> array{1, 2, 3, 4};
  array.assign(1, std::vector{8, 9});
  EXPECT_EQ(array.slice(), (std::vector<int>{1, 8, 9, 4}));
  EXPECT_TRUE(throws<tutti::IndexError>([&] { array.assign(3, std::vector{0, 0}); }));
  EXPECT_EQ(array.slice(), (std::vector<int>{1, 8, 9, 4}));
  array.assign(4, {});
}

TEST(Array, ChangesInAllProcesses) {
  Array<int> array(100);
  EXPECT_EQ(Forked([&] { std::iota(array.begin(), array.end(), 1); }).join(), 0);
  const std::scoped_lock held(array.get_lock());
  int sum = 0;
  for (const int element : array) sum += element;
  EXPECT_EQ(sum, 5050);
}

TEST(RawArray, IsARange) {
  RawArray<int> array(5);
  std::ranges::fill(array, 3);
  array[4] = 1;
  EXPECT_EQ(std::accumulate(array.begin(), array.end(), 0), 13);
  EXPECT_EQ(array.span().size(), 5u);
  EXPECT_EQ(RawArray<int>(array).data(), array.data()) << "a copy of a handle is the same array";
}

}  // namespace tests
