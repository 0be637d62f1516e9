#include "platform/life.h"

#include <linux/futex.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tutti::inline TUTTI_ABI::platform {

namespace {

using Words = std::array<std::uint32_t, sizeof(pthread_mutex_t) / sizeof(std::uint32_t)>;
static_assert(sizeof(Words) == sizeof(pthread_mutex_t));

pthread_mutex_t make_robust() noexcept {
  pthread_mutex_t mutex;
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
  return mutex;
}

}  // namespace

// By atomic stores of the words of another mutex, as others may read the state meanwhile.
void Life::renew() noexcept {
  if constexpr (!has_processes) return;
  static const pthread_mutex_t robust = make_robust();
  Words words;
  std::memcpy(words.data(), &robust, sizeof words);
  auto* to = reinterpret_cast<std::uint32_t*>(&mutex_);
  for (std::size_t i = 0; i < words.size(); ++i) {
    __atomic_store_n(to + i, words[i], __ATOMIC_RELAXED);
  }
}

// By trylock, since nobody else can hold it; and locks that are taken while this is held are in no
// order with it for those who watch the order of locks.
void Life::begin() noexcept {
  if constexpr (!has_processes) return;
  if (pthread_mutex_trylock(&mutex_) != 0) {
    std::fputs("tutti: the sign of life of a new thread is held already\n", stderr);
    std::abort();
  }
}

void Life::end() noexcept {
  if constexpr (!has_processes) return;
  pthread_mutex_unlock(&mutex_);
}

// The word that the kernel marks is the first of the mutex: the number of the holding thread, and
// FUTEX_OWNER_DIED. acquire: pairs with the mutex's release, so that what a thread has done to the
// end is seen by who has seen the end.
Life::State Life::state() const noexcept {
  if constexpr (!has_processes) return State::held;
  const auto word =
      static_cast<std::uint32_t>(__atomic_load_n(&mutex_.__data.__lock, __ATOMIC_ACQUIRE));
  if ((word & FUTEX_OWNER_DIED) != 0) return State::died;
  return (word & FUTEX_TID_MASK) == 0 ? State::unheld : State::held;
}

}  // namespace tutti::inline TUTTI_ABI::platform
