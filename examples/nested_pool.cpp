// Merge sort whose calls submit calls and wait for their results, in a pool of one worker. Python's
// pool would hang: its only thread would wait for a call that nobody is left to begin. Here the one
// who waits makes that call itself.
//
//     100000 numbers are in order; threads: MainThread, sorter_0
#include <tutti/futures.h>
#include <tutti/threading.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <vector>

using namespace tutti;

void sort(futures::ThreadPoolExecutor& pool, std::span<int> numbers) {
  if (numbers.size() < 1000) {
    std::sort(numbers.begin(), numbers.end());
    return;
  }
  const std::span<int> left = numbers.first(numbers.size() / 2);
  const std::span<int> right = numbers.subspan(left.size());
  const auto sorted_left = pool.submit(sort, std::ref(pool), left);
  sort(pool, right);
  sorted_left.result();
  std::inplace_merge(numbers.begin(), right.begin(), numbers.end());
}

int main() {
  std::vector<int> numbers(100'000);
  std::mt19937 random(1);
  for (int& number : numbers) number = static_cast<int>(random());

  futures::ThreadPoolExecutor pool(1, "sorter");
  pool.submit(sort, std::ref(pool), std::span(numbers)).result();
  std::printf("%zu numbers are%s in order; threads:", numbers.size(),
              std::is_sorted(numbers.begin(), numbers.end()) ? "" : " not");
  const char* separator = " ";
  for (const threading::Thread& thread : threading::enumerate()) {
    std::printf("%s%s", separator, thread.name().c_str());
    separator = ", ";
  }
  std::printf("\n");
}
