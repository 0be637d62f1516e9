#include "explore/source_lines.h"

#include <backtrace.h>

#include <string_view>

#include "tutti/platform/floor.h"

namespace tutti::inline TUTTI_ABI::explore {

namespace {

void ignore_error(void* /*data*/, const char* /*message*/, int /*code*/) {
  // Without debug information there are no lines; the report goes without.
}

backtrace_state* state() {
  static backtrace_state* const made = backtrace_create_state(nullptr, 0, ignore_error, nullptr);
  return made;
}

// Where the headers and sources of tutti lie, from this file's own path: ".../src/explore/x.cpp".
std::string_view own_root() {
  constexpr std::string_view here = __FILE__;
  constexpr std::string_view inside = "src/explore/source_lines.cpp";
  return here.ends_with(inside) ? here.substr(0, here.size() - inside.size()) : here;
}

bool is_of_user(std::string_view file) {
  if (file.starts_with(own_root())) {
    const std::string_view inside = file.substr(own_root().size());
    return !inside.starts_with("src/") && !inside.starts_with("include/");
  }
  return file.find("/include/c++/") == file.npos && file.find("include/tutti/") == file.npos;
}

struct Found {
  std::string line;
};

int look_at_frame(void* data, std::uintptr_t /*address*/, const char* file, int line,
                  const char* function) {
  if (file == nullptr || !is_of_user(file)) return 0;
  // Of tutti's own, whatever its file is called: by the mangled name.
  const std::string_view name = function == nullptr ? "" : function;
  if (name.starts_with("_ZN5tutti") || name.starts_with("_ZNK5tutti")) return 0;
  const std::string_view path = file;
  static_cast<Found*>(data)->line =
      std::string(path.substr(path.rfind('/') + 1)) + ":" + std::to_string(line);
  return 1;
}

}  // namespace

std::vector<std::uintptr_t> call_addresses() {
  constexpr std::size_t deepest = 48;
  std::vector<std::uintptr_t> calls;
  backtrace_simple(
      state(), 1,
      [](void* data, std::uintptr_t address) {
        auto& found = *static_cast<std::vector<std::uintptr_t>*>(data);
        found.push_back(address);
        return found.size() < deepest ? 0 : 1;
      },
      ignore_error, &calls);
  return calls;
}

std::string user_line(const std::vector<std::uintptr_t>& calls) {
  Found found;
  for (const std::uintptr_t address : calls) {
    backtrace_pcinfo(state(), address, look_at_frame, ignore_error, &found);
    if (!found.line.empty()) break;
  }
  return found.line;
}

std::string variable_name(const void* address) {
  std::string name;
  backtrace_syminfo(
      state(), reinterpret_cast<std::uintptr_t>(address),
      [](void* data, std::uintptr_t /*address*/, const char* symbol, std::uintptr_t /*value*/,
         std::uintptr_t /*size*/) {
        if (symbol != nullptr) *static_cast<std::string*>(data) = platform::readable_name(symbol);
      },
      ignore_error, &name);
  return name;
}

}  // namespace tutti::inline TUTTI_ABI::explore
