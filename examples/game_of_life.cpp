// Conway's game of life with a thread for each row. A barrier ends each generation: the last thread
// to arrive swaps this generation with the next before any goes on. A glider flies down and to the
// right.
//
//     .#......
//     ..#.....
//     ###.....
//     ........
//     ........
//     ........
//
//     ........
//     ..#.....
//     …
#include <tutti/threading.h>

#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

using namespace tutti;

constexpr std::size_t height = 6;
constexpr std::size_t width = 8;

std::vector<std::string> board = {".#......", "..#.....", "###.....",
                                  "........", "........", "........"};
auto next = board;
threading::Barrier row_done(height, [] { board.swap(next); });

int neighbours(std::size_t row, std::size_t column) {
  int count = 0;
  // Left of the first column is the last one, above the first row the last.
  for (std::size_t y : {row + height - 1, row, row + 1}) {
    for (std::size_t x : {column + width - 1, column, column + 1}) {
      if ((y != row || x != column) && board[y % height][x % width] == '#') ++count;
    }
  }
  return count;
}

void live(std::size_t row, int generations) {
  for (int i = 0; i < generations; ++i) {
    for (std::size_t column = 0; column < width; ++column) {
      const int count = neighbours(row, column);
      const bool lives = count == 3 || (count == 2 && board[row][column] == '#');
      next[row][column] = lives ? '#' : '.';
    }
    row_done.wait();
  }
}

int main() {
  for (int show = 0; show < 4; ++show) {
    for (const std::string& row : board) std::puts(row.c_str());
    std::puts("");
    std::vector<threading::Thread> rows;
    for (std::size_t row = 0; row < height; ++row) rows.emplace_back(live, row, 4).start();
    for (auto& row : rows) row.join();
  }
}
