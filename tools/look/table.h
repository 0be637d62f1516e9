// A table of text with columns as wide as what stands in them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace look {

class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };

  explicit Table(std::vector<Column> columns);

  void add(std::vector<std::string> row);
  /// Titles first; columns in which no row has anything are left out. No line ends with blanks.
  std::vector<std::string> lines() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Columns that the text takes on a terminal: one for each character of UTF-8.
std::size_t width_of(std::string_view text);

}  // namespace look
