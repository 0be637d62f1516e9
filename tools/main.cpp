// The `tutti` command.
#include <tutti/config.h>

#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <exception>
#include <functional>
#include <string>

#include "demo/demo.h"
#include "look/commands.h"
#include "run/run.h"

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
  demo->callback([&] { chosen = [&] { return demo::run(folder); }; });
  look::add_commands(app, chosen);
  run::add_command(app, chosen, argc, argv);

  CLI11_PARSE(app, argc, argv);
  try {
    return chosen();
  } catch (const std::exception& error) {
    fmt::print(stderr, "tutti: {}\n", error.what());
    return 1;
  }
}
