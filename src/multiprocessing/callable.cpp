#include "tutti/multiprocessing/callable.h"

#include "platform/module.h"
#include "tutti/errors.h"
#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

FunctionName name_function(std::uintptr_t function) {
  platform::Module module = platform::module_at(function);
  if (!module.is_found) {
    throw RuntimeError(
        "a function made at run time can't be called by a process that is not forked");
  }
  return {std::move(module.path), std::move(module.build), function - module.base};
}

std::uintptr_t find_function(const FunctionName& name) {
  const platform::Module module = platform::load_module(name.module);
  const std::string called = name.module.empty() ? "the program" : "'" + name.module + "'";
  if (!module.is_found) {
    throw RuntimeError("can't call a function of " + called + ": " +
                       platform::describe_load_error());
  }
  if (module.build != name.build) {
    throw RuntimeError("can't call a function of " + called +
                       ": it has been replaced since the calling process was started (build " +
                       module.build + " instead of " + name.build + ")");
  }
  return module.base + name.offset;
}

std::string Callable::describe_obstacle(std::size_t index, const std::type_info& type) {
  const std::string what =
      index == 0 ? "its target" : "argument " + std::to_string(index) + " of its target";
  return what + ", of type '" + platform::readable_name(type.name()) +
         "', can't cross between processes";
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
