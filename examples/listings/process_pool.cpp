// A pool of four processes: a map, a call whose result is asked for later, results as they come,
// and the end.
//
//     map: 0 1 4 9 16 25 36 49 64 81
//     apply_async: 100
//     imap_unordered, sorted: 0 1 4 9 16 25 36 49 64 81
//     closed: Pool not running
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include <tutti/multiprocessing.h>

using namespace tutti;

int square(int n) {
  return n * n;
}

void print(const char* what, const std::vector<int>& squares) {
  std::printf("%s:", what);
  for (int n : squares) std::printf(" %d", n);
  std::printf("\n");
}

int main() {
  std::vector<int> numbers(10);
  std::iota(numbers.begin(), numbers.end(), 0);

  multiprocessing::Pool pool(4);
  print("map", pool.map(square, numbers));

  multiprocessing::AsyncResult<int> result = pool.apply_async(square, 10);
  std::printf("apply_async: %d\n", result.get(60));

  std::vector<int> squares;
  for (int n : pool.imap_unordered(square, numbers)) squares.push_back(n);
  std::sort(squares.begin(), squares.end());
  print("imap_unordered, sorted", squares);

  pool.close();
  pool.join();
  try {
    pool.apply(square, 1);
  } catch (const ValueError& error) {
    const std::string text = error.what();
    std::printf("closed: %s\n", text.substr(0, text.find(':')).c_str());
  }
}
