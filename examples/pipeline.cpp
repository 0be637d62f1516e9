// A pipeline of three stages with a queue between each two: numbers, those of them that are prime,
// and their sum. Each stage ends when the one before has shut its queue down.
//
//     1229 primes below 10000, their sum is 5736396
#include <tutti/queue.h>
#include <tutti/threading.h>

#include <cstdio>
#include <vector>

using namespace tutti;

bool is_prime(int number) {
  for (int divisor = 2; divisor * divisor <= number; ++divisor) {
    if (number % divisor == 0) return false;
  }
  return number >= 2;
}

int main() {
  queue::Queue<int> numbers(64);
  queue::Queue<int> primes(64);

  threading::Thread source([&] {
    for (int number = 0; number < 10'000; ++number) numbers.put(number);
    numbers.shutdown();
  });
  std::vector<threading::Thread> sieves;
  for (int i = 0; i < 3; ++i) {
    sieves.emplace_back([&] {
      for (const int number : numbers.items()) {
        if (is_prime(number)) primes.put(number);
      }
    });
  }
  source.start();
  for (auto& sieve : sieves) sieve.start();
  threading::Thread last([&] {
    for (auto& sieve : sieves) sieve.join();
    primes.shutdown();
  });
  last.start();

  int count = 0;
  long sum = 0;
  for (const int prime : primes.items()) {
    ++count;
    sum += prime;
  }
  source.join();
  last.join();
  std::printf("%d primes below 10000, their sum is %ld\n", count, sum);
}
