#include "demo/dining.h"

#include <fmt/core.h>
#include <tutti/threading.h>
#include <mutex>
#include <string>

namespace demo {

namespace threading = tutti::threading;
using threading::Barrier;
using threading::Lock;

namespace {

void dine(Lock& left, Lock& right, Barrier& table) {
  try {
    const std::scoped_lock has_left(left);
    table.wait();
    const std::scoped_lock has_right(right);
  } catch (const tutti::DeadlockError& error) {
    fmt::print("{}\n\n", error.what());
    // Both forks at once, or none: std's way to lock several.
    const std::scoped_lock has_both(left, right);
  }
  fmt::print("{} has eaten.\n", threading::current_thread().name());
}

}  // namespace

void let_philosophers_dine() {
  Lock first("first fork");
  Lock second("second fork");
  Barrier table(2);
  threading::Thread plato({.target = [&] { dine(first, second, table); }, .name = "Plato"});
  threading::Thread kant({.target = [&] { dine(second, first, table); }, .name = "Kant"});
  plato.start();
  kant.start();
  plato.join();
  kant.join();
}

}  // namespace demo
