#include "look/table.h"

#include <algorithm>
#include <utility>

namespace look {

namespace {

std::string padded(const std::string& text, std::size_t width, Table::Align align) {
  const std::string blanks(width - width_of(text), ' ');
  return align == Table::Align::left ? text + blanks : blanks + text;
}

}  // namespace

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add(std::vector<std::string> row) {
  rows_.push_back(std::move(row));
}

std::vector<std::string> Table::lines() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = 0;
    for (const auto& row : rows_) width = std::max(width, width_of(row[i]));
    widths.push_back(width == 0 ? 0 : std::max(width, width_of(columns_[i].title)));
  }
  const auto line_of = [&](const auto& cell) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (widths[i] == 0) continue;
      if (!line.empty()) line += "  ";
      line += padded(cell(i), widths[i], columns_[i].align);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
  };
  std::vector<std::string> lines{line_of([&](std::size_t i) { return columns_[i].title; })};
  for (const auto& row : rows_) lines.push_back(line_of([&](std::size_t i) { return row[i]; }));
  return lines;
}

}  // namespace look
