// The flavours for which each suite is run.
//
// A flavour names the primitives under test, says where an object must lie so that all workers see
// it, and what a worker is. All that a suite's workers change is made by Flavour::make, so that
// workers can be processes.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "suites/worker.h"
#include "tutti/threading.h"

namespace tests {

/// The primitives of tutti::threading, in the memory of this process.
struct Threads {
  using Lock = tutti::threading::Lock;
  using RLock = tutti::threading::RLock;
  using Condition = tutti::threading::Condition;
  using Semaphore = tutti::threading::Semaphore;
  using BoundedSemaphore = tutti::threading::BoundedSemaphore;
  using Event = tutti::threading::Event;
  using Barrier = tutti::threading::Barrier;
  using Worker = ThreadWorker;

  static constexpr const char* name = "Threads";

  template <typename T, typename... Args>
  static std::shared_ptr<T> make(Args&&... args) {
    return std::make_shared<T>(std::forward<Args>(args)...);
  }
};

/// A case of a suite: something under test, in a flavour. Derived cases say what, and its name.
template <typename FlavourType>
struct CaseIn {
  using Flavour = FlavourType;
};

/// Names the cases of a suite in the tests' names.
struct CaseName {
  template <typename Case>
  static std::string GetName(int) {
    return Case::name;
  }
};

}  // namespace tests
