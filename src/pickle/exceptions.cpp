#include "tutti/pickle/exceptions.h"

#include <cstddef>
#include <new>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <typeinfo>

#include "tutti/errors.h"
#include "tutti/platform/common.h"

namespace tutti::inline TUTTI_ABI::pickle {

namespace {

// An exception that any process can make of a text.
struct Known {
  std::string name;
  bool (*is_base_of)(const std::exception&);
  std::exception_ptr (*make)(const std::string& text, const std::exception_ptr& cause);
};

template <typename E>
[[noreturn]] void throw_new(const std::string& text) {
  if constexpr (std::is_constructible_v<E, const std::string&>) {
    throw E(text);
  } else {
    throw E();
  }
}

template <typename E>
[[noreturn]] void throw_nested(const std::string& text) {
  if constexpr (std::is_constructible_v<E, const std::string&>) {
    std::throw_with_nested(E(text));
  } else {
    std::throw_with_nested(E());
  }
}

template <typename E>
std::exception_ptr make(const std::string& text, const std::exception_ptr& cause) {
  try {
    if (!cause) throw_new<E>(text);
    try {
      std::rethrow_exception(cause);
    } catch (...) {
      throw_nested<E>(text);
    }
  } catch (...) {
    return std::current_exception();
  }
}

template <typename E>
Known known() {
  return {platform::readable_name(typeid(E).name()),
          [](const std::exception& error) { return dynamic_cast<const E*>(&error) != nullptr; },
          make<E>};
}

// Each stands before its bases.
const std::vector<Known>& all_known() {
  static const std::vector<Known>& all = *new std::vector<Known>{
      known<futures::BrokenThreadPool>(),
      known<futures::BrokenExecutor>(),
      known<threading::BrokenBarrierError>(),
      known<OwnerDiedError>(),
      known<DeadlockError>(),
      known<RuntimeError>(),
      known<ValueError>(),
      known<AttributeError>(),
      known<TypeError>(),
      known<TimeoutError>(),
      known<KeyboardInterrupt>(),
      known<queue::Empty>(),
      known<queue::Full>(),
      known<queue::ShutDown>(),
      known<futures::CancelledError>(),
      known<futures::InvalidStateError>(),
      known<Error>(),
      known<std::out_of_range>(),
      known<std::invalid_argument>(),
      known<std::length_error>(),
      known<std::domain_error>(),
      known<std::logic_error>(),
      known<std::overflow_error>(),
      known<std::underflow_error>(),
      known<std::range_error>(),
      known<std::runtime_error>(),
      known<std::bad_alloc>(),
  };
  return all;
}

// What std::throw_with_nested throws is of a class of the library's, derived from what was given.
std::string without_nesting(std::string type) {
  constexpr std::string_view front = "std::_Nested_exception<";
  if (type.starts_with(front) && type.ends_with('>')) {
    type.erase(0, front.size());
    type.pop_back();
    if (type.ends_with(' ')) type.pop_back();
  }
  return type;
}

ThrownRecord describe(const std::exception& error) {
  ThrownRecord record{without_nesting(platform::readable_name(typeid(error).name())), "",
                      error.what()};
  for (const Known& known : all_known()) {
    if (!known.is_base_of(error)) continue;
    record.known = known.name;
    break;
  }
  return record;
}

// The exceptions that one in `chain` may cause; more are left out.
constexpr std::size_t longest_chain = 100;

}  // namespace

std::vector<ThrownRecord> describe_exception(const std::exception_ptr& exception) {
  std::vector<ThrownRecord> chain;
  std::exception_ptr next = exception;
  while (next && chain.size() < longest_chain) {
    std::exception_ptr cause;
    try {
      std::rethrow_exception(next);
    } catch (const std::exception& error) {
      chain.push_back(describe(error));
      if (const auto* nested = dynamic_cast<const std::nested_exception*>(&error)) {
        cause = nested->nested_ptr();
      }
    } catch (const std::nested_exception& nested) {
      chain.push_back({without_nesting(platform::current_exception_type()), "", ""});
      cause = nested.nested_ptr();
    } catch (...) {
      chain.push_back({platform::current_exception_type(), "", ""});
    }
    next = std::move(cause);
  }
  return chain;
}

std::exception_ptr rebuild_exception(std::span<const ThrownRecord> chain) {
  if (chain.size() > longest_chain) {
    throw ValueError("an exception with " + std::to_string(chain.size()) + " causes, but at most " +
                     std::to_string(longest_chain) + " can be read");
  }
  std::exception_ptr made;
  for (auto record = chain.rbegin(); record != chain.rend(); ++record) {
    auto* maker = &make<RuntimeError>;
    for (const Known& known : all_known()) {
      if (known.name == record->known) maker = known.make;
    }
    if (record->type == record->known) {
      made = maker(record->text, made);
    } else {
      made = maker(record->text.empty() ? record->type : record->type + ": " + record->text, made);
    }
  }
  return made;
}

}  // namespace tutti::inline TUTTI_ABI::pickle
