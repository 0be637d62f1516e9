// A user's first exploration.
#include <tutti/explore.h>
#include <tutti/tutti.h>
#include <cstdio>

int main() {
  const auto result = tutti::explore::check(
      [] {
        tutti::Shared<int> counter = 0;
        tutti::threading::Thread other([&] { ++counter; });
        other.start();
        ++counter;
        other.join();
      },
      {.print = false});
  std::puts(!result && result.failure->kind == tutti::explore::FailureKind::race ? "race found"
                                                                                 : "nothing found");
}
