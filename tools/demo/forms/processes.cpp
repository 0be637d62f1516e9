#include <tutti/multiprocessing.h>

#include <cstdint>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "demo/batches.h"
#include "demo/forms.h"

namespace demo {

namespace multiprocessing = tutti::multiprocessing;

namespace {

// What a worker sends back.
struct Counted {
  WordCount words;
  std::uint64_t bytes = 0;
};

Counted count_files(Batch files) {
  Counted counted;
  for (const auto& file : files) {
    const std::string text = text_of(file);
    counted.words.add_words_of(text);
    counted.bytes += text.size();
  }
  return counted;
}

// kill -9 of one child of this process, whichever it is.
void kill_a_worker() {
  static std::minstd_rand random(20'26);
  std::vector<multiprocessing::Process> workers = multiprocessing::active_children();
  if (!workers.empty()) workers[random() % workers.size()].kill();
}

}  // namespace

WordCount count_in_processes(const Corpus& corpus, Progress& progress, int workers, Chaos chaos) {
  const auto count = [](const std::vector<std::filesystem::path>& files) {
    return count_files(files);
  };

  std::vector<std::vector<std::filesystem::path>> batches;
  for (const Batch batch : in_batches(corpus.files, 8 * static_cast<std::size_t>(workers))) {
    batches.emplace_back(batch.begin(), batch.end());
  }
  // Each kill takes one task with it, and no task can be that unlucky each time.
  const int kills = chaos == Chaos::none ? 0 : static_cast<int>(batches.size()) / 2;
  multiprocessing::Pool pool({.processes = workers, .retries = kills});
  WordCount total;
  int results = 0;
  for (Counted& counted : pool.imap_unordered(count, batches)) {
    if (results++ % 2 == 0 && results / 2 < kills) kill_a_worker();
    progress.add(counted.bytes);
    total.merge(std::move(counted.words));
  }
  return total;
}

WordCount count_by_fork_map(const Corpus& corpus, Progress& progress, int workers) {
  // The batches are in the children's memory already.
  const std::vector<Batch> batches =
      in_batches(corpus.files, 8 * static_cast<std::size_t>(workers));
  WordCount total;
  for (Counted& counted :
       multiprocessing::fork_map(count_files, batches, {.processes = workers, .chunksize = 1})) {
    progress.add(counted.bytes);
    total.merge(std::move(counted.words));
  }
  return total;
}

}  // namespace demo
