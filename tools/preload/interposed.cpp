// The functions of pthread that programs call: each tries without waiting first, and only a thread
// that has to wait says so in the registry.
#include <pthread.h>
#include <semaphore.h>

#include <cerrno>

#include "preload/real.h"
#include "preload/wait.h"

using tutti::preload::real;
using tutti::preload::Wait;
using tutti::preload::wait_and_look;
using tutti::runtime::WaitKind;

namespace {

// One that lends its owner the priority of those that wait can't be waited for by the monotonic
// clock on older kernels. The others of a ring see the wait.
bool can_look(const pthread_mutex_t* mutex) noexcept {
  constexpr int inherits_priority = 32;
  return (mutex->__data.__kind & inherits_priority) == 0;
}

__attribute__((noinline)) int lock_slowly(pthread_mutex_t* mutex) {
  Wait wait(WaitKind::mutex, mutex, can_look(mutex) ? Wait::Looks::yes : Wait::Looks::no);
  return wait_and_look(
      wait,
      [mutex](const timespec* due) { return real().mutex_clocklock(mutex, CLOCK_MONOTONIC, due); },
      [mutex] { return real().mutex_lock(mutex); });
}

template <typename Clocklock, typename Lock>
int lock_slowly(pthread_rwlock_t* lock, Clocklock clocklock, Lock lock_for_good) {
  Wait wait(WaitKind::rwlock, lock, Wait::Looks::yes);
  return wait_and_look(
      wait, [=](const timespec* due) { return clocklock(lock, CLOCK_MONOTONIC, due); },
      [=] { return lock_for_good(lock); });
}

// A condition keeps in this word which clock its time-outs are by.
clockid_t clock_of(const pthread_cond_t* condition) noexcept {
  constexpr unsigned is_monotonic = 2;
  return (condition->__data.__wrefs & is_monotonic) != 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

}  // namespace

#define TUTTI_INTERPOSED extern "C" __attribute__((visibility("default")))

// --- mutexes -------------------------------------------------------------------------------------

TUTTI_INTERPOSED int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  const int result = real().mutex_trylock(mutex);
  return result != EBUSY ? result : lock_slowly(mutex);
}

TUTTI_INTERPOSED int pthread_mutex_timedlock(pthread_mutex_t* mutex,
                                             const timespec* until) noexcept {
  const int result = real().mutex_trylock(mutex);
  if (result != EBUSY) return result;
  const Wait wait(WaitKind::mutex, mutex, until, CLOCK_REALTIME);
  return real().mutex_timedlock(mutex, until);
}

TUTTI_INTERPOSED int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                                             const timespec* until) noexcept {
  const int result = real().mutex_trylock(mutex);
  if (result != EBUSY) return result;
  const Wait wait(WaitKind::mutex, mutex, until, clock);
  return real().mutex_clocklock(mutex, clock, until);
}

// --- rwlocks -------------------------------------------------------------------------------------

TUTTI_INTERPOSED int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  const int result = real().rwlock_tryrdlock(lock);
  if (result != EBUSY) return result;
  return lock_slowly(lock, real().rwlock_clockrdlock, real().rwlock_rdlock);
}

TUTTI_INTERPOSED int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  const int result = real().rwlock_trywrlock(lock);
  if (result != EBUSY) return result;
  return lock_slowly(lock, real().rwlock_clockwrlock, real().rwlock_wrlock);
}

TUTTI_INTERPOSED int pthread_rwlock_timedrdlock(pthread_rwlock_t* lock,
                                                const timespec* until) noexcept {
  const int result = real().rwlock_tryrdlock(lock);
  if (result != EBUSY) return result;
  const Wait wait(WaitKind::rwlock, lock, until, CLOCK_REALTIME);
  return real().rwlock_timedrdlock(lock, until);
}

TUTTI_INTERPOSED int pthread_rwlock_timedwrlock(pthread_rwlock_t* lock,
                                                const timespec* until) noexcept {
  const int result = real().rwlock_trywrlock(lock);
  if (result != EBUSY) return result;
  const Wait wait(WaitKind::rwlock, lock, until, CLOCK_REALTIME);
  return real().rwlock_timedwrlock(lock, until);
}

TUTTI_INTERPOSED int pthread_rwlock_clockrdlock(pthread_rwlock_t* lock, clockid_t clock,
                                                const timespec* until) noexcept {
  const int result = real().rwlock_tryrdlock(lock);
  if (result != EBUSY) return result;
  const Wait wait(WaitKind::rwlock, lock, until, clock);
  return real().rwlock_clockrdlock(lock, clock, until);
}

TUTTI_INTERPOSED int pthread_rwlock_clockwrlock(pthread_rwlock_t* lock, clockid_t clock,
                                                const timespec* until) noexcept {
  const int result = real().rwlock_trywrlock(lock);
  if (result != EBUSY) return result;
  const Wait wait(WaitKind::rwlock, lock, until, clock);
  return real().rwlock_clockwrlock(lock, clock, until);
}

// --- conditions ----------------------------------------------------------------------------------
//
// Never in slices: a signal that comes between two would be lost.

TUTTI_INTERPOSED int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  const Wait wait(WaitKind::condition, condition, Wait::Looks::no);
  return real().cond_wait(condition, mutex);
}

TUTTI_INTERPOSED int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                            const timespec* until) {
  const Wait wait(WaitKind::condition, condition, until, clock_of(condition));
  return real().cond_timedwait(condition, mutex, until);
}

TUTTI_INTERPOSED int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                            clockid_t clock, const timespec* until) {
  const Wait wait(WaitKind::condition, condition, until, clock);
  return real().cond_clockwait(condition, mutex, clock, until);
}

// --- barriers and semaphores ---------------------------------------------------------------------

TUTTI_INTERPOSED int pthread_barrier_wait(pthread_barrier_t* barrier) noexcept {
  const Wait wait(WaitKind::barrier, barrier, Wait::Looks::no);
  return real().barrier_wait(barrier);
}

// Waiting for a semaphore is a point of cancellation even if it is free.
TUTTI_INTERPOSED int sem_wait(sem_t* semaphore) {
  pthread_testcancel();
  const int error = errno;
  if (real().sem_trywait(semaphore) == 0) return 0;
  errno = error;
  const Wait wait(WaitKind::semaphore, semaphore, Wait::Looks::no);
  return real().sem_wait(semaphore);
}

TUTTI_INTERPOSED int sem_timedwait(sem_t* semaphore, const timespec* until) {
  pthread_testcancel();
  const int error = errno;
  if (real().sem_trywait(semaphore) == 0) return 0;
  errno = error;
  const Wait wait(WaitKind::semaphore, semaphore, until, CLOCK_REALTIME);
  return real().sem_timedwait(semaphore, until);
}

TUTTI_INTERPOSED int sem_clockwait(sem_t* semaphore, clockid_t clock, const timespec* until) {
  pthread_testcancel();
  const int error = errno;
  if (real().sem_trywait(semaphore) == 0) return 0;
  errno = error;
  const Wait wait(WaitKind::semaphore, semaphore, until, clock);
  return real().sem_clockwait(semaphore, clock, until);
}
