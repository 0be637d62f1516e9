#include "sync/lock_order.h"

#include <algorithm>
#include <new>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "platform/stack.h"
#include "runtime/describe.h"
#include "runtime/forgetting.h"
#include "runtime/guard.h"
#include "runtime/settings.h"
#include "sync/lock_graph.h"

namespace tutti::inline TUTTI_ABI::sync {

namespace {

using runtime::GuardHolder;

// Guards what follows; held over a fork. Never destroyed, for threads that outlive static objects.
constinit runtime::Guard order_guard;

struct Known {
  LockGraph graph;
  /// The places of cycles that were reported.
  std::set<std::uint64_t> reported;
  std::vector<OrderReport> reports;
  /// A program that does it all over the place has enough to do with these.
  static constexpr std::size_t most_reports = 100;
};

Known& known() {
  static Known& all = *new Known;
  return all;
}

// --- which are told ------------------------------------------------------------------------------

bool matches(std::string_view text, std::string_view glob) {
  if (glob.empty()) return text.empty();
  if (glob[0] == '*') {
    return matches(text, glob.substr(1)) || (!text.empty() && matches(text.substr(1), glob));
  }
  return !text.empty() && (glob[0] == '?' || glob[0] == text[0]) &&
         matches(text.substr(1), glob.substr(1));
}

bool is_suppressed(std::string_view name) {
  std::string_view globs = runtime::suppressed_lock_order();
  while (!globs.empty()) {
    const std::size_t end = std::min(globs.find(','), globs.size());
    if (matches(name, globs.substr(0, end))) return true;
    globs.remove_prefix(std::min(end + 1, globs.size()));
  }
  return false;
}

// "bank::(anonymous namespace)::transfer(int) at bank.cpp:31" → "bank::transfer"
std::string function_of(std::string call) {
  constexpr std::string_view unnamed = "(anonymous namespace)::";
  for (std::size_t at; (at = call.find(unnamed)) != call.npos;) call.erase(at, unnamed.size());
  call.resize(std::min(call.rfind(" at "), call.size()));
  call.resize(std::min(call.find('('), call.size()));
  return call;
}

bool is_suppressed(const Stack& stack) {
  const std::vector<std::string> calls = platform::describe_stack(stack.view());
  return std::any_of(calls.begin(), calls.end(),
                     [](const std::string& call) { return is_suppressed(function_of(call)); });
}

bool is_suppressed(const std::vector<OrderEdge>& cycle) {
  if (runtime::suppressed_lock_order().empty()) return false;
  return std::any_of(cycle.begin(), cycle.end(), [](const OrderEdge& edge) {
    return is_suppressed(runtime::name_or_variable(edge.taken)) || is_suppressed(edge.stack) ||
           is_suppressed(edge.held.stack);
  });
}

// The same for all cycles of locks that are taken at the same places.
std::uint64_t places_of(const std::vector<OrderEdge>& cycle) {
  std::vector<std::uint64_t> hashes;
  for (const OrderEdge& edge : cycle) {
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, by words.
    for (const Stack* stack : {&edge.held.stack, &edge.stack}) {
      for (const std::uintptr_t call : stack->view()) hash = (hash ^ call) * 0x100000001b3;
    }
    hashes.push_back(hash);
  }
  std::sort(hashes.begin(), hashes.end());
  std::uint64_t all = 0;
  for (const std::uint64_t hash : hashes) all = (all ^ hash) * 0x100000001b3;
  return all;
}

// --- how they are told ---------------------------------------------------------------------------

std::string place_of(const Stack& stack) {
  if (std::string line = platform::user_line(stack.view()); !line.empty()) return line;
  return platform::user_function(stack.view());
}

void append_calls(std::string& text, const char* title, const Stack& stack) {
  text += title;
  for (const std::string& call : platform::describe_stack(stack.view()))
    text += "\n        " + call;
}

OrderReport report_of(const std::vector<OrderEdge>& cycle) {
  OrderReport report;
  report.text = "possible deadlock: " + std::to_string(cycle.size()) +
                " locks are not always taken in the same order";
  const auto at = [](const std::string& place) { return place.empty() ? "" : " at " + place; };
  for (const OrderEdge& edge : cycle) {
    OrderReport::Step step{.thread = edge.thread,
                           .held = runtime::describe(edge.held.kind, edge.held.lock),
                           .taken = runtime::describe(edge.kind, edge.taken),
                           .held_at = place_of(edge.held.stack),
                           .taken_at = place_of(edge.stack)};
    report.text += "\n  thread '" + step.thread + "' takes " + step.taken + at(step.taken_at) +
                   "\n    while it holds " + step.held +
                   (step.held_at.empty() ? "" : ", taken at " + step.held_at);
    if (runtime::tells_stacks()) {
      append_calls(report.text, "\n      takes it in", edge.stack);
      append_calls(report.text, "\n      took the other in", edge.held.stack);
    }
    report.steps.push_back(std::move(step));
  }
  return report;
}

void report(const std::vector<OrderEdge>& cycle) {
  {
    const GuardHolder held(order_guard);
    if (known().reported.size() >= Known::most_reports) return;
    if (!known().reported.insert(places_of(cycle)).second) return;
  }
  if (is_suppressed(cycle)) return;
  OrderReport made = report_of(cycle);
  platform::print_error(("tutti: " + made.text + "\n").c_str());
  const GuardHolder held(order_guard);
  known().reports.push_back(std::move(made));
}

[[maybe_unused]] const bool prepared = (prepare_lock_order(), true);

void note(const runtime::Self& self, WaitKind kind, const void* lock) {
  const std::vector<Held> all_held = all_held_by(self);
  const bool is_held = std::any_of(all_held.begin(), all_held.end(),
                                   [lock](const Held& held) { return held.lock == lock; });
  if (all_held.empty() || is_held) return;
  {
    const GuardHolder held(order_guard);
    if (known().graph.knows(all_held, lock)) return;
  }
  OrderEdge edge;
  edge.thread = self.slot->name.get();
  edge.taken = lock;
  edge.kind = kind;
  edge.stack = platform::calling_stack();
  for (const Held& held : all_held) {
    edge.held = held;
    edge.gates.clear();
    for (const Held& other : all_held) {
      if (other.lock != held.lock) edge.gates.push_back(other.lock);
    }
    const std::vector<OrderEdge> cycle = [&edge] {
      const GuardHolder guarded(order_guard);
      return known().graph.add(edge);
    }();
    if (!cycle.empty()) report(cycle);
  }
}

}  // namespace

void prepare_lock_order() noexcept {
  static const bool once = [] {
    if (!runtime::keeps_lock_order()) return false;
    known();
    platform::around_fork(
        {[] { order_guard.lock(); }, [] { order_guard.unlock(); }, [] { order_guard.unlock(); }});
    runtime::at_forgetting([](const void* lock) { forget_order(lock); });
    return true;
  }();
  (void)once;
}

void note_order(const runtime::Self& self, WaitKind kind, const void* lock) noexcept {
  if (!runtime::keeps_lock_order()) return;
  try {
    note(self, kind, lock);
  } catch (const std::bad_alloc&) {
    // It is not known, then.
  }
}

void forget_order(const void* lock) noexcept {
  if (!runtime::keeps_lock_order()) return;
  const GuardHolder held(order_guard);
  known().graph.forget(lock);
}

void allow_order(const void* first, const void* second) {
  if (!runtime::keeps_lock_order()) return;
  const GuardHolder held(order_guard);
  known().graph.allow(first, second);
}

std::vector<OrderReport> order_reports() {
  const GuardHolder held(order_guard);
  return known().reports;
}

}  // namespace tutti::inline TUTTI_ABI::sync
