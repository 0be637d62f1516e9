// The ways to count: each takes the same files and must come to the same result. A file that can't
// be read any more, or any other error in one of its threads, ends a form with that error.
#pragma once

#include "demo/corpus.h"
#include "demo/progress.h"
#include "demo/word_count.h"

namespace demo {

WordCount count_in_one_thread(const Corpus& corpus, Progress& progress);

/// Threads that take the next file from a shared list, under a Lock, and count for themselves; once
/// all have come to a Barrier, each merges some parts of all counts.
WordCount count_in_threads(const Corpus& corpus, Progress& progress, int threads);

/// Three stages with a Queue between each two: a reader of files, `counters` threads that count
/// their words, and a merger of what these have counted.
WordCount count_in_pipeline(const Corpus& corpus, Progress& progress, int counters);

/// A pool whose calls count a batch of files each; the calling thread merges what they return. No
/// queue, no lock and nobody to call off: an error is the result of its call.
WordCount count_in_pool(const Corpus& corpus, Progress& progress, int workers);

/// Whether workers are killed while they work.
enum class Chaos { none, kills };

/// A pool of processes: file names go there, counts come back. With Chaos::kills, a worker is
/// killed (by SIGKILL) at every second result; the files that it had are counted by another.
WordCount count_in_processes(const Corpus& corpus, Progress& progress, int workers,
                             Chaos chaos = Chaos::none);

/// Forked processes that have all names in memory, and send back counts only.
WordCount count_by_fork_map(const Corpus& corpus, Progress& progress, int workers);

}  // namespace demo
