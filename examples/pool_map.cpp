// The checksums of all files below a folder, several at a time, in the order of their paths. Small
// files are soon read, so two of them are one task; more in one would leave a small folder to one
// worker. If the last result isn't there in a minute, TimeoutError says so.
//
//     pool_map FOLDER
//
// For examples/file_pipeline:
//
//     67014454  board.cpp
//     80714d93  board.h
//     81142c6e  main.cpp
//     c444245a  piece.h
//     ce0d190a  castling.h
//     700d2a40  move.h
#include <tutti/futures.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

using namespace tutti;
namespace fs = std::filesystem;

struct Sum {
  std::string file;
  std::uint32_t adler;
};

Sum sum_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error(file.string() + ": can't be read");
  std::uint32_t low = 1;
  std::uint32_t high = 0;
  for (std::istreambuf_iterator<char> at(stream), end; at != end; ++at) {
    low = (low + static_cast<unsigned char>(*at)) % 65521;
    high = (high + low) % 65521;
  }
  return {file.filename().string(), high << 16 | low};
}

int main(int argc, char** argv) {
  if (argc != 2 || !fs::is_directory(argv[1])) {
    std::fprintf(stderr, "usage: pool_map FOLDER\n");
    return 2;
  }
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(argv[1])) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());

  try {
    futures::ThreadPoolExecutor pool;
    for (const Sum& sum : pool.map(sum_of, files, {.timeout = 60, .chunksize = 2})) {
      std::printf("%08x  %s\n", sum.adler, sum.file.c_str());
    }
  } catch (const std::runtime_error& error) {  // Of a file, or of the time-out.
    std::fprintf(stderr, "pool_map: %s\n", error.what());
    return 1;
  }
}
