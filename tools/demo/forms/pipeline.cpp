#include <tutti/queue.h>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "demo/forms.h"
#include "demo/forms/crew.h"

namespace demo {

namespace queue = tutti::queue;

namespace {

/// Texts that go from the reader to a counter at once, since most files are small.
using Batch = std::vector<std::string>;
constexpr std::size_t batch_bytes = 256 << 10;

void read(const Corpus& corpus, queue::Queue<Batch>& texts) {
  Batch batch;
  std::size_t bytes = 0;
  for (const auto& file : corpus.files) {
    batch.push_back(text_of(file));
    bytes += batch.back().size();
    if (bytes < batch_bytes) continue;
    texts.put(std::exchange(batch, {}));
    bytes = 0;
  }
  texts.put(std::move(batch));
}

WordCount count(queue::Queue<Batch>& texts, Progress& progress) {
  WordCount words;
  for (const Batch& batch : texts.items()) {
    std::size_t bytes = 0;
    for (const std::string& text : batch) {
      words.add_words_of(text);
      bytes += text.size();
    }
    progress.add(bytes);
  }
  return words;
}

}  // namespace

WordCount count_in_pipeline(const Corpus& corpus, Progress& progress, int counters) {
  queue::Queue<Batch> texts(2 * counters);
  queue::Queue<WordCount> counts(counters);
  WordCount total;

  // Who puts is refused then, and who gets ends with what is left, which is little.
  Crew crew([&] {
    texts.shutdown();
    counts.shutdown();
  });
  crew.start(
      {.name = "reader", .work = [&] { read(corpus, texts); }, .then = [&] { texts.shutdown(); }});
  crew.start({.name = "counter",
              .threads = counters,
              .work = [&] { counts.put(count(texts, progress)); },
              .then = [&] { counts.shutdown(); }});
  crew.start({.name = "merger", .work = [&] {
                for (WordCount& part : counts.items()) total.merge(std::move(part));
              }});
  crew.join();
  return total;
}

}  // namespace demo
