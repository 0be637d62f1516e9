#include "queue/history.h"

#include <algorithm>
#include <sstream>

namespace tests {

namespace {

const char* name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::done:
      return "done";
    case Outcome::full:
      return "Full";
    case Outcome::empty:
      return "Empty";
    case Outcome::shut_down:
      return "ShutDown";
  }
  return "";
}

std::string call_of(const Operation& operation) {
  switch (operation.action) {
    case Action::put:
      return "put(" + std::to_string(operation.value) + ")";
    case Action::get:
      return "get()";
    case Action::shutdown:
      return "shutdown()";
    case Action::immediate_shutdown:
      return "shutdown(true)";
  }
  return "";
}

}  // namespace

std::string to_string(History history) {
  std::sort(history.begin(), history.end(),
            [](const Operation& a, const Operation& b) { return a.called < b.called; });
  std::ostringstream text;
  for (const Operation& operation : history) {
    text << "thread " << operation.thread << ", " << operation.called << " to "
         << operation.returned << ": " << call_of(operation) << ": ";
    if (operation.action == Action::get && operation.outcome == Outcome::done) {
      text << operation.value << "\n";
    } else {
      text << name_of(operation.outcome) << "\n";
    }
  }
  return text.str();
}

}  // namespace tests
