#include "run/program.h"

#include <elf.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>
#include <vector>

namespace run {

namespace {

[[noreturn]] void refuse(const std::string& path, std::string_view why) {
  throw CannotRun(CannotRun::not_possible, fmt::format("{} {}", path, why));
}

bool is_file_to_execute(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

template <typename Value>
std::optional<Value> read_at(std::istream& file, std::uint64_t offset) {
  Value value;
  file.clear();
  file.seekg(static_cast<std::streamoff>(offset));
  if (!file.read(reinterpret_cast<char*>(&value), sizeof value)) return std::nullopt;
  return value;
}

// "/usr/bin/python3" of "#!/usr/bin/python3 -u"; empty if it is no script.
std::string interpreter_of_script(std::istream& file) {
  file.clear();
  file.seekg(0);
  std::string line;
  std::getline(file, line);
  if (!line.starts_with("#!")) return {};
  const std::size_t begin = line.find_first_not_of(" \t", 2);
  if (begin == line.npos) return {};
  return line.substr(begin, line.find_first_of(" \t\r", begin) - begin);
}

constexpr int own_machine =
#if defined(__aarch64__)
    EM_AARCH64;
#else
    EM_X86_64;
#endif

// The loader that the program asks for; empty if it is linked statically.
std::string loader_of(std::istream& file, const Elf64_Ehdr& header) {
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const auto segment =
        read_at<Elf64_Phdr>(file, header.e_phoff + std::uint64_t{i} * header.e_phentsize);
    if (!segment || segment->p_type != PT_INTERP) continue;
    file.seekg(static_cast<std::streamoff>(segment->p_offset));
    std::string loader;
    std::getline(file, loader, '\0');
    return loader;
  }
  return {};
}

void check_rights(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return;
  const bool changes_user = (status.st_mode & S_ISUID) != 0 && status.st_uid != geteuid();
  const bool changes_group = (status.st_mode & S_ISGID) != 0 && status.st_gid != getegid();
  const bool gains_rights =
      geteuid() != 0 && getxattr(path.c_str(), "security.capability", nullptr, 0) > 0;
  if (changes_user || changes_group || gains_rights) {
    refuse(path,
           "runs with other rights than yours (setuid, setgid or capabilities), so the "
           "loader would leave the library out; run it without `tutti run`");
  }
}

}  // namespace

std::string find_program(const std::string& name) {
  if (name.find('/') != name.npos) {
    if (access(name.c_str(), F_OK) != 0) {
      throw CannotRun(CannotRun::not_found, fmt::format("{}: {}", name, std::strerror(errno)));
    }
    if (!is_file_to_execute(name)) refuse(name, "is not an executable file");
    return name;
  }
  const char* variable = std::getenv("PATH");
  std::string_view folders = variable == nullptr ? "/usr/bin:/bin" : variable;
  for (;;) {
    const std::size_t end = folders.find(':');
    const std::string_view folder = folders.substr(0, end);
    const std::string path = fmt::format("{}/{}", folder.empty() ? "." : folder, name);
    if (is_file_to_execute(path)) return path;
    if (end == folders.npos) break;
    folders.remove_prefix(end + 1);
  }
  throw CannotRun(CannotRun::not_found, fmt::format("{}: no such program in PATH", name));
}

void check_can_preload(const std::string& path) {
  check_rights(path);
  std::ifstream file(path, std::ios::binary);
  // One that may be executed but not read is left to the loader.
  if (!file) return;
  if (const std::string interpreter = interpreter_of_script(file); !interpreter.empty()) {
    // Only one step: the kernel takes no more than a few either.
    if (access(interpreter.c_str(), X_OK) == 0) check_can_preload(interpreter);
    return;
  }
  const auto ident = read_at<std::array<unsigned char, EI_NIDENT>>(file, 0);
  const bool is_elf = ident && std::memcmp(ident->data(), ELFMAG, SELFMAG) == 0;
  // A script without a first line that says so goes to the shell.
  if (!is_elf) return;
  const auto header = read_at<Elf64_Ehdr>(file, 0);
  if (!header || (*ident)[EI_CLASS] != ELFCLASS64 || header->e_machine != own_machine) {
    refuse(path, "is for another machine than this command, and so can't be watched");
  }
  const std::string loader = loader_of(file, *header);
  if (loader.empty()) {
    refuse(path, "is linked statically, so nothing can be put before its functions");
  }
  if (loader.find("ld-musl") != loader.npos) {
    refuse(path, "uses the C library musl; only programs of glibc can be watched");
  }
}

}  // namespace run
