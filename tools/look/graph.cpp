#include "look/graph.h"

#include <fmt/core.h>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "look/error.h"
#include "look/picture.h"

namespace look {

int graph(int pid, const std::string& html) {
  const Picture picture = picture_of(take_snapshot(Process(pid)));
  if (html.empty()) {
    fmt::print("{}", to_dot(picture));
    return 0;
  }
  errno = 0;
  std::ofstream file(html);
  file << to_html(picture) << std::flush;
  if (!file) {
    throw Error(fmt::format("can't write {}: {}", html,
                            std::error_code(errno, std::generic_category()).message()));
  }
  return 0;
}

}  // namespace look
