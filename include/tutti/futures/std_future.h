// Between tutti's futures and those of the standard library.
#pragma once

#include <future>
#include <memory>
#include <type_traits>
#include <utility>

#include "tutti/futures/executor.h"

namespace tutti::inline TUTTI_ABI::futures {

/// A std::future that gets what `future` gets: its result (a copy, or the result itself if that can
/// only be moved), its exception, or CancelledError.
template <typename T>
std::future<T> to_std(const Future<T>& future) {
  std::promise<T> promise;
  std::future<T> result = promise.get_future();
  future.add_done_callback([promise = std::move(promise)](Future<T> done) mutable {
    try {
      if constexpr (std::is_void_v<T>) {
        std::move(done).result();
        promise.set_value();
      } else {
        promise.set_value(std::move(done).result());
      }
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
  });
  return result;
}

/// The future of a call, made by `executor`, that waits for `future`: a std::future can't tell when
/// it is done, so one of the executor's threads is kept until then.
template <typename T>
Future<T> from_std(Executor& executor, std::future<T> future) {
  return executor.submit([future = std::move(future)]() mutable { return future.get(); });
}

}  // namespace tutti::inline TUTTI_ABI::futures
