#include "look/commands.h"

#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "look/dump.h"
#include "look/graph.h"
#include "look/ps.h"
#include "look/top.h"

namespace look {

namespace {

void add_ps(CLI::App& app, std::function<int()>& chosen) {
  struct Options {
    std::vector<int> pids;
    bool is_json = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "ps", "Show the programs of this machine that have tutti threads, and what each thread does");
  command->add_option("PID", options->pids, "only these processes");
  command->add_flag("--json", options->is_json, "for scripts");
  command->callback([options, &chosen] {
    chosen = [options] {
      return ps(options->pids, options->is_json ? Format::json : Format::table);
    };
  });
}

void add_top(CLI::App& app, std::function<int()>& chosen) {
  struct Options {
    TopOptions top;
    int pid = 0;
    double seconds = 2;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("top", "Show what threads do and wait for, again and again");
  const CLI::Option* pid = command->add_option("PID", options->pid, "only this process");
  command->add_option("-n", options->top.count, "end after so many times")
      ->check(CLI::PositiveNumber);
  command->add_option("-d", options->seconds, "seconds between two times")
      ->check(CLI::Range(0.01, 1e6))
      ->capture_default_str();
  command->add_flag("--plain", options->top.is_plain, "as lines, also on a terminal");
  command->callback([options, pid, &chosen] {
    if (pid->count() > 0) options->top.pid = options->pid;
    options->top.delay = std::chrono::milliseconds(std::llround(options->seconds * 1000));
    chosen = [options] { return top(options->top); };
  });
}

void add_dump(CLI::App& app, std::function<int()>& chosen) {
  const auto pid = std::make_shared<int>();
  CLI::App* command = app.add_subcommand(
      "dump", "Print the stacks of all threads of a program, and who waits for whom");
  command->add_option("PID", *pid, "the process")->required();
  command->callback([pid, &chosen] { chosen = [pid] { return dump(*pid); }; });
}

void add_graph(CLI::App& app, std::function<int()>& chosen) {
  struct Options {
    int pid = 0;
    std::string html;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "graph", "Draw who waits for whom in a program, for Graphviz or a browser");
  command->add_option("PID", options->pid, "the process")->required();
  command->add_option("--html", options->html, "write a page to this file instead");
  command->callback(
      [options, &chosen] { chosen = [options] { return graph(options->pid, options->html); }; });
}

}  // namespace

void add_commands(CLI::App& app, std::function<int()>& chosen) {
  add_ps(app, chosen);
  add_top(app, chosen);
  add_dump(app, chosen);
  add_graph(app, chosen);
}

}  // namespace look
