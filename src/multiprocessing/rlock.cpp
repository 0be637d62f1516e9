#include "tutti/multiprocessing/rlock.h"

#include <utility>

#include "multiprocessing/owned_lock.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

RLock::RLock() : SharedObject(sizeof(OwnedLock), "tutti-rlock") {}

RLock::RLock(std::string name) : RLock() {
  set_name(std::move(name));
}

LockRef RLock::ref() const noexcept {
  return {&state<OwnedLock>(), runtime::WaitKind::rlock, this};
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
