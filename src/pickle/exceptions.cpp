#include "tutti/pickle/exceptions.h"

#include <cstddef>
#include <new>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <typeinfo>

#include "pickle/exception_classes.h"
#include "tutti/errors.h"
#include "tutti/platform/common.h"

namespace tutti::inline TUTTI_ABI::pickle {

namespace {

// An exception that any process can make of a text and perhaps an error number.
struct Known {
  std::string name;
  PythonClass python;
  // Whether that class, when it comes from Python, is this one: more than one may share it.
  bool is_counterpart;
  bool has_code;
  bool (*is_base_of)(const std::exception&);
  std::exception_ptr (*make)(const ThrownRecord& record, const std::exception_ptr& cause);
};

template <typename E>
E made_of(const ThrownRecord& record) {
  if constexpr (std::derived_from<E, OSError>) {
    return E(record.text, record.code);
  } else if constexpr (std::is_constructible_v<E, const std::string&>) {
    return E(record.text);
  } else {
    return E();
  }
}

template <typename E>
std::exception_ptr make(const ThrownRecord& record, const std::exception_ptr& cause) {
  try {
    if (!cause) throw made_of<E>(record);
    try {
      std::rethrow_exception(cause);
    } catch (...) {
      std::throw_with_nested(made_of<E>(record));
    }
  } catch (...) {
    return std::current_exception();
  }
}

enum class Counterpart { yes, no };

template <typename E>
Known known(std::string_view module, std::string_view name,
            Counterpart counterpart = Counterpart::yes) {
  return {platform::readable_name(typeid(E).name()),
          {module, name},
          counterpart == Counterpart::yes,
          std::derived_from<E, OSError>,
          [](const std::exception& error) { return dynamic_cast<const E*>(&error) != nullptr; },
          make<E>};
}

// Each stands before its bases. Never destroyed: exceptions are described until the very end.
const std::vector<Known>& all_known() {
  using enum Counterpart;
  constexpr std::string_view builtins = "builtins";
  constexpr std::string_view futures = "concurrent.futures._base";
  static const std::vector<Known>& all = *new std::vector<Known>{
      known<futures::BrokenThreadPool>("concurrent.futures.thread", "BrokenThreadPool"),
      known<futures::BrokenExecutor>(futures, "BrokenExecutor"),
      known<threading::BrokenBarrierError>("threading", "BrokenBarrierError"),
      known<OwnerDiedError>(builtins, "RuntimeError", no),
      known<DeadlockError>(builtins, "RuntimeError", no),
      known<RuntimeError>(builtins, "RuntimeError"),
      known<ValueError>(builtins, "ValueError"),
      known<AttributeError>(builtins, "AttributeError"),
      known<TypeError>(builtins, "TypeError"),
      known<TimeoutError>(builtins, "TimeoutError"),
      known<BrokenPipeError>(builtins, "BrokenPipeError"),
      known<FileExistsError>(builtins, "FileExistsError"),
      known<FileNotFoundError>(builtins, "FileNotFoundError"),
      known<OSError>(builtins, "OSError"),
      known<EOFError>(builtins, "EOFError"),
      known<KeyboardInterrupt>(builtins, "KeyboardInterrupt"),
      // The module's C part calls itself so.
      known<queue::Empty>("_queue", "Empty"),
      known<queue::Empty>("queue", "Empty"),
      known<queue::Full>("queue", "Full"),
      known<queue::ShutDown>("queue", "ShutDown"),
      known<futures::CancelledError>(futures, "CancelledError"),
      known<futures::InvalidStateError>(futures, "InvalidStateError"),
      known<multiprocessing::ProcessError>("multiprocessing.context", "ProcessError"),
      known<Error>(builtins, "Exception"),
      known<std::out_of_range>(builtins, "IndexError"),
      known<std::invalid_argument>(builtins, "ValueError", no),
      known<std::length_error>(builtins, "ValueError", no),
      known<std::domain_error>(builtins, "ValueError", no),
      known<std::logic_error>(builtins, "RuntimeError", no),
      known<std::overflow_error>(builtins, "OverflowError"),
      known<std::underflow_error>(builtins, "ArithmeticError", no),
      known<std::range_error>(builtins, "ArithmeticError"),
      known<std::runtime_error>(builtins, "RuntimeError", no),
      known<std::bad_alloc>(builtins, "MemoryError"),
  };
  return all;
}

const Known* find_known(std::string_view name) {
  for (const Known& known : all_known()) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

struct PythonOnly {
  PythonClass python;
  // Of the builtins, one that has a counterpart; empty if none does but Exception.
  std::string_view base;
};

constexpr std::array python_only = std::to_array<PythonOnly>({
    {{"builtins", "BlockingIOError"}, "OSError"},
    {{"builtins", "ChildProcessError"}, "OSError"},
    {{"builtins", "ConnectionAbortedError"}, "OSError"},
    {{"builtins", "ConnectionError"}, "OSError"},
    {{"builtins", "ConnectionRefusedError"}, "OSError"},
    {{"builtins", "ConnectionResetError"}, "OSError"},
    {{"builtins", "InterruptedError"}, "OSError"},
    {{"builtins", "IsADirectoryError"}, "OSError"},
    {{"builtins", "NotADirectoryError"}, "OSError"},
    {{"builtins", "PermissionError"}, "OSError"},
    {{"builtins", "ProcessLookupError"}, "OSError"},
    {{"builtins", "UnicodeDecodeError"}, "ValueError"},
    {{"builtins", "UnicodeEncodeError"}, "ValueError"},
    {{"builtins", "UnicodeError"}, "ValueError"},
    {{"builtins", "UnicodeTranslateError"}, "ValueError"},
    {{"builtins", "NotImplementedError"}, "RuntimeError"},
    {{"builtins", "RecursionError"}, "RuntimeError"},
    {{"builtins", "KeyError"}, "IndexError"},
    {{"builtins", "LookupError"}, "IndexError"},
    {{"builtins", "AssertionError"}, ""},
    {{"builtins", "BaseException"}, ""},
    {{"builtins", "BufferError"}, ""},
    {{"builtins", "BytesWarning"}, ""},
    {{"builtins", "DeprecationWarning"}, ""},
    {{"builtins", "FloatingPointError"}, ""},
    {{"builtins", "FutureWarning"}, ""},
    {{"builtins", "GeneratorExit"}, ""},
    {{"builtins", "ImportError"}, ""},
    {{"builtins", "ImportWarning"}, ""},
    {{"builtins", "IndentationError"}, ""},
    {{"builtins", "ModuleNotFoundError"}, ""},
    {{"builtins", "NameError"}, ""},
    {{"builtins", "PendingDeprecationWarning"}, ""},
    {{"builtins", "ReferenceError"}, ""},
    {{"builtins", "ResourceWarning"}, ""},
    {{"builtins", "RuntimeWarning"}, ""},
    {{"builtins", "StopAsyncIteration"}, ""},
    {{"builtins", "StopIteration"}, ""},
    {{"builtins", "SyntaxError"}, ""},
    {{"builtins", "SyntaxWarning"}, ""},
    {{"builtins", "SystemError"}, ""},
    {{"builtins", "SystemExit"}, ""},
    {{"builtins", "TabError"}, ""},
    {{"builtins", "UnboundLocalError"}, ""},
    {{"builtins", "UnicodeWarning"}, ""},
    {{"builtins", "UserWarning"}, ""},
    {{"builtins", "Warning"}, ""},
    {{"builtins", "ZeroDivisionError"}, ""},
    {{"concurrent.futures.process", "BrokenProcessPool"}, "RuntimeError"},
    {{"multiprocessing.context", "AuthenticationError"}, ""},
    {{"multiprocessing.context", "BufferTooShort"}, ""},
    {{"multiprocessing.context", "TimeoutError"}, "TimeoutError"},
});

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
  if (const auto* refused = dynamic_cast<const OSError*>(&error)) record.code = refused->code();
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
    const Known* known = find_known(record->known);
    if (known == nullptr) known = find_known(platform::readable_name(typeid(RuntimeError).name()));
    if (record->type == record->known) {
      made = known->make(*record, made);
    } else {
      ThrownRecord named = *record;
      named.text = record->text.empty() ? record->type : record->type + ": " + record->text;
      made = known->make(named, made);
    }
  }
  return made;
}

std::optional<std::uint32_t> find_exception_class(PythonClass python) {
  const auto is_it = [&](const PythonClass& other) {
    return other.module == python.module && other.name == python.name;
  };
  const std::vector<Known>& all = all_known();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].is_counterpart && is_it(all[i].python)) return static_cast<std::uint32_t>(i);
  }
  for (std::size_t i = 0; i < python_only.size(); ++i) {
    if (is_it(python_only[i].python)) return static_cast<std::uint32_t>(all.size() + i);
  }
  return std::nullopt;
}

PythonClass exception_class(std::uint32_t number) {
  const std::vector<Known>& all = all_known();
  return number < all.size() ? all[number].python : python_only[number - all.size()].python;
}

std::string type_of(std::uint32_t number) {
  const std::vector<Known>& all = all_known();
  return number < all.size() ? all[number].name : std::string(exception_class(number).name);
}

std::string known_of(std::uint32_t number) {
  const std::vector<Known>& all = all_known();
  if (number < all.size()) return all[number].name;
  const std::string_view base = python_only[number - all.size()].base;
  const std::optional<std::uint32_t> found = find_exception_class({"builtins", base});
  return found ? all[*found].name : "";
}

PythonClass python_class_of(std::string_view name) {
  const Known* known = find_known(name);
  return known != nullptr ? known->python : PythonClass{"builtins", "RuntimeError"};
}

bool has_error_number(std::string_view name) {
  const Known* known = find_known(name);
  return known != nullptr && known->has_code;
}

}  // namespace tutti::inline TUTTI_ABI::pickle
