#include "run/run.h"

#include <fmt/core.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "run/program.h"

namespace run {

namespace fs = std::filesystem;

namespace {

struct Options {
  std::string report;
  std::vector<std::string> words;  // The program, and its arguments.
};

fs::path find_library() {
#ifdef TUTTI_PRELOAD_FOLDER
  const fs::path own_folder = fs::read_symlink("/proc/self/exe").parent_path();
  const char* const name = "libtutti_preload.so";
  const fs::path installed = (own_folder / TUTTI_PRELOAD_FOLDER / name).lexically_normal();
  for (const fs::path& path : {own_folder / name, installed}) {
    if (!fs::exists(path)) continue;
    // The loader takes these for the end of the name.
    if (path.native().find_first_of(" :") != std::string::npos) {
      throw std::runtime_error(
          fmt::format("{} can't be preloaded: its path has a space or a colon", path.native()));
    }
    return path;
  }
  throw std::runtime_error(fmt::format("{} is missing: install tutti again", installed.native()));
#else
  throw std::runtime_error("`tutti run` is not part of a build with sanitizers");
#endif
}

void preload(const fs::path& library) {
  const char* before = std::getenv("LD_PRELOAD");
  const std::string all = before == nullptr || *before == '\0'
                              ? library.native()
                              : fmt::format("{}:{}", library.native(), before);
  setenv("LD_PRELOAD", all.c_str(), 1);
}

// Returns only if it fails.
int execute(const std::string& path, std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(path.c_str(), arguments.data());
  // As shells do with a script that does not say what it is for.
  if (errno == ENOEXEC) {
    std::string script = path;
    arguments[0] = script.data();
    std::string shell = "/bin/sh";
    arguments.insert(arguments.begin(), shell.data());
    execv(shell.c_str(), arguments.data());
  }
  throw CannotRun(CannotRun::not_possible, fmt::format("{}: {}", path, std::strerror(errno)));
}

// Where the program begins: after this command's options, or after a `--`.
int find_program_word(int argc, char** argv) {
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--") return i;
    if (word == "--report") {
      ++i;
    } else if (!word.starts_with('-')) {
      return i;
    }
  }
  return argc;
}

int run_program(const Options& options) {
  const std::vector<std::string>& words = options.words;
  if (words.empty()) throw std::runtime_error("run: which program? tutti run PROGRAM [ARGUMENTS]");
  try {
    const std::string path = find_program(words[0]);
    check_can_preload(path);
    preload(find_library());
    if (!options.report.empty()) {
      // The program may go to another folder.
      setenv("TUTTI_REPORT", fs::absolute(options.report).c_str(), 1);
    }
    return execute(path, words);
  } catch (const CannotRun& reason) {
    fmt::print(stderr, "tutti: {}\n", reason.what());
    return reason.code;
  }
}

}  // namespace

void add_command(CLI::App& app, std::function<int()>& chosen, int& argc, char** argv) {
  auto options = std::make_shared<Options>();
  if (argc > 1 && std::string_view(argv[1]) == "run") {
    const int end = find_program_word(argc, argv);
    const bool is_marked = end < argc && std::string_view(argv[end]) == "--";
    options->words.assign(argv + end + (is_marked ? 1 : 0), argv + argc);
    argc = end;
  }
  CLI::App* command = app.add_subcommand(
      "run",
      "Run a program so that its waits for pthread mutexes, conditions and threads can be seen, "
      "and its deadlocks are told: tutti run PROGRAM [ARGUMENTS]");
  command->add_option("--report", options->report,
                      "the file that deadlocks are told in; on stderr by default");
  command->callback([options, &chosen] { chosen = [options] { return run_program(*options); }; });
}

}  // namespace run
