#include "tutti/threading/excepthook.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "runtime/guard.h"

namespace tutti::inline TUTTI_ABI::threading {

namespace {

// Guarded by leaf_guard. Never destroyed: threads may outlive static objects.
std::shared_ptr<ExceptHook>& hook_in_force() {
  static auto& hook = *new std::shared_ptr<ExceptHook>;
  return hook;
}

}  // namespace

std::string ExceptHookArgs::what() const {
  if (exc_value == nullptr) return "";
  try {
    std::rethrow_exception(exc_value);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "";
  }
}

ExceptHook set_excepthook(ExceptHook hook) {
  const platform::ThreadOperation operation("set_excepthook", nullptr,
                                            platform::Access::everything);
  auto next = hook ? std::make_shared<ExceptHook>(std::move(hook)) : nullptr;
  {
    const runtime::GuardHolder held(runtime::leaf_guard);
    next.swap(hook_in_force());
  }
  return next == nullptr ? ExceptHook() : *next;
}

void excepthook(const ExceptHookArgs& args) {
  std::shared_ptr<ExceptHook> hook;
  {
    const runtime::GuardHolder held(runtime::leaf_guard);
    hook = hook_in_force();
  }
  hook == nullptr ? default_excepthook(args) : (*hook)(args);
}

void default_excepthook(const ExceptHookArgs& args) {
  std::string text = "Exception in thread ";
  text += args.thread ? args.thread->name() : "<unknown>";
  text += ":\n" + args.exc_type;
  if (const std::string what = args.what(); !what.empty()) text += ": " + what;
  text += "\n";
  platform::print_error(text.c_str());
}

}  // namespace tutti::inline TUTTI_ABI::threading
