// Numbers taken apart into primes, printed as they are done, so their order is open. One number has
// no factors, and its call throws; one is not wanted any more before anybody has begun with it.
//
//     360 = 2 * 2 * 2 * 3 * 3 * 5
//     1: has no prime factors
//     600851475143 = 71 * 839 * 1471 * 6857
//     999999000001: not wanted any more
//     4 of 4 are done
#include <tutti/futures.h>
#include <tutti/threading.h>

#include <cstdio>
#include <string>
#include <unordered_map>
#include <vector>

using namespace tutti;

std::string factors_of(long number) {
  if (number < 2) throw ValueError("has no prime factors");
  std::string factors;
  for (long divisor = 2; divisor * divisor <= number; ++divisor) {
    for (; number % divisor == 0 && number > divisor; number /= divisor) {
      factors += std::to_string(divisor) + " * ";
    }
  }
  return factors + std::to_string(number);
}

int main() {
  threading::Event begin;
  futures::ThreadPoolExecutor pool(2);
  std::unordered_map<futures::Future<std::string>, long> number_of;
  std::vector<futures::Future<std::string>> all;
  for (const long number : {360L, 1L, 600851475143L, 999999000001L}) {
    all.push_back(pool.submit([&begin, number] {
      begin.wait();
      return factors_of(number);
    }));
    number_of[all.back()] = number;
  }
  // Two workers wait with the first two numbers, so the last one can still be cancelled.
  all.back().cancel();
  begin.set();

  int done = 0;
  for (const auto& future : futures::as_completed(all)) {
    ++done;
    const long number = number_of.at(future);
    try {
      std::printf("%ld = %s\n", number, future.result().c_str());
    } catch (const ValueError& error) {
      std::printf("%ld: %s\n", number, error.what());
    } catch (const futures::CancelledError&) {
      std::printf("%ld: not wanted any more\n", number);
    }
  }
  std::printf("%d of %zu are done\n", done, all.size());
}
