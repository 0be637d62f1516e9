// Calls as tasks of a pool of processes: what is called and with what, as bytes, and the future of
// what comes of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "tutti/errors.h"
#include "tutti/futures/future.h"
#include "tutti/multiprocessing/task_owner.h"
#include "tutti/pickle/packed.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

// --- functions -----------------------------------------------------------------------------------

/// Its type says all: a lambda without captures, std::plus<>.
template <typename F>
concept Stateless = std::is_empty_v<F> && std::is_default_constructible_v<F>;
/// Workers have it, too, if perhaps elsewhere: see TaskWriter.
template <typename F>
concept CodePointer = (std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>) ||
                      std::is_member_function_pointer_v<F>;

template <typename F>
concept CallableElsewhere = Stateless<F> || CodePointer<F> || pickle::Packable<F>;

/// The error for what can't be.
template <typename F>
consteval void must_be_callable_elsewhere() {
  static_assert(
      CallableElsewhere<F>,
      "a closure with captures can't be given to a pool of processes, because its captures can't "
      "be "
      "seen: pass the values as arguments, use fork_map, or a function object that can be packed");
}

template <typename F>
std::size_t packed_size_of_function(const F& function) {
  if constexpr (Stateless<F>) {
    return 0;
  } else if constexpr (CodePointer<F>) {
    return sizeof(F);
  } else {
    return pickle::packed_size(function);
  }
}
template <typename F>
void pack_function(TaskWriter& writer, const F& function) {
  if constexpr (Stateless<F>) {
  } else if constexpr (std::is_member_function_pointer_v<F>) {
    writer.write_member_function(&function);
  } else if constexpr (CodePointer<F>) {
    writer.write_address(reinterpret_cast<std::uintptr_t>(function));
  } else {
    pickle::pack(writer, function);
  }
}
template <typename F>
F unpack_function(TaskReader& reader) {
  if constexpr (Stateless<F>) {
    return F{};
  } else if constexpr (std::is_member_function_pointer_v<F>) {
    F function{};
    reader.read_member_function(&function);
    return function;
  } else if constexpr (CodePointer<F>) {
    return reinterpret_cast<F>(reader.read_address());
  } else {
    return pickle::unpack<F>(reader);
  }
}

template <typename F>
std::string name_of_packed_function(TaskReader& reader) {
  std::uintptr_t address = 0;
  if constexpr (std::is_pointer_v<F>) address = reader.read_address();
  return name_of_function(address, typeid(F).name());
}

// --- arguments -----------------------------------------------------------------------------------

template <typename... T>
struct Parameters {
  static constexpr std::size_t count = sizeof...(T);
  template <std::size_t i>
  using At = std::tuple_element_t<i, std::tuple<T...>>;
};

/// What a function says that it takes; void if that is not one thing.
template <typename F>
struct ParametersOf {
  using Type = void;
};
template <typename R, typename... P>
struct ParametersOf<R (*)(P...)> {
  using Type = Parameters<P...>;
};
template <typename R, typename... P>
struct ParametersOf<R (*)(P...) noexcept> {
  using Type = Parameters<P...>;
};
template <typename F>
struct OfCallOperator : ParametersOf<F> {};
template <typename C, typename R, typename... P>
struct OfCallOperator<R (C::*)(P...)> : ParametersOf<R (*)(P...)> {};
template <typename C, typename R, typename... P>
struct OfCallOperator<R (C::*)(P...) const> : ParametersOf<R (*)(P...)> {};
template <typename C, typename R, typename... P>
struct OfCallOperator<R (C::*)(P...) noexcept> : ParametersOf<R (*)(P...)> {};
template <typename C, typename R, typename... P>
struct OfCallOperator<R (C::*)(P...) const noexcept> : ParametersOf<R (*)(P...)> {};
template <typename F>
requires requires {
  &F::operator();
}
struct ParametersOf<F> : OfCallOperator<decltype(&F::operator())> {};

/// What crosses for a `Given` argument, if nothing else is said: text for what points to text.
template <typename Given>
using PlainArgument = std::conditional_t<std::is_same_v<std::decay_t<Given>, const char*> ||
                                             std::is_same_v<std::decay_t<Given>, char*> ||
                                             std::is_same_v<std::decay_t<Given>, std::string_view>,
                                         std::string, std::decay_t<Given>>;

template <typename Wanted, typename Given>
struct ArgumentFor {
  using Type = PlainArgument<Given>;
};
template <typename Wanted, typename Given>
requires(pickle::Packable<std::decay_t<Wanted>>&& std::is_constructible_v<
         std::decay_t<Wanted>, Given>) struct ArgumentFor<Wanted, Given> {
  using Type = std::decay_t<Wanted>;
};

/// What crosses for the `i`th argument of `F`, given as `Given`: what the function takes, if that
/// can cross and be made of it.
template <typename F, std::size_t i, typename Given>
constexpr auto argument_type() {
  using P = typename ParametersOf<F>::Type;
  if constexpr (std::is_void_v<P>) {
    return std::type_identity<PlainArgument<Given>>{};
  } else if constexpr (i >= P::count) {
    return std::type_identity<PlainArgument<Given>>{};
  } else {
    return std::type_identity<typename ArgumentFor<typename P::template At<i>, Given>::Type>{};
  }
}
template <typename F, std::size_t i, typename Given>
using Argument = typename decltype(argument_type<F, i, Given>())::type;

/// Refers to what is given if it is what crosses, and is made of it otherwise.
template <typename Wanted, typename Given>
using Held = std::conditional_t<std::is_same_v<Wanted, std::remove_cvref_t<Given>>, const Wanted&,
                                const Wanted>;

// --- calls ---------------------------------------------------------------------------------------

/// What a call's future is of: a value.
template <typename F, typename... Args>
using ResultOf = std::remove_cvref_t<std::invoke_result_t<F&, Args...>>;

template <typename R>
void commit_result(TaskResult& result, const R& value) {
  result.enter(TaskResult::Stage::packing);
  pickle::Writer writer(result.room(pickle::packed_size(value)));
  pickle::pack(writer, value);
  result.commit(writer.written());
}

template <typename F, typename... Args>
void run_call(TaskReader& task, TaskResult& result) {
  auto function = unpack_function<F>(task);
  // Braces, because they are evaluated in order.
  std::tuple<Args...> arguments{pickle::unpack<Args>(task)...};
  result.enter(TaskResult::Stage::calling);
  const auto call = [&](Args&... argument) -> decltype(auto) {
    return std::invoke(function, std::move(argument)...);
  };
  if constexpr (std::is_void_v<ResultOf<F, Args...>>) {
    std::apply(call, arguments);
    result.commit(0);
  } else {
    commit_result<ResultOf<F, Args...>>(result, std::apply(call, arguments));
  }
}

template <typename F, typename... Args>
inline constexpr TaskKind call_kind{run_call<F, Args...>, name_of_packed_function<F>};

/// The future of a task's result, and whom that goes to.
template <typename T>
class CallState final : public futures::ResultState<T>, public TaskOwner {
 public:
  using Value = T;

  /// Called with the result, or the exception, before anybody sees it.
  std::function<void(const std::conditional_t<std::is_void_v<T>, std::monostate, T>&)> callback;
  std::function<void(std::exception_ptr)> error_callback;

  void hold() noexcept override { this->retain(); }
  void let_go() noexcept override { this->release(); }
  bool begin(std::uint32_t /*index*/) noexcept override { return this->claim(); }
  void cancelled(std::uint32_t /*index*/) noexcept override { this->cancel(); }

  void arrived(std::uint32_t /*index*/, pickle::Reader& result) override {
    if (!take()) return;
    if constexpr (std::is_void_v<T>) {
      this->keep();
    } else {
      this->keep(pickle::unpack<T>(result));
    }
    if (callback) {
      futures::call_back(
          [](void* self) {
            auto& state = *static_cast<CallState*>(self);
            if constexpr (std::is_void_v<T>) {
              state.callback({});
            } else {
              state.callback(state.kept());
            }
          },
          this);
    }
    this->finish();
  }

  void failed(std::uint32_t /*index*/, const std::exception_ptr& exception) noexcept override {
    if (!take()) return;
    if (error_callback) {
      std::pair<CallState*, std::exception_ptr> call(this, exception);
      futures::call_back(
          [](void* argument) {
            auto& [state, error] = *static_cast<decltype(call)*>(argument);
            state->error_callback(error);
          },
          &call);
    }
    this->finish(exception);
  }

 private:
  // False if it was cancelled, or the program has set it itself.
  bool take() noexcept {
    if (is_taken_) return true;
    try {
      this->begin_setting();
      is_taken_ = true;
    } catch (const futures::InvalidStateError&) {
    }
    return is_taken_;
  }

  bool is_taken_ = false;
};

/// Makes the call a task. A function of the program's that packs an argument and throws, fails the
/// task alone.
template <typename T, typename F, typename... Args, typename... Given>
void submit_packed(WorkerPool& pool, CallState<T>& state, const F& function,
                   std::type_identity<std::tuple<Args...>>, Given&&... given) {
  const std::tuple<Held<Args, Given>...> arguments(std::forward<Given>(given)...);
  std::exception_ptr failure;
  std::size_t size = sizeof(const TaskKind*);
  try {
    size += packed_size_of_function(function);
    std::apply([&](const auto&... each) { ((size += pickle::packed_size(each)), ...); }, arguments);
  } catch (...) {
    failure = not_packed("the arguments of a task can't be packed");
  }
  // Also in this case, to find out whether the pool takes tasks.
  NewTask task(pool, size);
  if (failure == nullptr) {
    try {
      TaskWriter writer(task);
      writer.write_address(reinterpret_cast<std::uintptr_t>(&call_kind<F, Args...>));
      pack_function(writer, function);
      std::apply([&](const auto&... each) { (pickle::pack(writer, each), ...); }, arguments);
    } catch (...) {
      failure = not_packed("the arguments of a task can't be packed");
    }
  }
  if (failure == nullptr) {
    task.submit(state, 0);
  } else {
    task.fail(state, 0, failure);
  }
}

template <typename F, typename... Given, std::size_t... i>
auto arguments_of(std::index_sequence<i...>)
    -> std::type_identity<std::tuple<Argument<F, i, Given>...>>;

/// The types of the arguments as they cross.
template <typename F, typename... Given>
using ArgumentsOf = decltype(arguments_of<F, Given...>(std::index_sequence_for<Given...>{}));

template <typename F, typename Arguments>
struct CallOf;
template <typename F, typename... Args>
struct CallOf<F, std::type_identity<std::tuple<Args...>>> {
  static consteval void check() {
    must_be_callable_elsewhere<F>();
    (pickle::must_cross<Args>(), ...);
    static_assert(std::is_invocable_v<F&, Args...>,
                  "the function can't be called with copies of these arguments");
    using Returned = std::invoke_result_t<F&, Args...>;
    if constexpr (!std::is_void_v<Returned>) pickle::must_cross<std::remove_cvref_t<Returned>>();
  }
  using Result = ResultOf<F, Args...>;
};

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
