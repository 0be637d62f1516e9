#include "platform/module.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace tutti::inline TUTTI_ABI::platform {

namespace {

std::string hexadecimal(const unsigned char* bytes, std::size_t count) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

// See elf(5), "Notes": a header, the name and the description, each padded to the alignment.
std::string build_id(const dl_phdr_info& module) {
  for (int i = 0; i < module.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = module.dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    const std::size_t alignment = segment.p_align == 8 ? 8 : 4;
    const auto padded = [&](std::size_t size) { return (size + alignment - 1) & ~(alignment - 1); };
    const auto* notes = reinterpret_cast<const unsigned char*>(module.dlpi_addr + segment.p_vaddr);
    for (std::size_t at = 0; at + sizeof(ElfW(Nhdr)) <= segment.p_memsz;) {
      ElfW(Nhdr) note;
      std::memcpy(&note, notes + at, sizeof note);
      const std::size_t name = at + sizeof note;
      const std::size_t description = name + padded(note.n_namesz);
      constexpr char gnu[] = "GNU";
      const bool is_gnu =
          note.n_namesz == sizeof gnu && std::memcmp(notes + name, gnu, sizeof gnu) == 0;
      if (is_gnu && note.n_type == NT_GNU_BUILD_ID) {
        return hexadecimal(notes + description, note.n_descsz);
      }
      at = description + padded(note.n_descsz);
    }
  }
  return "";
}

// FNV-1a (Fowler, Noll, Vo) of all that is loaded and not written to. Not of the file: another one
// may have its name by now.
std::string hash_of_code(const dl_phdr_info& module) {
  std::uint64_t hash = 14695981039346656037u;
  for (int i = 0; i < module.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = module.dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & (PF_R | PF_W)) != PF_R) continue;
    const auto* bytes = reinterpret_cast<const unsigned char*>(module.dlpi_addr + segment.p_vaddr);
    for (std::size_t at = 0; at < segment.p_filesz; ++at)
      hash = (hash ^ bytes[at]) * 1099511628211u;
  }
  std::array<unsigned char, sizeof hash> bytes;
  std::memcpy(bytes.data(), &hash, sizeof hash);
  return "hash " + hexadecimal(bytes.data(), bytes.size());
}

Module module_of(const dl_phdr_info& info) {
  Module module;
  module.is_found = true;
  module.base = info.dlpi_addr;
  module.path = info.dlpi_name;
  module.build = build_id(info);
  if (module.build.empty()) module.build = hash_of_code(info);
  return module;
}

bool contains(const dl_phdr_info& module, std::uintptr_t address) {
  for (int i = 0; i < module.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = module.dlpi_phdr[i];
    const std::uintptr_t begin = module.dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && address >= begin && address - begin < segment.p_memsz) {
      return true;
    }
  }
  return false;
}

struct Search {
  std::uintptr_t address;
  const std::string* path;
  Module found;
};

Module find(std::uintptr_t address, const std::string* path) {
  Search search{address, path, {}};
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* pointer) {
        auto& wanted = *static_cast<Search*>(pointer);
        const bool is_it = wanted.path != nullptr ? *wanted.path == info->dlpi_name
                                                  : contains(*info, wanted.address);
        if (is_it) wanted.found = module_of(*info);
        return is_it ? 1 : 0;
      },
      &search);
  return search.found;
}

}  // namespace

Module module_at(std::uintptr_t address) {
  return find(address, nullptr);
}

Module load_module(const std::string& path) {
  Module found = find(0, &path);
  if (found.is_found || path.empty()) return found;
  if (dlopen(path.c_str(), RTLD_NOW) == nullptr) return found;
  return find(0, &path);
}

void keep_loaded(const std::string& path) {
  // A handle that nobody closes. The program itself is never unloaded.
  if (!path.empty()) dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
}

std::string describe_load_error() {
  const char* text = dlerror();
  return text == nullptr ? "it is loaded under another name" : text;
}

}  // namespace tutti::inline TUTTI_ABI::platform
