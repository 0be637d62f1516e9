#include <tutti/futures.h>
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "demo/forms.h"

namespace demo {

namespace futures = tutti::futures;

namespace {

using Batch = std::span<const std::filesystem::path>;

std::vector<Batch> in_batches(Batch files, std::size_t count) {
  const std::size_t size = files.size() / count + 1;
  std::vector<Batch> batches;
  for (; !files.empty(); files = files.subspan(batches.back().size())) {
    batches.push_back(files.first(std::min(size, files.size())));
  }
  return batches;
}

}  // namespace

WordCount count_in_pool(const Corpus& corpus, Progress& progress, int workers) {
  const auto count = [&progress](Batch batch) {
    WordCount words;
    for (const auto& file : batch) {
      const std::string text = text_of(file);
      words.add_words_of(text);
      progress.add(text.size());
    }
    return words;
  };

  // Each batch has to be merged, so they are few; but more than one a worker, since some take
  // longer than others.
  const std::vector<Batch> batches =
      in_batches(corpus.files, 8 * static_cast<std::size_t>(workers));
  futures::ThreadPoolExecutor pool(workers, "counter");
  WordCount total;
  for (WordCount& words : pool.map(count, batches, {.buffersize = 2 * workers})) {
    total.merge(std::move(words));
  }
  return total;
}

}  // namespace demo
