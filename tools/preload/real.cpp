#include "preload/real.h"

#include <dlfcn.h>

namespace tutti::inline TUTTI_ABI::preload {

namespace {

// Of several versions of a symbol the default one: that is what programs of this century use.
template <typename Function>
void find(Function*& function, const char* name) noexcept {
  function = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

Real find_real() noexcept {
  Real real{};
  find(real.mutex_lock, "pthread_mutex_lock");
  find(real.mutex_trylock, "pthread_mutex_trylock");
  find(real.mutex_timedlock, "pthread_mutex_timedlock");
  find(real.mutex_clocklock, "pthread_mutex_clocklock");
  find(real.rwlock_rdlock, "pthread_rwlock_rdlock");
  find(real.rwlock_wrlock, "pthread_rwlock_wrlock");
  find(real.rwlock_tryrdlock, "pthread_rwlock_tryrdlock");
  find(real.rwlock_trywrlock, "pthread_rwlock_trywrlock");
  find(real.rwlock_timedrdlock, "pthread_rwlock_timedrdlock");
  find(real.rwlock_timedwrlock, "pthread_rwlock_timedwrlock");
  find(real.rwlock_clockrdlock, "pthread_rwlock_clockrdlock");
  find(real.rwlock_clockwrlock, "pthread_rwlock_clockwrlock");
  find(real.cond_wait, "pthread_cond_wait");
  find(real.cond_timedwait, "pthread_cond_timedwait");
  find(real.cond_clockwait, "pthread_cond_clockwait");
  find(real.barrier_wait, "pthread_barrier_wait");
  find(real.sem_wait, "sem_wait");
  find(real.sem_trywait, "sem_trywait");
  find(real.sem_timedwait, "sem_timedwait");
  find(real.sem_clockwait, "sem_clockwait");
  find(real.create, "pthread_create");
  find(real.join, "pthread_join");
  find(real.tryjoin, "pthread_tryjoin_np");
  find(real.timedjoin, "pthread_timedjoin_np");
  find(real.clockjoin, "pthread_clockjoin_np");
  find(real.setname, "pthread_setname_np");
  return real;
}

}  // namespace tutti::inline TUTTI_ABI::preload
