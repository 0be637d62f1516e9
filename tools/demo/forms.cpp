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
  count.add_words_of(*text);
  progress.add(text->size());
}

}  // namespace

WordCount count_in_one_thread(const Corpus& corpus, Progress& progress) {
  WordCount count;
  for (const auto& file : corpus.files) count_file(file, count, progress);
  return count;
}

WordCount count_in_threads(const Corpus& corpus, Progress& progress, int threads) {
  threading::Lock lock;  // Guards next_file.
  std::size_t next_file = 0;
  threading::Barrier all_counted(threads);
  std::vector<WordCount> counts(static_cast<std::size_t>(threads));

  const auto work = [&](std::size_t self) {
    for (;;) {
      std::size_t file;
      {
        const std::scoped_lock held(lock);
        file = next_file++;
      }
      if (file >= corpus.files.size()) break;
      count_file(corpus.files[file], counts[self], progress);
    }
    all_counted.wait();
    for (std::size_t part = self; part < WordCount::part_count; part += counts.size()) {
      for (std::size_t i = 1; i < counts.size(); ++i) counts[0].merge_part(part, counts[i]);
    }
  };

  std::vector<threading::Thread> workers;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    workers.emplace_back(threading::ThreadOptions{.target = threading::Target(work, i),
                                                  .name = fmt::format("counter-{}", i + 1)});
    workers.back().start();
  }
  for (threading::Thread& worker : workers) worker.join();
  return std::move(counts[0]);
}

}  // namespace demo
