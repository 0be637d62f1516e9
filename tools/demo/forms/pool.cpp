#include <tutti/futures.h>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "demo/batches.h"
#include "demo/forms.h"

namespace demo {

namespace futures = tutti::futures;

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
