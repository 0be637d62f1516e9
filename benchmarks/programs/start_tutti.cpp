// The smallest program that uses a lock of tutti's. The ident makes sure that all that tutti does
// at the start of a program is linked in and has been done.
#include <mutex>

#include "tutti/threading.h"

int main() {
  tutti::threading::Lock lock;
  std::scoped_lock held(lock);
  return tutti::threading::get_ident() != 0 ? 0 : 1;
}
