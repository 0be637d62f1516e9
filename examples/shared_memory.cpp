// The Mandelbrot set counted by four processes that share one table: each row of the picture is a
// struct in shared memory, which every process maps by the block's name. No row is ever sent.
//
//     128 rows by 4 processes: 32 each
//     25146 of 98304 points belong to the set
//
// While it runs, a program in Python could look at the same table:
//     multiprocessing.shared_memory.SharedMemory(name)
#include <tutti/multiprocessing.h>

#include <complex>
#include <cstdint>
#include <iostream>
#include <span>
#include <string>
#include <vector>

using namespace tutti;

struct Row {
  std::int32_t points_inside;
  std::int32_t process;
};

constexpr int width = 768;
constexpr int height = 128;
constexpr int processes = 4;

bool is_inside(std::complex<double> c) {
  std::complex<double> z = 0;
  for (int i = 0; i < 200; ++i) {
    z = z * z + c;
    if (std::norm(z) > 4) return false;
  }
  return true;
}

void count_rows(const std::string& name, int process) {
  const multiprocessing::SharedMemory memory(name);
  const std::span<Row> rows = memory.map<Row>();
  for (int y = process; y < height; y += processes) {
    Row row{0, process};
    for (int x = 0; x < width; ++x) {
      row.points_inside += is_inside({x * 3.0 / width - 2.0, y * 2.0 / height - 1.0});
    }
    rows[static_cast<std::size_t>(y)] = row;
  }
}

int main() {
  const multiprocessing::SharedMemory memory({.create = true, .size = height * sizeof(Row)});
  std::vector<multiprocessing::Process> children;
  for (int i = 0; i < processes; ++i) children.emplace_back(count_rows, memory.name(), i);
  for (auto& child : children) child.start();
  for (auto& child : children) child.join();

  std::int32_t inside = 0;
  std::vector<int> rows_of(processes);
  for (const Row& row : memory.map<Row>()) {
    inside += row.points_inside;
    ++rows_of[static_cast<std::size_t>(row.process)];
  }
  memory.unlink();
  std::cout << height << " rows by " << processes << " processes: " << rows_of.front() << " each\n";
  std::cout << inside << " of " << width * height << " points belong to the set\n";
}
