#include "look/stacks.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <fmt/core.h>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "look/error.h"
#include "tutti/platform/common.h"

namespace look {

namespace {

// Deeper than any stack that is not an endless recursion.
constexpr std::size_t deepest = 500;

std::string readable(const char* name) {
  return tutti::platform::readable_name(name);
}

// An attribute of a function that may stand in its declaration only.
std::optional<std::string> name_of(Dwarf_Die* function) {
  Dwarf_Attribute attribute;
  for (const unsigned name : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
    if (dwarf_attr_integrate(function, name, &attribute) == nullptr) continue;
    if (const char* text = dwarf_formstring(&attribute)) return readable(text);
  }
  const char* plain = dwarf_diename(function);
  if (plain == nullptr) return std::nullopt;
  return plain;
}

struct Place {
  std::string text;
  bool is_in_standard_library = false;
};

Place place_of(std::string_view file, std::uint64_t line) {
  return {fmt::format("{}:{}", std::filesystem::path(file).filename().string(), line),
          file.find("/include/c++/") != file.npos};
}

// Where an inlined function is called from.
Place call_site_of(Dwarf_Die* inlined, Dwarf_Die* unit) {
  Dwarf_Attribute attribute;
  Dwarf_Word file = 0;
  Dwarf_Word line = 0;
  Dwarf_Files* files = nullptr;
  const bool is_known =
      dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &file) == 0 &&
      dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &line) == 0 &&
      dwarf_getsrcfiles(unit, &files, nullptr) == 0;
  const char* name = is_known ? dwarf_filesrc(files, file, nullptr, nullptr) : nullptr;
  return name == nullptr ? Place() : place_of(name, line);
}

struct Scopes {
  Dwarf_Die* dies = nullptr;
  int count = 0;
  ~Scopes() { std::free(dies); }
};

// The line at the address itself; empty without debug information.
Place innermost_place(Dwfl_Module* module, std::uint64_t address) {
  Dwfl_Line* found = dwfl_module_getsrc(module, address);
  int line = 0;
  const char* file =
      found == nullptr ? nullptr : dwfl_lineinfo(found, nullptr, &line, nullptr, nullptr, nullptr);
  return file == nullptr ? Place() : place_of(file, static_cast<std::uint64_t>(line));
}

// From the innermost inlined call outwards; `place` moves from each to where that is called. The
// standard library passes calls on through many small functions of its own, which say nothing.
std::vector<Call> inlined_at(Dwfl_Module* module, std::uint64_t address, Place& place) {
  std::vector<Call> calls;
  Dwarf_Addr bias = 0;
  Dwarf_Die* unit = dwfl_module_addrdie(module, address, &bias);
  if (unit == nullptr) return calls;
  // Around an inlined function it finds the scopes that this was written in. Those that it was put
  // into are the parents of the innermost one.
  Scopes around;
  around.count = dwarf_getscopes(unit, address - bias, &around.dies);
  if (around.count <= 0) return calls;
  Scopes scopes;
  scopes.count = dwarf_getscopes_die(around.dies, &scopes.dies);
  for (int i = 0; i < scopes.count; ++i) {
    Dwarf_Die* scope = scopes.dies + i;
    if (dwarf_tag(scope) == DW_TAG_subprogram) break;
    if (dwarf_tag(scope) != DW_TAG_inlined_subroutine) continue;
    if (!place.is_in_standard_library) {
      calls.push_back({name_of(scope).value_or("?"), place.text, true});
    }
    place = call_site_of(scope, unit);
  }
  return calls;
}

}  // namespace

Stacks::Stacks(const Process& process) : process_(process) {
  // Threads are held while their stacks are read: no time to ask servers for debug information.
  unsetenv("DEBUGINFOD_URLS");  // NOLINT(concurrency-mt-unsafe): this program has one thread.
  static const Dwfl_Callbacks callbacks{
      .find_elf = dwfl_linux_proc_find_elf,
      .find_debuginfo = dwfl_standard_find_debuginfo,
      .section_address = nullptr,
      .debuginfo_path = nullptr,
  };
  files_ = dwfl_begin(&callbacks);
  const bool is_read = files_ != nullptr && dwfl_linux_proc_report(files_, process.pid()) == 0 &&
                       dwfl_report_end(files_, nullptr, nullptr) == 0;
  if (!is_read) {
    dwfl_end(files_);
    throw Error(fmt::format("can't read the files of {}: {}", process.describe(),
                            dwfl_errmsg(dwfl_errno())));
  }
}

Stacks::~Stacks() {
  dwfl_end(files_);
}

std::vector<std::uint64_t> Stacks::unwind(const Attached& attached, std::uint32_t task) {
  std::vector<std::uint64_t> addresses;
  if (!attached.holds(task) || has_lost_it_) return addresses;
  constexpr bool is_held = true;
  if (!is_prepared_) {
    is_prepared_ = true;
    has_lost_it_ = dwfl_linux_proc_attach(files_, process_.pid(), is_held) != 0;
    if (has_lost_it_) return addresses;
  }
  const auto add = [](Dwfl_Frame* frame, void* data) -> int {
    auto& found = *static_cast<std::vector<std::uint64_t>*>(data);
    Dwarf_Addr pc = 0;
    bool is_next_to_run = false;
    if (!dwfl_frame_pc(frame, &pc, &is_next_to_run)) return DWARF_CB_ABORT;
    // A return address may belong to the next line already.
    found.push_back(is_next_to_run ? pc : pc - 1);
    return found.size() < deepest ? DWARF_CB_OK : DWARF_CB_ABORT;
  };
  // An error ends the stack: what was found up to there counts.
  dwfl_getthread_frames(files_, static_cast<pid_t>(task), add, &addresses);
  // A thread that is held has registers, unless the process has been killed. The library must not
  // be asked again after that: it aborts.
  has_lost_it_ = addresses.empty();
  return addresses;
}

std::vector<Call> Stacks::calls_at(std::uint64_t address) const {
  Dwfl_Module* module = dwfl_addrmodule(files_, address);
  if (module == nullptr) return {{fmt::format("{:#x}", address), "", false}};
  Place place = innermost_place(module, address);
  std::vector<Call> calls = inlined_at(module, address, place);
  if (place.text.empty()) {
    const char* file =
        dwfl_module_info(module, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
    place.text = std::filesystem::path(file == nullptr ? "?" : file).filename();
  }
  const char* name = dwfl_module_addrname(module, address);
  calls.push_back(
      {name == nullptr ? fmt::format("{:#x}", address) : readable(name), place.text, false});
  return calls;
}

}  // namespace look
