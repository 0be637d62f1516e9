#include "multiprocessing/start_method.h"

#include <array>

#include "tutti/errors.h"
#include "tutti/multiprocessing/context.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

constexpr std::array all = {StartMethod::fork, StartMethod::spawn, StartMethod::forkserver};
constexpr int unset = -1;

constinit platform::atomic<int> in_force{unset};

StartMethod find(std::string_view name) {
  for (const StartMethod method : all) {
    if (name == to_string(method)) return method;
  }
  throw ValueError("cannot find context for '" + std::string(name) +
                   "': the start methods are fork, spawn and forkserver");
}

}  // namespace

const char* to_string(StartMethod method) noexcept {
  switch (method) {
    case StartMethod::fork:
      return "fork";
    case StartMethod::spawn:
      return "spawn";
    case StartMethod::forkserver:
      return "forkserver";
  }
  return "?";
}

StartMethod start_method_in_force() noexcept {
  int method = unset;
  if (in_force.compare_exchange_strong(method, static_cast<int>(all.front()), platform::relaxed)) {
    return all.front();
  }
  return static_cast<StartMethod>(method);
}

void set_start_method(StartMethod method) noexcept {
  in_force.store(static_cast<int>(method), platform::relaxed);
}

void set_start_method(std::string_view method, SetStartMethodOptions options) {
  const StartMethod wanted = find(method);
  int before = unset;
  if (options.force) return set_start_method(wanted);
  if (!in_force.compare_exchange_strong(before, static_cast<int>(wanted), platform::relaxed)) {
    throw RuntimeError("the start method has already been set, to " +
                       std::string(to_string(static_cast<StartMethod>(before))) +
                       ", by set_start_method() or by starting a process; {.force = true} changes "
                       "it all the same");
  }
}

std::string get_start_method() {
  return to_string(start_method_in_force());
}

std::vector<std::string> get_all_start_methods() {
  std::vector<std::string> names;
  for (const StartMethod method : all) names.emplace_back(to_string(method));
  return names;
}

Context get_context() {
  return Context(start_method_in_force());
}

Context get_context(std::string_view method) {
  return Context(find(method));
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
