#include "support/throws.h"

#include <cstdio>

namespace tests {

std::string address_of(const void* object) {
  char text[32];
  std::snprintf(text, sizeof text, "%p", object);
  return text;
}

testing::AssertionResult throws(const std::type_info& expected, const std::function<void()>& call,
                                std::initializer_list<std::string_view> parts) {
  try {
    call();
  } catch (const std::exception& error) {
    const std::string text = error.what();
    if (typeid(error) != expected) {
      return testing::AssertionFailure() << "threw a " << typeid(error).name() << ": " << text;
    }
    for (const std::string_view part : parts) {
      if (text.find(part) == std::string::npos) {
        return testing::AssertionFailure() << "'" << part << "' is not in: " << text;
      }
    }
    return testing::AssertionSuccess() << "threw: " << text;
  }
  return testing::AssertionFailure() << "did not throw";
}

}  // namespace tests
