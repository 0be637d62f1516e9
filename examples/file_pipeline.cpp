// Which headers does a program need most? A crawler on files: it begins with the .cpp files of a
// folder and follows their #include lines, as one on the web follows links. Readers put the files
// they find back into the queue that they read from; join() returns when no file is left there or
// in work. A second queue takes what is included to a thread that counts.
//
//     file_pipeline FOLDER [FOLDER TO LOOK FOR HEADERS IN]...
//
// For the program in examples/file_pipeline:
//
//     2 .cpp files lead to 3 headers
//       2 times board.h
//       2 times piece.h
//       2 times rules/move.h
//       1 time <cstdio>
//       1 time <vector>
#include <tutti/queue.h>
#include <tutti/threading.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace tutti;
namespace fs = std::filesystem;

/// A queue of files that takes each only once.
class Frontier {
 public:
  void add(const fs::path& file) {
    {
      const std::scoped_lock held(lock_);
      if (!known_.insert(file).second) return;
    }
    files.put(file);
  }

  std::size_t known() {
    const std::scoped_lock held(lock_);
    return known_.size();
  }

  /// Without a limit: who gets from it puts into it too, and must not wait for itself.
  queue::Queue<fs::path> files;

 private:
  threading::Lock lock_;
  std::set<fs::path> known_;  // Guarded by the lock.
};

/// Where the compiler would find what `file` includes as "name".
std::optional<fs::path> find(const std::string& name, const fs::path& file,
                             const std::vector<fs::path>& folders) {
  std::vector<fs::path> places = {file.parent_path()};
  places.insert(places.end(), folders.begin(), folders.end());
  for (const fs::path& place : places) {
    const fs::path found = (place / name).lexically_normal();
    if (fs::is_regular_file(found)) return found;
  }
  return std::nullopt;
}

/// The name in a line such as #include "name".
std::optional<std::string> included_by(std::string_view line) {
  const auto skip = [&line](std::string_view characters) {
    line.remove_prefix(std::min(line.find_first_not_of(characters), line.size()));
  };
  skip(" \t");
  if (!line.starts_with('#')) return std::nullopt;
  skip("# \t");
  if (!line.starts_with("include")) return std::nullopt;
  const std::size_t begin = line.find_first_of("<\"");
  if (begin == line.npos) return std::nullopt;
  const std::size_t end = line.find_first_of(">\"", begin + 1);
  if (end == line.npos) return std::nullopt;
  return std::string(line.substr(begin + 1, end - begin - 1));
}

void read(Frontier& frontier, const std::vector<fs::path>& folders,
          queue::Queue<std::string>& included) {
  for (const fs::path& file : frontier.files.items()) {
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) {
      const auto name = included_by(line);
      if (!name) continue;
      if (const auto header = find(*name, file, folders)) {
        frontier.add(*header);
        included.put(header->lexically_relative(folders[0]).string());
      } else {
        included.put('<' + *name + '>');
      }
    }
    // Only now that what it includes has been put: until then join() must wait.
    frontier.files.task_done();
  }
}

void print_most_included(const std::map<std::string, int>& times) {
  std::vector<std::pair<std::string, int>> most(times.begin(), times.end());
  std::stable_sort(most.begin(), most.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  most.resize(std::min<std::size_t>(most.size(), 10));
  for (const auto& [header, n] : most) {
    std::printf("  %d time%s %s\n", n, n == 1 ? "" : "s", header.c_str());
  }
}

int main(int argc, char** argv) {
  if (argc < 2 || !fs::is_directory(argv[1])) {
    std::fprintf(stderr, "usage: file_pipeline FOLDER [FOLDER TO LOOK FOR HEADERS IN]...\n");
    return 2;
  }
  const std::vector<fs::path> folders(argv + 1, argv + argc);
  Frontier frontier;
  queue::Queue<std::string> included(1000);
  std::map<std::string, int> times;

  std::vector<threading::Thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] { read(frontier, folders, included); }).start();
  }
  threading::Thread counter([&] {
    for (const std::string& header : included.items()) ++times[header];
  });
  counter.start();

  std::size_t sources = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folders[0])) {
    if (entry.path().extension() != ".cpp") continue;
    frontier.add(entry.path().lexically_normal());
    ++sources;
  }
  frontier.files.join();
  frontier.files.shutdown();
  for (auto& reader : readers) reader.join();
  included.shutdown();
  counter.join();

  std::printf("%zu .cpp files lead to %zu headers\n", sources, frontier.known() - sources);
  print_most_included(times);
}
