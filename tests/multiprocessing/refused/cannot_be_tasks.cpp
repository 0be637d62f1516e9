// Does not compile: refused_test.cpp looks at what the compiler says to each of these.
#include <tutti/multiprocessing/pool.h>
#include <tutti/multiprocessing/process_pool_executor.h>

#include <functional>
#include <string>
#include <vector>

using tutti::futures::ProcessPoolExecutor;
using tutti::multiprocessing::Pool;

void apply_closure(Pool& pool, int offset) {
  pool.apply([offset](int number) { return offset + number; }, 1);
}

void map_closure(Pool& pool, std::vector<int>& found, const std::vector<int>& numbers) {
  pool.map([&found](int number) { found.push_back(number); }, numbers);
}

void submit_closure(ProcessPoolExecutor& executor, int offset) {
  executor.submit([=](int number) { return offset + number; }, 1);
}

void apply_function(Pool& pool, const std::function<int()>& function) {
  pool.apply(function);
}

void add_up(int* numbers);
void apply_to_pointer(Pool& pool, int* numbers) {
  pool.apply(add_up, numbers);
}

std::string* make();
void take_pointer(Pool& pool) {
  pool.apply(make);
}
