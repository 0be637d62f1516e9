// One execution of a body, by a driver.
#pragma once

#include <functional>

#include "explore/search.h"
#include "explore/story.h"
#include "platform/explore/failing.h"

namespace tutti::inline TUTTI_ABI::explore {

struct Outcome {
  std::optional<FailureKind> failure;
  std::string message;
};

/// What is explored, and by which rules.
struct Subject {
  const std::function<void()>& body;
  const Options& options;
  platform::exploring::Rules rules;
};

/// Runs the body once. With `story`, writes down what happens.
Outcome execute(const Subject& subject, Search& search, Story* story);

}  // namespace tutti::inline TUTTI_ABI::explore
