// The functions of pthread about threads: their start, name and end.
#include <pthread.h>

#include <cerrno>
#include <new>

#include "preload/real.h"
#include "preload/thread.h"
#include "preload/wait.h"

using tutti::preload::real;
using tutti::preload::refresh_name;
using tutti::preload::register_thread;
using tutti::preload::this_thread;
using tutti::preload::Wait;
using tutti::preload::wait_and_look;
using tutti::runtime::WaitKind;

namespace {

struct Start {
  void* (*entry)(void*);
  void* argument;
};

void* begin(void* pointer) {
  auto* prepared = static_cast<Start*>(pointer);
  const Start start = *prepared;
  delete prepared;
  register_thread(this_thread());
  return start.entry(start.argument);
}

const void* as_object(pthread_t thread) noexcept {
  return reinterpret_cast<const void*>(thread);
}

}  // namespace

#define TUTTI_INTERPOSED extern "C" __attribute__((visibility("default")))

TUTTI_INTERPOSED int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                                    void* (*entry)(void*), void* argument) noexcept {
  auto* start = new (std::nothrow) Start{entry, argument};
  if (start == nullptr) return EAGAIN;
  const int error = real().create(thread, attributes, begin, start);
  if (error != 0) delete start;
  return error;
}

TUTTI_INTERPOSED int pthread_setname_np(pthread_t thread, const char* name) noexcept {
  const int error = real().setname(thread, name);
  if (error == 0 && pthread_equal(thread, pthread_self()) != 0) refresh_name(this_thread());
  return error;
}

TUTTI_INTERPOSED int pthread_join(pthread_t thread, void** result) {
  if (const int error = real().tryjoin(thread, result); error != EBUSY) return error;
  Wait wait(WaitKind::join, as_object(thread), Wait::Looks::yes);
  return wait_and_look(
      wait,
      [=](const timespec* due) { return real().clockjoin(thread, result, CLOCK_MONOTONIC, due); },
      [=] { return real().join(thread, result); });
}

TUTTI_INTERPOSED int pthread_timedjoin_np(pthread_t thread, void** result, const timespec* until) {
  if (const int error = real().tryjoin(thread, result); error != EBUSY) return error;
  const Wait wait(WaitKind::join, as_object(thread), until, CLOCK_REALTIME);
  return real().timedjoin(thread, result, until);
}

TUTTI_INTERPOSED int pthread_clockjoin_np(pthread_t thread, void** result, clockid_t clock,
                                          const timespec* until) {
  if (const int error = real().tryjoin(thread, result); error != EBUSY) return error;
  const Wait wait(WaitKind::join, as_object(thread), until, clock);
  return real().clockjoin(thread, result, clock, until);
}
