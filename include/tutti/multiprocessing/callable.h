// What a process runs: any invocable with its arguments, moved into one object; and how it goes to
// a process that does not share this one's memory.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "tutti/pickle/packed.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

/// A function of this program, as another process that runs the same program finds it, wherever its
/// modules lie in memory there. Crosses between processes as any aggregate.
struct FunctionName {
  /// The path of the shared library; empty for the program itself.
  std::string module;
  /// By which the module is known to be the same: the linker's build id, or else a hash of the
  /// code that is loaded.
  std::string build;
  /// From where the module begins in memory.
  std::uint64_t offset = 0;
};

/// Throws RuntimeError if `function` lies in no module: code that was made at run time.
FunctionName name_function(std::uintptr_t function);
/// The same function in this process; a library that is not loaded is loaded. Throws RuntimeError
/// if that can't be done, or if the module is another build.
std::uintptr_t find_function(const FunctionName& name);

/// What tells a process that shares no memory with this one what to call.
class Crossing {
 public:
  /// Reads what write() has written, and calls it.
  using Entry = void (*)(pickle::Reader&);

  virtual ~Crossing() = default;
  virtual Entry entry() const noexcept = 0;
  virtual std::size_t size() const = 0;
  virtual void write(pickle::Writer& writer) const = 0;
};

/// What a Callable calls, and how that goes to another process.
class Invocation {
 public:
  virtual ~Invocation() = default;
  /// Once.
  virtual void call() = 0;
  /// Null if it can't be sent: then obstacle() says why. Lives as long as this.
  virtual const Crossing* crossing() const noexcept = 0;
  /// "its argument 2, of type 'char const*', can't cross between processes".
  virtual std::string obstacle() const = 0;
};

/// A move-only function object without arguments and result; empty by default. Made from any
/// invocable: functions, lambdas (move-only ones too), member functions with their object.
/// Arguments are copied or moved in; what a forked child changes in them, its parent does not see.
///
/// It can also be sent to a process that is not forked (start methods spawn and forkserver) if the
/// function is a plain one, a lambda without captures, or an object that crosses between processes
/// (see tutti/pickle/packed.h), and all arguments cross.
class Callable {
 private:
  template <typename F, typename... Args>
  struct Bound;
  template <typename F, typename... Args>
  struct CrossingBound;

  template <typename F>
  static constexpr bool is_function =
      std::is_pointer_v<F>&& std::is_function_v<std::remove_pointer_t<F>>;
  template <typename F, typename... Args>
  static constexpr bool can_cross = (is_function<F> ||
                                     pickle::Packable<F>)&&(pickle::Packable<Args>&&...);

  template <typename F, typename... Args>
  using BoundOf =
      std::conditional_t<can_cross<F, Args...>, CrossingBound<F, Args...>, Bound<F, Args...>>;

 public:
  Callable() noexcept = default;

  template <typename F, typename... Args>
  requires(!std::same_as<std::decay_t<F>, Callable>) &&
      std::invocable<std::decay_t<F>, std::decay_t<Args>...> Callable(F&& function, Args&&... args)
      : bound_(std::make_unique<BoundOf<std::decay_t<F>, std::decay_t<Args>...>>(
            std::forward<F>(function), std::forward<Args>(args)...)) {}
  /// For what crosses in a way of its own.
  explicit Callable(std::unique_ptr<Invocation> invocation) noexcept
      : bound_(std::move(invocation)) {}

  explicit operator bool() const noexcept { return bound_ != nullptr; }
  /// Calls the function, once; the arguments are moved into it.
  void operator()() { bound_->call(); }

  /// Destroys the function and its arguments, but gives no memory back: for a process that ends
  /// after that.
  void destroy_in_place() noexcept {
    if (Invocation* const bound = bound_.release()) bound->~Invocation();
  }

  /// As Invocation's.
  const Crossing* crossing() const noexcept { return bound_->crossing(); }
  std::string obstacle() const { return bound_->obstacle(); }

 private:
  /// Names the first that can't cross: the 0th is the function.
  static std::string describe_obstacle(std::size_t index, const std::type_info& type);

  template <typename F, typename... Args>
  struct Bound : Invocation {
    template <typename G, typename... Given>
    explicit Bound(G&& g, Given&&... given)
        : function(std::forward<G>(g)), args(std::forward<Given>(given)...) {}
    void call() override {
      std::apply([this](Args&... a) { std::invoke(std::move(function), std::move(a)...); }, args);
    }
    const Crossing* crossing() const noexcept override { return nullptr; }
    std::string obstacle() const override {
      if constexpr (!is_function<F> && !pickle::Packable<F>) {
        return describe_obstacle(0, typeid(F));
      } else {
        std::size_t index = 0;
        std::string found;
        const auto look = [&]<typename Arg>() {
          ++index;
          if (found.empty() && !pickle::Packable<Arg>)
            found = describe_obstacle(index, typeid(Arg));
        };
        (look.template operator()<Args>(), ...);
        return found;
      }
    }
    F function;
    std::tuple<Args...> args;
  };

  template <typename F, typename... Args>
  struct CrossingBound final : Bound<F, Args...>, Crossing {
    using Bound<F, Args...>::Bound;
    const Crossing* crossing() const noexcept override { return this; }
    Entry entry() const noexcept override { return read_and_call; }
    std::size_t size() const override {
      return std::apply(
          [this](const Args&... a) {
            return (pickle::packed_size(sent(this->function)) + ... + pickle::packed_size(a));
          },
          this->args);
    }
    void write(pickle::Writer& writer) const override {
      pickle::pack(writer, sent(this->function));
      std::apply([&](const Args&... a) { (pickle::pack(writer, a), ...); }, this->args);
    }

    static void read_and_call(pickle::Reader& reader) {
      F function = read_function(reader);
      // Braces, because they are evaluated in order.
      std::tuple<Args...> args{pickle::unpack<Args>(reader)...};
      std::apply([&](Args&... a) { std::invoke(std::move(function), std::move(a)...); }, args);
    }
    static decltype(auto) sent(const F& function) {
      if constexpr (is_function<F>) {
        return name_function(reinterpret_cast<std::uintptr_t>(function));
      } else {
        return function;
      }
    }
    static F read_function(pickle::Reader& reader) {
      if constexpr (is_function<F>) {
        return reinterpret_cast<F>(find_function(pickle::unpack<FunctionName>(reader)));
      } else {
        return pickle::unpack<F>(reader);
      }
    }
  };

  std::unique_ptr<Invocation> bound_;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
