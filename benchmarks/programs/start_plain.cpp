// The smallest program that uses a lock of std's.
#include <mutex>

int main() {
  std::mutex lock;
  std::scoped_lock held(lock);
}
