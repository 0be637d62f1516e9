#include "look/commands.h"

#include <memory>
#include <vector>

#include "look/ps.h"

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

}  // namespace

void add_commands(CLI::App& app, std::function<int()>& chosen) {
  add_ps(app, chosen);
}

}  // namespace look
