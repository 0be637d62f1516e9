#include "demo/forms.h"

#include <fmt/core.h>
#include <tutti/threading.h>
#include <cstddef>
#include <mutex>
#include <vector>

namespace demo {

namespace threading = tutti::threading;

namespace {

void count_file(const std::filesystem::path& file, WordCount& count, Progress& progress) {
  const auto text = read_text(file);
  if (!text) return;
  count_words(*text, count);
  progress.add(text->size());
}

}  // namespace

WordCount count_in_one_thread(const Corpus& corpus, Progress& progress) {
  WordCount count;
  for (const auto& file : corpus.files) count_file(file, count, progress);
  return count;
}

WordCount count_in_threads(const Corpus& corpus, Progress& progress, int threads) {
  threading::Lock lock;  // Guards next.
  std::size_t next = 0;
  std::vector<WordCount> counts(static_cast<std::size_t>(threads));

  const auto work = [&](WordCount& count) {
    for (;;) {
      std::size_t mine;
      {
        const std::scoped_lock held(lock);
        mine = next++;
      }
      if (mine >= corpus.files.size()) return;
      count_file(corpus.files[mine], count, progress);
    }
  };

  std::vector<threading::Thread> workers;
  for (WordCount& count : counts) {
    workers.emplace_back(
        threading::ThreadOptions{.target = [&work, &count] { work(count); },
                                 .name = fmt::format("counter-{}", workers.size() + 1)});
    workers.back().start();
  }
  for (threading::Thread& worker : workers) worker.join();

  WordCount total = std::move(counts.front());
  for (std::size_t i = 1; i < counts.size(); ++i) merge(total, counts[i]);
  return total;
}

}  // namespace demo
