// Ten thousand orders wait for the exchange rate of the day, and then for the discount of their
// customer, which a pool looks up. As coroutines they hold no thread while they wait: until the
// rate is known there is the main thread alone, and then the pool's two. As calls that block, each
// would keep a thread of its own.
//
//     10000 orders wait, threads: 1
//     all are done: 9550000 euros
#include <tutti/futures.h>
#include <tutti/threading.h>

#include <cstdio>
#include <vector>

using namespace tutti;

using Pool = futures::ThreadPoolExecutor;

long percent_off(int customer) {
  return customer % 10;
}

/// The price of an order in euros. An argument of a coroutine is a copy that lives as long as it.
futures::Future<long> price(Pool& pool, futures::Future<long> euros_per_piece, int customer) {
  const long full = 10 * co_await euros_per_piece;
  // Goes on in the thread that has set the rate. That one has better things to do.
  co_await futures::resume_on(pool);
  const long percent = co_await pool.submit(percent_off, customer);
  co_return full*(100 - percent) / 100;
}

int main() {
  Pool pool(2);
  const futures::Future<long> rate;
  std::vector<futures::Future<long>> prices;
  for (int customer = 0; customer < 10'000; ++customer) {
    prices.push_back(price(pool, rate, customer));
  }
  std::printf("%zu orders wait, threads: %zu\n", prices.size(), threading::enumerate().size());

  rate.set_result(100);
  long sum = 0;
  for (const auto& each : prices) sum += each.result();
  std::printf("all are done: %ld euros\n", sum);
}
