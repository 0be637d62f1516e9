// The `tutti` command.
#include <tutti/config.h>
#include <tutti/inspect.h>

#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>
#include <functional>
#include <string>

#include "demo/demo.h"
#include "look/commands.h"
#include "run/run.h"
#include "trace/report.h"

// TUTTI_TRACE is meant for the programs that the command executes, or of which it reads what they
// have written; of the command itself only the demo has a timeline.
extern "C" bool tutti_leaves_trace_to_others() noexcept {
  return true;
}

namespace {

void trace_demo() {
  const char* file = std::getenv("TUTTI_TRACE");
  if (file != nullptr && *file != '\0') tutti::inspect::trace_to(file);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Concurrency that explains itself.", "tutti");
  app.require_subcommand(1);
  app.set_version_flag("--version", fmt::format("tutti {}.{}.{}", TUTTI_VERSION_MAJOR,
                                                TUTTI_VERSION_MINOR, TUTTI_VERSION_PATCH));

  std::function<int()> chosen;
  std::string folder = "/usr/include";
  CLI::App* demo = app.add_subcommand(
      "demo", "Count the words of a folder of text in several ways, side by side");
  demo->add_option("FOLDER", folder, "the folder of text")->capture_default_str();
  bool chaos = false;
  demo->add_flag("--chaos", chaos, "kill -9 a worker of the processes form at every second result");
  demo->callback([&] {
    chosen = [&] {
      trace_demo();
      return demo::run(folder, chaos ? demo::Chaos::kills : demo::Chaos::none);
    };
  });
  look::add_commands(app, chosen);
  run::add_command(app, chosen, argc, argv);

  std::string trace_file;
  std::string page;
  CLI::App* trace = app.add_subcommand("trace", "Look into what TUTTI_TRACE has recorded");
  trace->require_subcommand(1);
  CLI::App* report =
      trace->add_subcommand("report", "Make a timeline into a page that a browser shows");
  report->add_option("FILE", trace_file, "the timeline: what TUTTI_TRACE named")->required();
  report->callback([&] { chosen = [&] { return trace::report(trace_file, page); }; });
  report->add_option("-o,--output", page, "the page; FILE with the ending .html if not given");

  CLI11_PARSE(app, argc, argv);
  try {
    return chosen();
  } catch (const std::exception& error) {
    fmt::print(stderr, "tutti: {}\n", error.what());
    return 1;
  }
}
