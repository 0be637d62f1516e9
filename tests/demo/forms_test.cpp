// The demo's forms: all count the same, and each ends with the error of whatever part of it failed.
#include "demo/forms.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "demo/failing_memory.h"
#include "support/throws.h"

namespace tests {

namespace {

namespace fs = std::filesystem;
using demo::Corpus;
using demo::Progress;
using demo::WordCount;

struct Form {
  std::string name;
  WordCount (*count)(const Corpus&, Progress&);
};

void PrintTo(const Form& form, std::ostream* out) {
  *out << form.name;
}

class Forms : public testing::TestWithParam<Form> {
 protected:
  Forms() { fs::create_directory(folder_); }
  ~Forms() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  WordCount count(const Corpus& corpus) {
    Progress progress(GetParam().name, corpus.bytes);
    return GetParam().count(corpus, progress);
  }

  const fs::path folder_ = fs::temp_directory_path() / ("tutti-forms-" + std::to_string(getpid()));
};

// More than a pipeline's queue has room for: twenty times half a megabyte.
Corpus long_corpus(const fs::path& file) {
  return {.files = std::vector<fs::path>(20, file), .bytes = 20 * fs::file_size(file)};
}

std::string half_a_megabyte() {
  std::string text;
  for (int i = 0; text.size() < 512 << 10; ++i) text += "word" + std::to_string(i % 5000) + ' ';
  return text;
}

TEST_P(Forms, CountEveryWordOfEveryFile) {
  write("one", "to be or not to be");
  write("two", "be");
  write("empty", "");
  const WordCount words = count(demo::read_corpus(folder_));
  EXPECT_EQ(words.different_words(), 4u);
  const std::vector<std::pair<std::string, std::uint64_t>> expected = {
      {"be", 3}, {"to", 2}, {"not", 1}, {"or", 1}};
  EXPECT_EQ(words.top(9), expected);
}

TEST_P(Forms, CountAsOneThreadDoes) {
  const Corpus corpus = long_corpus(write("long", half_a_megabyte()));
  Progress progress("one thread", corpus.bytes);
  EXPECT_EQ(count(corpus), demo::count_in_one_thread(corpus, progress));
}

TEST_P(Forms, EndWithTheErrorOfAFileThatHasVanished) {
  const Corpus whole = long_corpus(write("long", half_a_megabyte()));
  for (const std::size_t place : {0u, 10u, 19u}) {
    Corpus corpus = whole;
    corpus.files[place] = folder_ / "vanished";
    EXPECT_TRUE(
        throws<std::runtime_error>([&] { count(corpus); }, {"vanished: can't be read any more"}))
        << "file " << place;
  }
}

class FormsInOneProcess : public Forms {};

// Lets one allocation after the other be the one that fails, in whichever thread it comes.
TEST_P(FormsInOneProcess, EndWhereverMemoryRunsOut) {
  const fs::path file = write("file",
                              "a text of several words, of which some are long_enough_to_"
                              "need_memory_of_their_own and some_others_are_so_as_well");
  const Corpus corpus = {.files = {file, file, file}, .bytes = 3 * fs::file_size(file)};
  const WordCount expected = count(corpus);
  for (const Shortage shortage : {Shortage::for_once, Shortage::for_good}) {
    // Not so much that it would show anything.
    Progress progress(GetParam().name, 1'000'000'000);
    int errors = 0;
    bool has_failed = true;
    for (int successes = 0; has_failed; ++successes) {
      FailingMemory memory(successes, shortage);
      try {
        const WordCount words = GetParam().count(corpus, progress);
        has_failed = memory.end();
        // Some can do without: a buffer may be smaller.
        EXPECT_EQ(words, expected) << "after " << successes << " allocations";
      } catch (const std::exception& error) {
        EXPECT_TRUE(memory.end()) << error.what();
        ++errors;
      }
    }
    EXPECT_GT(errors, 10);
  }
}

const auto in_one_process = testing::Values(
    Form{"OneThread", demo::count_in_one_thread},
    Form{"Threads", [](const Corpus& corpus,
                       Progress& progress) { return demo::count_in_threads(corpus, progress, 3); }},
    Form{"PipelineOfOneCounter",
         [](const Corpus& corpus, Progress& progress) {
           return demo::count_in_pipeline(corpus, progress, 1);
         }},
    Form{"Pipeline",
         [](const Corpus& corpus, Progress& progress) {
           return demo::count_in_pipeline(corpus, progress, 3);
         }},
    Form{"PoolOfOneWorker",
         [](const Corpus& corpus, Progress& progress) {
           return demo::count_in_pool(corpus, progress, 1);
         }},
    Form{"Pool", [](const Corpus& corpus, Progress& progress) {
           return demo::count_in_pool(corpus, progress, 3);
         }});
const auto in_several =
    testing::Values(Form{"Processes",
                         [](const Corpus& corpus, Progress& progress) {
                           return demo::count_in_processes(corpus, progress, 3);
                         }},
                    Form{"ProcessesInChaos",
                         [](const Corpus& corpus, Progress& progress) {
                           return demo::count_in_processes(corpus, progress, 3, demo::Chaos::kills);
                         }},
                    Form{"ForkMap", [](const Corpus& corpus, Progress& progress) {
                           return demo::count_by_fork_map(corpus, progress, 3);
                         }});
const auto name_of = [](const auto& instance) { return instance.param.name; };

INSTANTIATE_TEST_SUITE_P(Threads, Forms, in_one_process, name_of);
INSTANTIATE_TEST_SUITE_P(Threads, FormsInOneProcess, in_one_process, name_of);
INSTANTIATE_TEST_SUITE_P(Processes, Forms, in_several, name_of);

}  // namespace

}  // namespace tests
