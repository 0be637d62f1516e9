// Checking an exception's type and what its text tells.
#pragma once

#include <gtest/gtest.h>

#include <concepts>
#include <exception>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <typeinfo>

namespace tests {

/// The object's address as messages show it.
std::string address_of(const void* object);

testing::AssertionResult throws(const std::type_info& expected, const std::function<void()>& call,
                                std::initializer_list<std::string_view> parts);

/// Whether `call()` throws exactly an Expected whose text contains all `parts`.
template <std::derived_from<std::exception> Expected>
testing::AssertionResult throws(const std::function<void()>& call,
                                std::initializer_list<std::string_view> parts = {}) {
  return throws(typeid(Expected), call, parts);
}

}  // namespace tests
