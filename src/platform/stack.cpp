#include "platform/stack.h"

#include <backtrace.h>
#include <dlfcn.h>
#include <link.h>
#include <unwind.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string_view>

#include "tutti/platform/common.h"

namespace tutti::inline TUTTI_ABI::platform {

namespace {

void ignore_error(void* /*data*/, const char* /*message*/, int /*code*/) {
  // Without debug information there are no lines; the report goes without.
}

backtrace_state* state() {
  constexpr int by_several_threads = 1;
  static backtrace_state* const made =
      backtrace_create_state(nullptr, by_several_threads, ignore_error, nullptr);
  return made;
}

// Where the headers and sources of tutti lie, from this file's own path: ".../src/platform/x.cpp".
std::string_view own_root() {
  constexpr std::string_view here = __FILE__;
  constexpr std::string_view inside = "src/platform/stack.cpp";
  return here.ends_with(inside) ? here.substr(0, here.size() - inside.size()) : here;
}

bool is_of_user(std::string_view file) {
  // The root may be a relative path, to which the debug information adds the folder of the build.
  const std::size_t root = file.find(own_root());
  if (root != file.npos) {
    const std::string_view inside = file.substr(root + own_root().size());
    return !inside.starts_with("src/") && !inside.starts_with("include/");
  }
  const bool is_of_std =
      file.find("/include/c++/") != file.npos || file.find("/bits/gthr-") != file.npos;
  return !is_of_std && file.find("include/tutti/") == file.npos;
}

std::string place(std::string_view file, int line) {
  return std::string(file.substr(file.rfind('/') + 1)) + ":" + std::to_string(line);
}

// Of tutti's own, whatever its file is called: by the mangled name.
bool is_of_tutti(std::string_view function) {
  return function.starts_with("_ZN5tutti") || function.starts_with("_ZNK5tutti");
}

// In what was loaded with the program: on no heap and no stack.
bool is_in_program(std::uintptr_t address) noexcept {
  return dl_iterate_phdr(
             [](dl_phdr_info* module, std::size_t /*size*/, void* wanted) {
               const auto at = *static_cast<std::uintptr_t*>(wanted);
               const auto* const first = module->dlpi_phdr;
               return std::any_of(
                          first, first + module->dlpi_phnum,
                          [&](const auto& segment) {
                            const std::uintptr_t begin = module->dlpi_addr + segment.p_vaddr;
                            return segment.p_type == PT_LOAD && at - begin < segment.p_memsz;
                          })
                          ? 1
                          : 0;
             },
             &address) != 0;
}

// The namespace without a name says nothing to a reader.
std::string without_anonymous_namespaces(std::string name) {
  constexpr std::string_view anonymous = "(anonymous namespace)::";
  for (std::size_t at; (at = name.find(anonymous)) != name.npos;) name.erase(at, anonymous.size());
  return name;
}

struct Unwinding {
  std::span<std::uintptr_t> addresses;
  std::size_t depth = 0;
};

}  // namespace

std::size_t capture_stack(std::span<std::uintptr_t> addresses) noexcept {
  Unwinding unwinding{addresses};
  _Unwind_Backtrace(
      [](_Unwind_Context* context, void* data) {
        auto& found = *static_cast<Unwinding*>(data);
        if (found.depth == found.addresses.size()) return _URC_END_OF_STACK;
        const std::uintptr_t return_address = _Unwind_GetIP(context);
        if (return_address == 0) return _URC_END_OF_STACK;
        found.addresses[found.depth++] = return_address - 1;  // In the call.
        return _URC_NO_REASON;
      },
      &unwinding);
  return unwinding.depth;
}

CallStack calling_stack() noexcept {
  CallStack stack;
  stack.depth = capture_stack(stack.calls);
  return stack;
}

namespace {

// Calls in the C and C++ runtimes: how a thread begins, and how a program ends.
bool is_in_runtime(std::uintptr_t address) noexcept {
  Dl_info module;
  if (dladdr(reinterpret_cast<void*>(address), &module) == 0 || module.dli_fname == nullptr) {
    return false;
  }
  const std::string_view path = module.dli_fname;
  const std::string_view file = path.substr(path.rfind('/') + 1);
  constexpr std::string_view runtimes[] = {"libc.so", "libstdc++.so", "libgcc_s.so", "ld-linux"};
  return std::any_of(std::begin(runtimes), std::end(runtimes),
                     [&](std::string_view name) { return file.starts_with(name); });
}

// Calls in tutti's compiled sources. What is a template may have code of the user's inlined.
bool is_in_tutti(std::uintptr_t address) {
  const std::string name = function_name(address);
  return name.starts_with("tutti::") && name.find('<') > name.find('(');
}

// By its readable name: of tutti's, or of the standard library's. Names of templates begin with the
// type of the result.
bool is_of_library(std::string_view function) {
  constexpr std::string_view names[] = {"tutti::", "std::", "void std::", "void tutti::"};
  return std::any_of(std::begin(names), std::end(names),
                     [&](std::string_view name) { return function.starts_with(name); });
}

bool is_foreign(std::uintptr_t address) {
  return is_in_runtime(address) || is_in_tutti(address);
}

}  // namespace

std::string user_line(std::span<const std::uintptr_t> calls) {
  std::string found;
  for (const std::uintptr_t address : calls) {
    if (is_foreign(address)) continue;
    backtrace_pcinfo(
        state(), address,
        [](void* data, std::uintptr_t /*address*/, const char* file, int line,
           const char* function) {
          if (file == nullptr || !is_of_user(file)) return 0;
          if (function != nullptr && is_of_tutti(function)) return 0;
          *static_cast<std::string*>(data) = place(file, line);
          return 1;
        },
        ignore_error, &found);
    if (!found.empty()) break;
  }
  return found;
}

std::string user_function(std::span<const std::uintptr_t> calls) {
  for (const std::uintptr_t address : calls) {
    std::string name = function_name(address);
    if (!name.empty() && !is_of_library(name)) return name;
  }
  return "";
}

std::vector<std::string> describe_stack(std::span<const std::uintptr_t> calls) {
  std::vector<std::string> lines;
  for (const std::uintptr_t address : calls) {
    if (is_foreign(address)) continue;
    const std::size_t before = lines.size();
    bool is_own = false;
    struct Frame {
      std::vector<std::string>& lines;
      bool& is_own;
    } frame{lines, is_own};
    // Called for each function that was inlined there, the innermost first.
    backtrace_pcinfo(
        state(), address,
        [](void* data, std::uintptr_t /*address*/, const char* file, int line,
           const char* function) {
          auto& [into, own] = *static_cast<Frame*>(data);
          if (function == nullptr) return 0;
          own = is_of_tutti(function) || (file != nullptr && !is_of_user(file));
          if (!own) {
            into.push_back(without_anonymous_namespaces(readable_name(function)) +
                           (file == nullptr ? "" : " at " + place(file, line)));
          }
          return 0;
        },
        ignore_error, &frame);
    std::string name = function_name(address);
    if (lines.size() > before && !is_own && !name.empty()) {
      // The outermost of them is the symbol's, whose name tells more.
      std::string& outermost = lines.back();
      outermost.replace(0, outermost.rfind(" at "), name);
    }
    if (lines.size() > before || is_own || is_of_library(name)) continue;
    if (name.empty()) {
      char text[32];
      std::snprintf(text, sizeof text, "%p", reinterpret_cast<void*>(address));
      name = text;
    }
    lines.push_back(std::move(name));
  }
  return lines;
}

std::string function_name(std::uintptr_t address) {
  std::string name;
  backtrace_syminfo(
      state(), address,
      [](void* data, std::uintptr_t /*address*/, const char* symbol, std::uintptr_t /*value*/,
         std::uintptr_t /*size*/) {
        if (symbol == nullptr) return;
        *static_cast<std::string*>(data) = without_anonymous_namespaces(readable_name(symbol));
      },
      ignore_error, &name);
  return name;
}

std::string variable_name(const void* object) {
  std::string name;
  const auto place = reinterpret_cast<std::uintptr_t>(object);
  // Most objects lie elsewhere; and the first look at the program's symbols takes long.
  if (!is_in_program(place)) return name;
  backtrace_syminfo(
      state(), place,
      [](void* data, std::uintptr_t address, const char* symbol, std::uintptr_t begin,
         std::uintptr_t /*size*/) {
        if (symbol == nullptr) return;
        auto& found = *static_cast<std::string*>(data);
        found = without_anonymous_namespaces(readable_name(symbol));
        if (address != begin) found += "+" + std::to_string(address - begin);
      },
      ignore_error, &name);
  return name;
}

}  // namespace tutti::inline TUTTI_ABI::platform
