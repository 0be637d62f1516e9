// Writes the table of docs/performance.md from the benchmarks' JSON.
//
//     bench_table [--into FILE] RESULT.json...
//
// Each result is one run of the benchmarks or of some of them; runs of the same benchmark are
// repetitions. The table goes to standard output and, with --into, between the two marker lines of
// FILE. Fails when a contender that the table compares has no figure.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using nlohmann::json;

// --- what is compared, and the goals -------------------------------------------------------------

enum class Unit { nanoseconds, per_second, index, share, bytes };

struct Measure {
  std::string name;
  /// Its name in the JSON.
  std::string field;
  Unit unit;
  bool more_is_better = false;
};

/// For what one thread does on its own: whatever else the machine does is not in it.
const Measure own_time{"time", "cpu_time", Unit::nanoseconds};
const Measure wall_time{"wall time", "real_time", Unit::nanoseconds};
const Measure cpu_time{"CPU time", "cpu_ns", Unit::nanoseconds};
const Measure throughput{"throughput", "items_per_second", Unit::per_second, true};
const Measure fairness{"Jain fairness", "fairness", Unit::index, true};
const Measure longest_wait{"longest wait", "longest_wait_ns", Unit::nanoseconds};
const Measure longest_time{"longest", "longest_ns", Unit::nanoseconds};
const Measure idle_share{"share of a core", "cpu_share", Unit::share};

Measure size_of(const std::string& name) {
  return {"sizeof " + name, name, Unit::bytes};
}

/// How tutti's figure is held against the goal.
enum class Against { ratio_to_peer, difference_to_peer, nothing };

struct Comparison {
  std::string subject;
  Measure measure;
  /// The goal is for the best of these; the others are shown. Against nothing, all are.
  std::vector<std::string> peers;
  std::optional<double> goal = std::nullopt;
  Against against = Against::ratio_to_peer;
  /// The contender that is held against them.
  std::string ours = "tutti";
};

std::vector<Comparison> queue_comparisons() {
  const std::vector<std::string> exact = {"mutex_and_conditions", "tbb_bounded"};
  std::vector<Comparison> all;
  for (const std::string load : {"1_1", "2_2", "4_4", "1_1_64_bytes", "1_1_string", "2_2_string"}) {
    all.push_back({"queue_bounded_" + load, wall_time, exact, 0.333});
    all.push_back({"queue_bounded_" + load, wall_time, {"moodycamel_blocking"}, 1.0});
  }
  for (const std::string load : {"1_1", "4_4"}) {
    for (const std::string capacity : {"1", "64"}) {
      all.push_back({"queue_bounded_" + load + "_capacity_" + capacity, wall_time, exact, 0.333});
    }
  }
  // It spins instead of waiting: what that gains, and what it costs.
  for (const std::string load : {"1_1", "4_4", "1_1_64_bytes", "4_4_capacity_1"}) {
    all.push_back({"queue_bounded_" + load, wall_time, {"boost_lockfree"}});
  }
  for (const std::string load : {"1_1", "4_4", "4_4_capacity_1"}) {
    std::vector<std::string> peers = exact;
    if (load != "4_4_capacity_1") peers.push_back("moodycamel_blocking");
    peers.push_back("boost_lockfree");
    all.push_back({"queue_bounded_" + load, cpu_time, peers});
  }
  const std::vector<std::string> all_that_block = {"mutex_and_conditions", "tbb_bounded",
                                                   "moodycamel_blocking"};
  all.push_back({"queue_handover", wall_time, all_that_block, 0.05});
  all.push_back({"queue_handover", cpu_time, all_that_block});
  return all;
}

std::vector<Comparison> process_queue_comparisons() {
  std::vector<Comparison> all;
  all.push_back({"mp_queue_8", wall_time, {"boost_message_queue"}, 0.333});
  all.push_back({"mp_queue_8", wall_time, {"cpython"}, 0.01});
  all.push_back({"mp_queue_8", wall_time, {"pipe"}});
  for (const std::string size : {"1kib", "1mib"}) {
    all.push_back({"mp_queue_" + size, wall_time, {"boost_message_queue", "cpython", "pipe"}});
  }
  for (const std::string size : {"8", "1kib", "1mib"}) {
    all.push_back({"mp_queue_" + size, cpu_time, {"boost_message_queue", "pipe"}});
  }
  all.push_back({"mp_queue_1mib", wall_time, {"memcpy"}, 1.25});
  all.push_back({"mp_queue_1mib", wall_time, {"two_memcpys", "shared_memcpy"}});
  const std::vector<std::string> peers = {"pipe", "unix_socket", "boost_message_queue",
                                          "cpython_pipe"};
  all.push_back({"mp_roundtrip_64", wall_time, peers, 0.05});
  all.push_back({"mp_roundtrip_64", cpu_time, {"pipe", "unix_socket", "boost_message_queue"}});
  return all;
}

std::vector<Comparison> process_comparisons() {
  const auto ratio = Against::ratio_to_peer;
  const std::vector<std::string> mutexes = {"pthread_robust", "pthread_shared",
                                            "boost_interprocess"};
  return {
      {"process_start_join", wall_time, {"fork"}, 1.15},
      {"process_start_join", wall_time, {"bare_fork", "python"}},
      {"process_start_join", wall_time, {"posix_spawn"}, std::nullopt, ratio, "tutti_spawn"},
      {"process_start_join", wall_time, {"fork"}, std::nullopt, ratio, "tutti_forkserver"},
      {"mp_lock_uncontended", own_time, mutexes},
      {"mp_lock_contended", wall_time, mutexes},
      {"pool_map_processes", wall_time, {"cpython"}, 0.02},
      {"pool_map_processes_chunk_1", wall_time, {"cpython"}, 0.02},
  };
}

std::vector<Comparison> comparisons() {
  std::vector<Comparison> all = {
      {"lock_uncontended", own_time, {"std_mutex"}, 0.70},
      {"lock_uncontended", own_time, {"absl_mutex"}, 0.2},
  };
  for (const std::string threads : {"2", "8"}) {
    const std::string subject = "lock_contended_" + threads;
    all.push_back({subject, throughput, {"std_mutex"}, 1.5});
    all.push_back({subject, throughput, {"absl_mutex"}});
    all.push_back({subject, fairness, {"std_mutex", "absl_mutex"}, 0.95, Against::nothing});
    all.push_back({subject + "_wait", longest_wait, {"std_mutex"}, 0.5});
    all.push_back({subject + "_wait", longest_wait, {"absl_mutex"}});
  }
  const std::vector<Comparison> rest = {
      {"rlock_uncontended", own_time, {"std_recursive_mutex"}, 0.70},
      {"semaphore_uncontended", own_time, {"std_counting_semaphore"}, 0.5},
      {"condition_pingpong", wall_time, {"std_condition_variable", "absl_condvar"}, 0.02},
      {"condition_pingpong", cpu_time, {"std_condition_variable", "absl_condvar"}, 0.1},
      {"event_set_wait", wall_time, {"std_condition_pair"}, 0.05},
      {"event_set_wait", wall_time, {"std_binary_semaphore"}},
      {"event_set_wait", cpu_time, {"std_condition_pair"}},
      {"event_set_wait", cpu_time, {"std_binary_semaphore"}},
      {"barrier_cycle", wall_time, {"std_barrier"}, 0.05},
      {"barrier_cycle", cpu_time, {"std_barrier"}},
      {"barrier_cycle_4", wall_time, {"std_barrier"}},
      {"barrier_cycle_4", cpu_time, {"std_barrier"}},
      {"thread_start_join", wall_time, {"std_thread"}, 1.1},
      {"thread_start_join", cpu_time, {"std_thread"}},
      {"mp_pipe_64", wall_time, {"pipe", "unix_socket", "cpython"}},
      {"mp_pipe_1mib", wall_time, {"pipe", "unix_socket", "cpython"}},
      {"explore_schedules", throughput, {}, 200e3, Against::nothing},
      {"explore_schedules", throughput, {"kernel_threads"}},
      {"explore_depth_first", throughput, {}, 200e3, Against::nothing},
      {"shared_access", own_time, {"plain"}, 1.02},
      {"atomic_access", own_time, {"std_atomic"}, 1.02},
      {"pool_submit", wall_time, {"tbb_task_group"}, 0.833},
      {"pool_submit", wall_time, {"mutex_pool", "std_async", "tutti_dropped"}},
      {"pool_submit", cpu_time, {"tbb_task_group", "mutex_pool", "std_async", "tutti_dropped"}},
      {"pool_fib", wall_time, {"tbb_task_group"}, 0.833},
      {"pool_fib", wall_time, {"std_async", "tutti_invoke"}},
      {"parallel_for_tiny", wall_time, {"tbb"}, 0.833},
      {"parallel_for_tiny", wall_time, {"std_par", "one_thread"}},
      {"parallel_for_uneven", wall_time, {"tbb"}, 0.833},
      {"parallel_for_uneven", wall_time, {"std_par", "one_thread"}},
      {"parallel_for_small", wall_time, {"tbb"}, 0.833},
      {"parallel_for_small", wall_time, {"one_thread"}},
      {"parallel_for_nested", wall_time, {"tbb"}, 0.833},
      {"parallel_for_nested", wall_time, {"one_thread"}},
      {"parallel_reduce", wall_time, {"tbb"}, 0.833},
      {"parallel_reduce", wall_time, {"one_thread"}},
      {"future_roundtrip", wall_time, {"std_async", "mutex_pool", "tbb_enqueue"}, 0.05},
      {"future_roundtrip", wall_time, {"tbb_task_group"}},
      {"future_roundtrip", cpu_time, {"std_async", "mutex_pool", "tbb_enqueue"}},
      {"program_start", wall_time, {"plain"}, 2e6, Against::difference_to_peer},
      // "No CPU": what rounds to 0.0 %.
      {"idle_cpu", idle_share, {}, 0.0005, Against::nothing},
      {"sizes", size_of("Lock"), {}, 4, Against::nothing},
      {"sizes", size_of("RLock"), {}, 12, Against::nothing},
      {"sizes", size_of("Condition"), {}, 24, Against::nothing},
      {"sizes", size_of("Event"), {}, 4, Against::nothing},
  };
  all.insert(all.end(), rest.begin(), rest.end());
  for (const std::string members : {"2", "8", "64"}) {
    all.push_back({"deadlock_ring_" + members, wall_time, {}, 30e6, Against::nothing});
    all.push_back({"deadlock_ring_" + members, longest_time, {}, 100e6, Against::nothing});
  }
  const std::vector<Comparison> queues = queue_comparisons();
  all.insert(all.end(), queues.begin(), queues.end());
  const std::vector<Comparison> process_queues = process_queue_comparisons();
  all.insert(all.end(), process_queues.begin(), process_queues.end());
  const std::vector<Comparison> processes = process_comparisons();
  all.insert(all.end(), processes.begin(), processes.end());
  return all;
}

/// What diagnosis costs that is always on: the same programs, with the library built without.
const std::string without_diagnosis = "unwatched";

std::vector<Comparison> diagnosis_comparisons() {
  std::vector<Comparison> all;
  for (const std::string subject :
       {"lock_uncontended", "rlock_uncontended", "semaphore_uncontended"}) {
    all.push_back({subject, own_time, {without_diagnosis}, 1.01});
  }
  for (const std::string subject : {"lock_contended_2", "lock_contended_8"}) {
    all.push_back({subject, throughput, {without_diagnosis}, 0.99});
  }
  for (const std::string subject :
       {"condition_pingpong", "event_set_wait", "barrier_cycle", "thread_start_join",
        "queue_bounded_1_1", "queue_bounded_4_4", "queue_handover", "future_roundtrip",
        "pool_submit", "pool_fib", "parallel_for_tiny", "parallel_reduce"}) {
    all.push_back({subject, wall_time, {without_diagnosis}, 1.01});
  }
  return all;
}

// --- the results ---------------------------------------------------------------------------------

class Results {
 public:
  void add(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("can't read " + path);
    const json run = json::parse(file);
    const json& context = run.at("context");
    machine_ = context.at("cpu_model").get<std::string>() + ", " +
               std::to_string(context.at("num_cpus").get<int>()) + " cores; " +
               context.at("compiler").get<std::string>();
    for (const json& benchmark : run.at("benchmarks")) add(benchmark);
  }

  const std::string& machine() const { return machine_; }
  /// How many figures there are at least of everything.
  std::size_t repetitions() const {
    std::size_t fewest = std::numeric_limits<std::size_t>::max();
    for (const auto& [name, figures] : figures_) fewest = std::min(fewest, figures.size());
    return fewest;
  }
  bool has(const std::string& subject) const { return subjects_.contains(subject); }
  /// They are about what diagnosis costs.
  bool is_about_diagnosis() const { return contenders_.contains(without_diagnosis); }

  /// One figure a repetition, in their order.
  const std::vector<double>& figures(const std::string& subject, const std::string& contender,
                                     const Measure& measure) const {
    const auto found = figures_.find(subject + "/" + contender + "/" + measure.field);
    if (found == figures_.end()) {
      throw std::runtime_error("no " + measure.name + " of " + subject + "/" + contender);
    }
    return found->second;
  }

 private:
  void add(const json& benchmark) {
    // "subject/contender", or with what the library appends: "subject/contender/manual_time".
    const std::string name = benchmark.at("name");
    const std::size_t slash = name.find('/');
    const std::string subject = name.substr(0, slash);
    const std::string contender = name.substr(slash + 1, name.find('/', slash + 1) - slash - 1);
    if (benchmark.value("error_occurred", false)) {
      throw std::runtime_error(name + ": " + benchmark.value("error_message", "failed"));
    }
    subjects_.insert(subject);
    contenders_.insert(contender);
    for (const auto& [field, value] : benchmark.items()) {
      if (!value.is_number()) continue;
      figures_[subject + "/" + contender + "/" + field].push_back(value.get<double>());
    }
  }

  std::string machine_;
  std::set<std::string> subjects_;
  std::set<std::string> contenders_;
  std::map<std::string, std::vector<double>> figures_;
};

double median(std::vector<double> figures) {
  std::sort(figures.begin(), figures.end());
  const std::size_t half = figures.size() / 2;
  return figures.size() % 2 == 1 ? figures[half] : (figures[half - 1] + figures[half]) / 2;
}

// --- how figures are written ---------------------------------------------------------------------

std::string fixed(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

/// Three digits that count: 0.0123, 1.23, 12.3, 123.
std::string three_digits(double value) {
  int digits = 2;
  for (double size = std::abs(value); size >= 10 && digits > 0; size /= 10) --digits;
  for (double size = std::abs(value); size < 1 && size > 0 && digits < 5; size *= 10) ++digits;
  return fixed(value, digits);
}

std::string scaled(double value, const std::vector<std::string>& units) {
  std::size_t unit = 0;
  while (std::abs(value) >= 1000 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return three_digits(value) + " " + units[unit];
}

std::string written(double value, Unit unit) {
  switch (unit) {
    case Unit::nanoseconds:
      return scaled(value, {"ns", "µs", "ms", "s"});
    case Unit::per_second:
      return scaled(value, {"/s", "k/s", "M/s", "G/s"});
    case Unit::index:
      return fixed(value, 3);
    case Unit::share:
      return fixed(value * 100, 2) + " %";
    case Unit::bytes:
      return fixed(value, 0) + " bytes";
  }
  return {};
}

// --- the table -----------------------------------------------------------------------------------

using Cells = std::vector<std::string>;
const Cells header = {"subject", "tutti", "peer", "ratio (lowest–highest)", "goal", "reached"};

std::string goal_of(const Comparison& comparison) {
  const std::string sign = comparison.measure.more_is_better ? "≥ " : "≤ ";
  switch (comparison.against) {
    case Against::ratio_to_peer:
      return sign + fixed(*comparison.goal, 2);
    case Against::difference_to_peer:
      return sign + "+" + written(*comparison.goal, comparison.measure.unit);
    case Against::nothing:
      return sign + written(*comparison.goal, comparison.measure.unit);
  }
  return {};
}

std::string reached(const Comparison& comparison, double value) {
  const bool yes =
      comparison.measure.more_is_better ? value >= *comparison.goal : value <= *comparison.goal;
  return yes ? "yes" : "**no**";
}

/// The lowest and the highest ratio of the repetitions.
std::string range(const std::vector<double>& ours, const std::vector<double>& theirs) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) {
    ratios.push_back(ours[i] / theirs[i]);
  }
  const auto [lowest, highest] = std::minmax_element(ratios.begin(), ratios.end());
  return three_digits(*lowest) + "–" + three_digits(*highest);
}

class Row {
 public:
  Row(const Results& results, const Comparison& comparison)
      : results_(results),
        comparison_(comparison),
        ours_(results.figures(comparison.subject, comparison.ours, comparison.measure)) {}

  /// With the figures of all peers, which the goal does not refer to.
  Cells against_nothing() const {
    std::string peers;
    for (const std::string& peer : comparison_.peers) {
      peers += (peers.empty() ? "" : ", ") + peer + " " + write(median_of(peer));
    }
    const double value = median(ours_);
    return {title(), write(value), peers, "", goal_of(comparison_), reached(comparison_, value)};
  }

  /// `with_goal`: the peer is the one that the goal refers to.
  Cells against_peer(const std::string& peer, bool with_goal) const {
    const double ours = median(ours_);
    const double theirs = median_of(peer);
    double result;
    std::string result_text;
    if (comparison_.against == Against::difference_to_peer) {
      result = ours - theirs;
      result_text = (result < 0 ? "−" : "+") + write(std::abs(result));
    } else {
      result = ours / theirs;
      result_text = three_digits(result) + " (" + range(ours_, figures_of(peer)) + ")";
    }
    with_goal = with_goal && comparison_.goal.has_value();
    return {title(),
            (comparison_.ours == "tutti" ? "" : comparison_.ours + " ") + write(ours),
            peer + " " + write(theirs),
            result_text,
            with_goal ? goal_of(comparison_) : "",
            with_goal ? reached(comparison_, result) : ""};
  }

  std::string best_peer() const {
    const auto is_better = [&](const std::string& a, const std::string& b) {
      return comparison_.measure.more_is_better ? median_of(a) > median_of(b)
                                                : median_of(a) < median_of(b);
    };
    return *std::min_element(comparison_.peers.begin(), comparison_.peers.end(), is_better);
  }

 private:
  std::string title() const { return comparison_.subject + ": " + comparison_.measure.name; }
  std::string write(double value) const { return written(value, comparison_.measure.unit); }
  const std::vector<double>& figures_of(const std::string& peer) const {
    return results_.figures(comparison_.subject, peer, comparison_.measure);
  }
  double median_of(const std::string& peer) const { return median(figures_of(peer)); }

  const Results& results_;
  const Comparison& comparison_;
  const std::vector<double>& ours_;
};

std::vector<Cells> rows(const Results& results) {
  std::vector<Cells> table;
  for (const Comparison& comparison :
       results.is_about_diagnosis() ? diagnosis_comparisons() : comparisons()) {
    if (!results.has(comparison.subject)) continue;
    const Row row(results, comparison);
    if (comparison.against == Against::nothing) {
      table.push_back(row.against_nothing());
      continue;
    }
    const std::string best = row.best_peer();
    for (const std::string& peer : comparison.peers) {
      table.push_back(row.against_peer(peer, peer == best));
    }
  }
  return table;
}

std::string in_markdown(const Results& results) {
  const std::size_t repetitions = results.repetitions();
  std::ostringstream text;
  text << results.machine() << ". Medians of " << repetitions
       << (repetitions == 1 ? " repetition.\n\n" : " repetitions.\n\n");
  const auto write = [&](const Cells& cells) {
    text << "|";
    for (const std::string& cell : cells) text << (cell.empty() ? " |" : " " + cell + " |");
    text << "\n";
  };
  write(header);
  write(Cells(header.size(), "---"));
  for (const Cells& cells : rows(results)) write(cells);
  return text.str();
}

void write_between_markers(const std::string& path, const std::string& table) {
  const std::string begin = "<!-- table:begin -->\n";
  const std::string end = "<!-- table:end -->";
  std::ifstream old(path);
  std::string text(std::istreambuf_iterator<char>(old), {});
  const std::size_t first = text.find(begin);
  const std::size_t last = text.find(end);
  if (first == std::string::npos || last == std::string::npos || last < first) {
    throw std::runtime_error(path + " lacks the lines that the table goes between");
  }
  const std::size_t from = first + begin.size();
  text.replace(from, last - from, table);
  std::ofstream file(path);
  file << text;
  if (!file.flush()) throw std::runtime_error("can't write " + path);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> paths(argv + 1, argv + argc);
  std::string into;
  if (paths.size() >= 2 && paths[0] == "--into") {
    into = paths[1];
    paths.erase(paths.begin(), paths.begin() + 2);
  }
  if (paths.empty()) {
    std::cerr << "usage: bench_table [--into FILE] RESULT.json...\n";
    return 2;
  }
  try {
    Results results;
    for (const std::string& path : paths) results.add(path);
    const std::string table = in_markdown(results);
    std::cout << table;
    if (!into.empty()) write_between_markers(into, table);
  } catch (const std::exception& error) {
    std::cerr << "bench_table: " << error.what() << "\n";
    return 1;
  }
}
