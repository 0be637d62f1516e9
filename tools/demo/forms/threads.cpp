#include <fmt/core.h>
#include <tutti/threading.h>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "demo/forms.h"
#include "demo/forms/crew.h"

namespace demo {

namespace threading = tutti::threading;

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
      const std::string text = text_of(corpus.files[file]);
      counts[self].add_words_of(text);
      progress.add(text.size());
    }
    all_counted.wait();
    for (std::size_t part = self; part < WordCount::part_count; part += counts.size()) {
      for (std::size_t i = 1; i < counts.size(); ++i) counts[0].merge_part(part, counts[i]);
    }
  };

  Crew crew([&] {
    {
      const std::scoped_lock held(lock);
      next_file = corpus.files.size();
    }
    all_counted.abort();
  });
  for (std::size_t i = 0; i < counts.size(); ++i) {
    crew.start({.name = fmt::format("counter-{}", i + 1), .work = [&work, i] { work(i); }});
  }
  crew.join();
  return std::move(counts[0]);
}

}  // namespace demo
