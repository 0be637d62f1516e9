#include "demo/demo.h"

#include <fmt/core.h>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "demo/corpus.h"
#include "demo/dining.h"
#include "demo/forms.h"
#include "demo/progress.h"
#include "demo/states.h"
#include "demo/word_count.h"

namespace demo {

namespace {

struct Form {
  std::string name;
  std::function<WordCount(const Corpus&, Progress&)> count;
};

struct Result {
  double seconds;
  WordCount words;
};

std::vector<Form> all_forms(Chaos chaos) {
  std::vector<Form> forms{{"one thread", count_in_one_thread}};
  for (const int threads : {2, 4}) {
    forms.push_back(
        {fmt::format("{} threads", threads), [threads](const Corpus& corpus, Progress& progress) {
           return count_in_threads(corpus, progress, threads);
         }});
  }
  for (const int counters : {2, 4}) {
    forms.push_back({fmt::format("pipeline, {} counters", counters),
                     [counters](const Corpus& corpus, Progress& progress) {
                       return count_in_pipeline(corpus, progress, counters);
                     }});
  }
  for (const int workers : {2, 4}) {
    forms.push_back(
        {fmt::format("pool of {}", workers), [workers](const Corpus& corpus, Progress& progress) {
           return count_in_pool(corpus, progress, workers);
         }});
  }
  for (const int workers : {2, 4}) {
    forms.push_back(
        {fmt::format("{} processes{}", workers, chaos == Chaos::kills ? ", kill -9" : ""),
         [workers, chaos](const Corpus& corpus, Progress& progress) {
           return count_in_processes(corpus, progress, workers, chaos);
         }});
  }
  forms.push_back({"fork_map, 2", [](const Corpus& corpus, Progress& progress) {
                     return count_by_fork_map(corpus, progress, 2);
                   }});
  return forms;
}

Result run_form(const Form& form, const Corpus& corpus) {
  Progress progress(form.name, corpus.bytes);
  const auto begin = std::chrono::steady_clock::now();
  WordCount words = form.count(corpus, progress);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  return {took.count(), std::move(words)};
}

void print_table(const std::vector<Form>& forms, const std::vector<Result>& results,
                 std::uint64_t bytes) {
  fmt::print("{:<20} {:>8} {:>8} {:>9}\n", "form", "seconds", "MB/s", "speed-up");
  for (std::size_t i = 0; i < forms.size(); ++i) {
    const double seconds = results[i].seconds;
    fmt::print("{:<20} {:>8.3f} {:>8.1f} {:>8.2f}x\n", forms[i].name, seconds,
               static_cast<double>(bytes) / 1e6 / seconds, results[0].seconds / seconds);
  }
}

}  // namespace

int run(const std::filesystem::path& folder, Chaos chaos) {
  const Corpus corpus = read_corpus(folder);
  fmt::print("Counting the words of {} files, {:.1f} MB, in {}", corpus.files.size(),
             static_cast<double>(corpus.bytes) / 1e6, folder.string());
  if (corpus.left_out > 0) fmt::print(" ({} binary or unreadable files left out)", corpus.left_out);
  fmt::print("\n\n");

  const std::vector<Form> forms = all_forms(chaos);
  std::vector<Result> results;
  for (const Form& form : forms) results.push_back(run_form(form, corpus));

  for (std::size_t i = 1; i < results.size(); ++i) {
    if (results[i].words != results[0].words) {
      fmt::print(stderr, "tutti: {} and {} count differently\n", forms[i].name, forms[0].name);
      return 1;
    }
  }
  const WordCount& words = results[0].words;
  fmt::print("{} different words; all results are equal.\n\n", words.different_words());
  print_table(forms, results, corpus.bytes);

  fmt::print("\nTop words:");
  for (const auto& [word, n] : words.top(10)) fmt::print(" {} {}", word, n);
  fmt::print("\n\nWhat threads do, seen from within:\n\n");
  show_states();
  fmt::print("\nA deadlock on purpose:\n\n");
  std::fflush(stdout);
  let_philosophers_dine();
  return 0;
}

}  // namespace demo
