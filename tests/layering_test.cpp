// The source tree keeps to its layers: only the floor reaches the machine, and arrows point down.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace tests {

namespace fs = std::filesystem;

struct Source {
  fs::path path;  // Relative to the root: "src/sync/lock_cell.cpp".
  std::string text;
};

std::vector<Source> sources() {
  const fs::path root = TUTTI_SOURCE_DIR;
  std::vector<Source> found;
  for (const char* folder : {"include", "src"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp") continue;
      std::ifstream file(entry.path());
      found.push_back({fs::relative(entry.path(), root),
                       std::string(std::istreambuf_iterator<char>(file), {})});
    }
  }
  return found;
}

// The code without comments, and without what is inside of strings unless it is an #include's.
std::string code_of(std::string_view text) {
  std::string code;
  bool in_directive = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    if (rest.starts_with("//")) {
      i += std::min(rest.find('\n'), rest.size()) - 1;
    } else if (rest.starts_with("/*")) {
      i += std::min(rest.find("*/") + 1, rest.size());
    } else if ((rest[0] == '"' || rest[0] == '\'') && !in_directive) {
      // A digit separator is no quote.
      const bool is_separator = rest[0] == '\'' && i > 0 && std::isalnum(text[i - 1]) != 0;
      if (is_separator) continue;
      std::size_t end = 1;
      while (end < rest.size() && rest[end] != rest[0]) end += rest[end] == '\\' ? 2 : 1;
      i += end;
      code += "\"\"";
    } else {
      if (rest[0] == '#') in_directive = true;
      if (rest[0] == '\n') in_directive = false;
      code += rest[0];
    }
  }
  return code;
}

std::vector<std::string> matches(const std::string& text, const std::string& pattern,
                                 std::size_t group = 0) {
  const std::regex expression(pattern);
  std::vector<std::string> all;
  for (std::sregex_iterator it(text.begin(), text.end(), expression), end; it != end; ++it) {
    all.push_back((*it)[group]);
  }
  return all;
}

// --- layers --------------------------------------------------------------------------------------

// "include/tutti/sync/lock_cell.h", "src/sync/lock_wait.h" and, in an #include, "sync/lock_wait.h"
// or "tutti/sync/lock_cell.h" are all sync's. A header directly in tutti/ goes by its own name.
std::string layer_name(const fs::path& path) {
  fs::path inner;
  for (const fs::path& part : path) {
    if (part != "include" && part != "src" && part != "tutti") inner /= part;
  }
  return inner.has_parent_path() ? inner.begin()->string() : inner.stem().string();
}

// From the ground up. Names on one line are neighbours and may use each other.
const std::vector<std::vector<std::string>> layers = {
    {"config"},
    {"errors", "time"},
    {"platform"},
    {"atomic", "shared", "runtime"},
    {"sync"},
    {"threading"},
    {"thread", "inspect", "signal", "queue", "pickle"},
    {"futures"},
    {"multiprocessing"},
    {"tutti", "explore"},
};

std::optional<std::size_t> height_of(const fs::path& path) {
  const std::string name = layer_name(path);
  for (std::size_t height = 0; height < layers.size(); ++height) {
    const std::vector<std::string>& names = layers[height];
    if (std::find(names.begin(), names.end(), name) != names.end()) return height;
  }
  return std::nullopt;
}

TEST(Layering, TheTreeIsWhereTheTestLooks) {
  EXPECT_GT(sources().size(), 40u);
}

TEST(Layering, EveryFileBelongsToALayer) {
  for (const Source& source : sources()) {
    EXPECT_TRUE(height_of(source.path)) << source.path << ": add its layer to this test";
  }
}

TEST(Layering, NoFileIncludesOneOfAHigherLayer) {
  for (const Source& source : sources()) {
    for (const std::string& included :
         matches(code_of(source.text), R"re(#include "([^"]+)")re", 1)) {
      const auto height = height_of(included);
      EXPECT_TRUE(height) << source.path << " includes " << included << " of no known layer";
      EXPECT_LE(height, height_of(source.path)) << source.path << " includes " << included;
    }
  }
}

TEST(Layering, PublicHeadersIncludePublicHeadersOnly) {
  for (const Source& source : sources()) {
    if (*source.path.begin() != "include") continue;
    for (const std::string& included :
         matches(code_of(source.text), R"re(#include "([^"]+)")re", 1)) {
      EXPECT_TRUE(included.starts_with("tutti/")) << source.path << " includes " << included;
    }
  }
}

// --- the machine ---------------------------------------------------------------------------------

// Of either flavour.
bool is_floor(const fs::path& path) {
  return layer_name(path) == "platform";
}

TEST(Layering, OnlyTheFloorIncludesTheSystemsHeaders) {
  const std::regex forbidden(
      "atomic|thread|mutex|shared_mutex|condition_variable|semaphore|barrier|latch|future|"
      "stop_token|csignal|ctime|(pthread|time|unistd|signal|sched|semaphore|fcntl|dlfcn)\\.h|"
      "(sys|linux|asm)/.*");
  for (const Source& source : sources()) {
    if (is_floor(source.path)) continue;
    for (const std::string& header : matches(source.text, "#include\\s*<([^>]+)>", 1)) {
      // For its std::scoped_lock and std::unique_lock, which users hold our locks with.
      if (header == "mutex" && source.path.filename() == "timed_lockable.h") continue;
      if (header == "future" && source.path.filename() == "std_future.h") continue;
      EXPECT_FALSE(std::regex_match(header, forbidden)) << source.path << " includes " << header;
    }
  }
}

TEST(Layering, OnlyTheFloorNamesTheSystemsFunctions) {
  const std::string forbidden =
      "\\bstd::(atomic|mutex|thread|jthread|condition_variable|recursive_mutex|memory_order|"
      "this_thread|counting_semaphore|binary_semaphore|promise|future|async|call_once)\\w*|"
      "\\bfutex\\w*|\\b__sync_\\w+|\\b__atomic_\\w+|\\bpthread_\\w+|\\bclock_gettime\\b|"
      "\\bv?fork\\s*\\(|\\b(syscall|mmap|munmap|getpid|gettid|nanosleep|sched_yield|sigaction)\\s*"
      "\\(|\\w*_clock::now\\b";
  for (const Source& source : sources()) {
    if (is_floor(source.path)) continue;
    // A bridge to the standard library's futures.
    if (source.path.filename() == "std_future.h") continue;
    for (const std::string& name : matches(code_of(source.text), forbidden)) {
      ADD_FAILURE() << source.path << " names " << name;
    }
  }
}

TEST(Layering, OnlyTryLockUntilAsksAClockOfStd) {
  for (const Source& source : sources()) {
    if (source.path.filename() == "timed_lockable.h") continue;
    EXPECT_TRUE(matches(code_of(source.text), "\\bClock::now\\b").empty()) << source.path;
  }
}

// --- the scanner itself --------------------------------------------------------------------------

TEST(LayeringScanner, LeavesCommentsAndStringsOut) {
  EXPECT_EQ(code_of("a // b\nc /* d\n */ e"), "a \nc  e");
  EXPECT_EQ(code_of("x = \"fork(\\\" //\"; y"), "x = \"\"; y");
  EXPECT_EQ(code_of("#include \"a.h\"\nz(\"b\")"), "#include \"a.h\"\nz(\"\")");
  EXPECT_EQ(code_of("n = 65'536; c = '\"'; m"), "n = 65536; c = \"\"; m");
}

TEST(LayeringScanner, KnowsAPathsLayer) {
  EXPECT_EQ(layer_name("include/tutti/sync/lock_cell.h"), "sync");
  EXPECT_EQ(layer_name("src/sync/lock_wait.h"), "sync");
  EXPECT_EQ(layer_name("tutti/threading/lock.h"), "threading");
  EXPECT_EQ(layer_name("include/tutti/time.h"), "time");
  EXPECT_EQ(layer_name("include/tutti/tutti.h"), "tutti");
  EXPECT_LT(height_of("runtime/self.h"), height_of("tutti/threading.h"));
}

}  // namespace tests
