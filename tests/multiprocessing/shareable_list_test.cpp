// ShareableList: its items, and Python at the other end.
#include "tutti/multiprocessing/shareable_list.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/python.h"
#include "support/throws.h"
#include "tutti/multiprocessing/connection.h"

namespace tests {

using tutti::multiprocessing::Pipe;
using tutti::multiprocessing::ShareableList;
using tutti::multiprocessing::SharedMemory;
using tutti::multiprocessing::shared_memory::None;
using Item = ShareableList::Item;
using Bytes = std::vector<std::byte>;

// Unlinks it in the end.
struct OwnedList {
  ShareableList list;
  explicit OwnedList(const std::vector<Item>& items) : list(items) {}
  ~OwnedList() { list.shm().unlink(); }
};

const std::vector<Item> one_of_each{None(),
                                    true,
                                    false,
                                    -5,
                                    std::numeric_limits<std::int64_t>::max(),
                                    2.5,
                                    "text",
                                    "",
                                    "exactly8",
                                    "Grüße, длинный текст",
                                    Bytes{std::byte{1}, std::byte{0}, std::byte{255}}};

TEST(ShareableList, HoldsWhatItWasGiven) {
  const OwnedList owned(one_of_each);
  EXPECT_EQ(owned.list.size(), one_of_each.size());
  EXPECT_EQ(owned.list.items(), one_of_each);
  const ShareableList other = ShareableList::attach(owned.list.shm().name());
  EXPECT_EQ(other.items(), one_of_each);
}

TEST(ShareableList, MayBeEmpty) {
  const OwnedList owned({});
  EXPECT_EQ(ShareableList::attach(owned.list.shm().name()).size(), 0u);
  EXPECT_EQ(owned.list.format(), "");
}

TEST(ShareableList, ItemsChangeTheirValuesAndTypes) {
  OwnedList owned({1, "some text", 2.5});
  ShareableList other = ShareableList::attach(owned.list.shm().name());
  other[0] = 7;
  other[1] = None();
  other[-1] = "short";
  EXPECT_EQ(owned.list.items(), (std::vector<Item>{7, None(), "short"}));
  owned.list[1] = "another text";
  owned.list[2] = owned.list[0];
  EXPECT_EQ(other[1], Item("another text"));
  EXPECT_EQ(other.get<std::int64_t>(2), 7);
}

TEST(ShareableList, ATextMustFitIntoItsRoom) {
  OwnedList owned({"1234567", 1});
  owned.list[0] = "12345678";
  owned.list[1] = "87654321";
  EXPECT_TRUE(throws<tutti::ValueError>([&] { owned.list[0] = "123456789"; },
                                        {"exceeds the available storage of 8"}));
  EXPECT_EQ(owned.list.items(), (std::vector<Item>{"12345678", "87654321"}));
}

TEST(ShareableList, PositionsAndTypesAreChecked) {
  OwnedList owned({1, 2});
  EXPECT_EQ(owned.list.get<std::int64_t>(-2), 1);
  for (const std::ptrdiff_t position : {2, -3}) {
    EXPECT_TRUE(throws<tutti::IndexError>([&] { owned.list.get<bool>(position); }, {"2 items"}));
    EXPECT_TRUE(throws<tutti::IndexError>([&] { owned.list[position] = 1; }));
  }
  EXPECT_TRUE(throws<tutti::TypeError>([&] { owned.list.get<double>(0); }, {"another type"}));
}

TEST(ShareableList, CountsAndFindsAsPythonCompares) {
  const OwnedList owned({1, true, 1.0, "1", None(), 9007199254740993});
  EXPECT_EQ(owned.list.count(1), 3u);
  EXPECT_EQ(owned.list.count("1"), 1u);
  EXPECT_EQ(owned.list.count(9007199254740992.0), 0u);
  EXPECT_EQ(owned.list.index(None()), 4u);
  EXPECT_EQ(owned.list.index(1.0), 0u);
  EXPECT_TRUE(throws<tutti::ValueError>([&] { owned.list.index("2"); }, {"not in the list"}));
}

TEST(ShareableList, SaysHowItsItemsAreStored) {
  const OwnedList owned({1, 2.5, true, None(), "text", "exactly8"});
  EXPECT_EQ(owned.list.format(), "qdxxxxxxx?xxxxxx?x8s16s");
}

TEST(ShareableList, APythonProgramReadsAndChangesOurs) {
  OwnedList owned({None(), true, -5, 2.5, "Grüße", Bytes{std::byte{1}, std::byte{255}}, "old"});
  Python python(
      "import sys\n"
      "from multiprocessing import resource_tracker, shared_memory\n"
      "items = shared_memory.ShareableList(name=sys.argv[1])\n"
      "resource_tracker.unregister(items.shm._name, 'shared_memory')\n"
      "assert list(items) == [None, True, -5, 2.5, 'Grüße', b'\\x01\\xff', 'old'], list(items)\n"
      "items[0] = 6\n"
      "items[1] = None\n"
      "items[2] = 'text'\n"
      "items[6] = b'new'\n",
      {owned.list.shm().name()});
  EXPECT_EQ(python.join(), 0);
  EXPECT_EQ(owned.list.items(),
            (std::vector<Item>{6, None(), "text", 2.5, "Grüße", Bytes{std::byte{1}, std::byte{255}},
                               Bytes{std::byte{'n'}, std::byte{'e'}, std::byte{'w'}}}));
}

TEST(ShareableList, WeReadAndChangeAPythonPrograms) {
  auto [here, there] = Pipe();
  Python python(
      "import sys\n"
      "from multiprocessing import shared_memory\n"
      "from multiprocessing.connection import Connection\n"
      "connection = Connection(int(sys.argv[1]))\n"
      "items = shared_memory.ShareableList([1, 'two', 3.0, None, b'5'])\n"
      "connection.send_bytes(items.shm.name.encode())\n"
      "connection.recv_bytes()\n"
      "good = list(items) == ['one', 'two', False, None, b'five']\n"
      "items.shm.unlink()\n"
      "sys.exit(0 if good else 1)\n",
      {std::to_string(there.fileno())}, {there.fileno()});
  const Bytes name = here.recv_bytes();
  ShareableList list =
      ShareableList::attach({reinterpret_cast<const char*>(name.data()), name.size()});
  EXPECT_EQ(list.items(), (std::vector<Item>{1, "two", 3.0, None(), Bytes{std::byte{'5'}}}));
  list[0] = "one";
  list[2] = false;
  list[4] = Bytes{std::byte{'f'}, std::byte{'i'}, std::byte{'v'}, std::byte{'e'}};
  here.send_bytes("done");
  EXPECT_EQ(python.join(), 0);
}

TEST(ShareableList, ItemsOfTenMillionBytesAreRefused) {
  const std::string name = "tutti_test_" + std::to_string(getpid());
  const std::string longest(9'999'991, 'x');
  EXPECT_TRUE(throws<tutti::ValueError>([&] { ShareableList({longest + 'x'}, name); },
                                        {"at most 9999992 bytes", "10000000s"}));
  EXPECT_TRUE(throws<tutti::FileNotFoundError>([&] { SharedMemory{name}; }));
  const OwnedList owned({longest});
  EXPECT_TRUE(owned.list[0] == Item(longest));
}

// As far as its layout goes that is no broken one.
TEST(ShareableList, RoomThatSomebodyElseHasMadeTooLargeIsRefused) {
  constexpr std::uint64_t room = 10'000'008;
  const SharedMemory memory({.create = true, .size = room + 100});
  const std::uint64_t words[] = {1, 0, room};
  std::memcpy(memory.buf().data(), words, sizeof words);
  ShareableList list = ShareableList::attach(memory.name());
  EXPECT_TRUE(throws<tutti::ValueError>([&] { list[0] = "text"; }, {"10000008s"}));
  list[0] = 5;
  EXPECT_EQ(list[0], Item(5));
  memory.unlink();
}

// Whatever others write into it: an error, or items, and never a look beyond its end.
TEST(ShareableList, BrokenMemoryIsAnError) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 500; ++round) {
    OwnedList owned(one_of_each);
    const std::span<std::byte> bytes = owned.list.shm().buf();
    for (int i = 0; i < 3; ++i) {
      const std::uint64_t value = random() % 2 == 0 ? random() % 300 : random();
      const std::size_t place = random() % (bytes.size() / 8);
      std::memcpy(bytes.data() + place * 8, &value, sizeof value);
    }
    try {
      ShareableList list = ShareableList::attach(owned.list.shm().name());
      (void)list.items();
      list[0] = "text";
    } catch (const tutti::ValueError&) {
    } catch (const tutti::IndexError&) {
    }
  }
  const SharedMemory small({.create = true, .size = 15});
  EXPECT_TRUE(
      throws<tutti::ValueError>([&] { ShareableList::attach(small.name()); }, {"holds no list"}));
  small.unlink();
}

}  // namespace tests
