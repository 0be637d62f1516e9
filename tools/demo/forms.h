// The ways to count: each takes the same files and must come to the same result.
#pragma once

#include "demo/corpus.h"
#include "demo/progress.h"
#include "demo/word_count.h"

namespace demo {

WordCount count_in_one_thread(const Corpus& corpus, Progress& progress);

/// Threads that take the next file from a shared list, under a Lock, and count for themselves; once
/// all have come to a Barrier, each merges some parts of all counts.
WordCount count_in_threads(const Corpus& corpus, Progress& progress, int threads);

}  // namespace demo
