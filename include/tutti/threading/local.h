// threading::Local<T> and threading::local: values that each thread has for itself.
#pragma once

#include <any>
#include <functional>
#include <memory>
#include <string>
#include <typeinfo>
#include <unordered_map>
#include <utility>

#include "tutti/config.h"

namespace tutti::inline TUTTI_ABI::threading {

/// The type-erased part of Local<T>: for each thread one object, made at first use and destroyed
/// when the thread ends or the Local is destroyed, whichever comes first.
class LocalStorage {
 public:
  using Factory = std::function<std::shared_ptr<void>()>;

  explicit LocalStorage(Factory factory);
  ~LocalStorage();
  LocalStorage(const LocalStorage&) = delete;
  LocalStorage& operator=(const LocalStorage&) = delete;

  /// The calling thread's object.
  void* get() const;

 private:
  class Table;
  std::shared_ptr<Table> table_;
};

/// A variable of which each thread has its own, also as a member of an object, where thread_local
/// is not allowed.
///
///     struct Session { int requests = 0; };
///     threading::Local<Session> session;
///     session->requests++;
///
/// Thread-safe; destroy it only while no thread uses it. Python counterpart: a subclass of
/// threading.local with attributes.
template <typename T>
class Local {
 public:
  /// Each thread's value begins as T().
  Local() requires std::default_initializable<T> : storage_([] { return std::make_shared<T>(); }) {}
  /// Each thread's value begins as what `make()` returns, called in that thread.
  explicit Local(std::function<T()> make)
      : storage_([make = std::move(make)] { return std::shared_ptr<void>(new T(make())); }) {}

  T& operator*() const { return *static_cast<T*>(storage_.get()); }
  T* operator->() const { return static_cast<T*>(storage_.get()); }

 private:
  LocalStorage storage_;
};

/// Attributes by name, which each thread has for itself.
///
///     threading::local mine;
///     mine["tname"] = std::string("main");
///     mine.get<std::string>("tname");
///
/// Thread-safe. Python counterpart: threading.local.
class local {
 public:
  /// The attribute, made empty if this thread has not set it.
  std::any& operator[](const std::string& name) { return (*attributes_)[name]; }

  /// The attribute's value. Throws AttributeError if this thread has not set it, TypeError if it
  /// was set as another type.
  template <typename T>
  T& get(const std::string& name) const {
    const auto found = attributes_->find(name);
    if (found == attributes_->end() || !found->second.has_value()) throw_missing(name);
    T* value = std::any_cast<T>(&found->second);
    if (value == nullptr) throw_other_type(name, found->second.type(), typeid(T));
    return *value;
  }

  template <typename T>
  void set(const std::string& name, T&& value) {
    (*attributes_)[name] = std::forward<T>(value);
  }

  /// True if this thread has set it. Python: hasattr.
  bool has(const std::string& name) const {
    const auto found = attributes_->find(name);
    return found != attributes_->end() && found->second.has_value();
  }

  /// Removes it. Throws AttributeError if this thread has not set it. Python: del.
  void erase(const std::string& name) {
    if (!has(name)) throw_missing(name);
    attributes_->erase(name);
  }

 private:
  [[noreturn]] static void throw_missing(const std::string& name);
  [[noreturn]] static void throw_other_type(const std::string& name, const std::type_info& set,
                                            const std::type_info& asked);

  Local<std::unordered_map<std::string, std::any>> attributes_;
};

}  // namespace tutti::inline TUTTI_ABI::threading
