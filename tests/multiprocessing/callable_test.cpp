// Functions by name: that they are found again, and never in another build of their module.
#include "tutti/multiprocessing/callable.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "platform/module.h"
#include "support/throws.h"

namespace tests {

namespace fs = std::filesystem;
using namespace std::literals;
using tutti::multiprocessing::find_function;
using tutti::multiprocessing::FunctionName;
using tutti::multiprocessing::name_function;

namespace {

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Under another name and then renamed, as installers do.
void install(const fs::path& path, const std::string& bytes) {
  const fs::path fresh = path.string() + ".new";
  std::ofstream(fresh, std::ios::binary) << bytes;
  fs::rename(fresh, path);
}

}  // namespace

TEST(FunctionName, OfAReplacedLibraryWithoutABuildIdIsRefused) {
  // The mathematical library, whose build id is made a note of somebody else's.
  using Real = double (*)(double);
  const auto sine = reinterpret_cast<std::uintptr_t>(static_cast<Real>(std::sin));
  std::string bytes = bytes_of(tutti::platform::module_at(sine).path);
  constexpr std::string_view type_and_owner = "\3\0\0\0GNU\0"sv;
  const std::size_t note = bytes.find(type_and_owner);
  if (note == std::string::npos) GTEST_SKIP() << "the C library is no shared one with a build id";
  bytes[note + 4] = 'X';
  std::string other_build = bytes;
  ++other_build[note + type_and_owner.size()];

  const fs::path path =
      fs::temp_directory_path() / ("tutti-test-library-" + std::to_string(getpid()) + ".so");
  install(path, bytes);
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  install(path, other_build);
  const auto function = reinterpret_cast<std::uintptr_t>(dlsym(library, "cos"));
  const FunctionName name = name_function(function);
  EXPECT_EQ(name.module, path);
  EXPECT_EQ(find_function(name), function);
  dlclose(library);
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { find_function(name); },
                                          {path.string(), "it has been replaced", "hash "}));
  fs::remove(path);
}

}  // namespace tests
