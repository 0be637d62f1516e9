// What threads and objects are called in reports.
#pragma once

#include <map>
#include <string>

#include "platform/explore/scheduler.h"

namespace tutti::inline TUTTI_ABI::explore {

/// Names of the execution under way.
class Names {
 public:
  void restart();

  void give(const void* object, const std::string& name) { given_[object] = name; }
  /// The given name, else the variable's if it is a global one, else "Lock 1" for the first object
  /// of its kind. `operation` tells the kind: "Lock.acquire" is done to a Lock.
  std::string of_object(const void* object, const char* operation);
  /// The name of a thread that has come to life; "thread 2" for one that has not.
  std::string of_thread(unsigned thread);

 private:
  std::map<const void*, std::string> given_;
  std::map<std::string, int> count_of_kind_;
  std::map<unsigned, std::string> threads_;
};

Names& names();

}  // namespace tutti::inline TUTTI_ABI::explore
