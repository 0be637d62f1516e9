// Words and tables of the views.
#include "look/words.h"

#include <gtest/gtest.h>

#include <limits>

#include "look/table.h"

namespace tests {

using look::Table;
using Lines = std::vector<std::string>;

TEST(Words, ArePrintableWhateverANameHolds) {
  EXPECT_EQ(look::printable("plain"), "plain");
  EXPECT_EQ(look::printable("Grüße € 𝄞"), "Grüße € 𝄞");
  EXPECT_EQ(look::printable("a\nb\x1b[2J\x7f"), "a?b?[2J?");
  EXPECT_EQ(look::printable("\xc2\x9b"
                            "2J"),
            "?2J")
      << "a control character of Latin-1";
  EXPECT_EQ(look::printable("\xff\xc3"), "??") << "not UTF-8, and cut in the middle";
  EXPECT_EQ(look::printable("\xc0\xafx"), "??x") << "longer than it must be";
}

TEST(Words, TellTimesInTheUnitsOfPeople) {
  EXPECT_EQ(look::duration(0.0014), "0.001 s");
  EXPECT_EQ(look::duration(59.9), "59.900 s");
  EXPECT_EQ(look::duration(61), "1 min 1 s");
  EXPECT_EQ(look::duration(3 * 3600 + 120), "3 h 2 min");
  EXPECT_EQ(look::duration(10 * 86400 + 3600), "10 d 1 h");
  EXPECT_EQ(look::duration(-1), "0.000 s");
  EXPECT_FALSE(look::duration(std::numeric_limits<double>::max()).empty());
}

TEST(Words, StandInColumnsAsWideAsTheyAre) {
  Table table({{"NAME"}, {"N", Table::Align::right}, {"EMPTY"}, {"LAST"}});
  table.add({"a", "1", "", "x"});
  table.add({"größer", "100", "", ""});
  EXPECT_EQ(table.lines(), (Lines{"NAME      N  LAST", "a         1  x", "größer  100"}));
}

TEST(Words, OfATableWithoutRowsAreNone) {
  EXPECT_EQ(Table({{"NAME"}}).lines(), Lines{""});
}

}  // namespace tests
