#include "tutti/thread.h"

#include "runtime/waiting.h"

namespace tutti::inline TUTTI_ABI::thread {

namespace {
constinit platform::atomic<std::size_t> living{0};
[[maybe_unused]] const bool count_restarts =
    (platform::on_restart([] { living.store(0, platform::relaxed); }), true);
}  // namespace

std::uint64_t start_target(threading::Target target) {
  // Counted from here, so that a caller that has just started one sees it.
  struct Counted {
    Counted() { living.fetch_add(1, platform::relaxed); }
    Counted(Counted&& other) noexcept : counts(std::exchange(other.counts, false)) {}
    ~Counted() {
      // release: pairs with the acquire in _count(), for programs that wait until it says 0.
      if (counts) living.fetch_sub(1, platform::release);
    }
    bool counts = true;
  };
  threading::Thread thread(
      {.target = [target = std::move(target), counted = Counted()]() mutable { target(); },
       .daemon = true});
  thread.start();
  return *thread.ident();
}

void exit() {
  throw SystemExit();
}

void interrupt_main() noexcept {
  const platform::Operation operation("interrupt_main", nullptr, platform::Access::everything);
  runtime::interrupt_main();
}

std::size_t _count() noexcept {
  const platform::ThreadOperation operation("_count", nullptr, platform::Access::everything);
  return operation.saw(living.load(platform::acquire));
}

}  // namespace tutti::inline TUTTI_ABI::thread
