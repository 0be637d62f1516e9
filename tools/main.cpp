// The `tutti` command.
#include <tutti/config.h>

#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <exception>
#include <string>

#include "demo/demo.h"

int main(int argc, char** argv) {
  CLI::App app("Concurrency that explains itself.", "tutti");
  app.require_subcommand(1);
  app.set_version_flag("--version", fmt::format("tutti {}.{}.{}", TUTTI_VERSION_MAJOR,
                                                TUTTI_VERSION_MINOR, TUTTI_VERSION_PATCH));

  std::string folder = "/usr/include";
  CLI::App* demo = app.add_subcommand(
      "demo", "Count the words of a folder of text in several ways, side by side");
  demo->add_option("FOLDER", folder, "the folder of text")->capture_default_str();

  CLI11_PARSE(app, argc, argv);
  try {
    return demo::run(folder);
  } catch (const std::exception& error) {
    fmt::print(stderr, "tutti: {}\n", error.what());
    return 1;
  }
}
