// A pool of three connections for ten clients. A bounded semaphore counts the free ones: a client
// waits while there is none, and a connection that is given back twice is found out at once.
//
//     30 queries answered over 3 connections
//     given back twice: ValueError
#include <tutti/threading.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

using namespace tutti;

struct Connection {
  int queries = 0;
};

class ConnectionPool {
 public:
  ConnectionPool() {
    for (Connection& connection : connections) free_.push_back(&connection);
  }

  Connection* take() {
    free_places_.acquire();
    std::scoped_lock held(lock_);
    Connection* connection = free_.back();
    free_.pop_back();
    return connection;
  }

  void give_back(Connection* connection) {
    std::scoped_lock held(lock_);
    free_places_.release();  // Throws if none is missing, and then nothing has changed.
    free_.push_back(connection);
  }

  Connection connections[3];

 private:
  threading::BoundedSemaphore free_places_{3};
  threading::Lock lock_;
  std::vector<Connection*> free_;  // Guarded by the lock.
};

void ask(ConnectionPool& pool) {
  for (int i = 0; i < 3; ++i) {
    Connection* connection = pool.take();
    ++connection->queries;
    tutti::sleep(0.001);  // The answer takes its time.
    pool.give_back(connection);
  }
}

int main() {
  ConnectionPool pool;
  std::vector<threading::Thread> clients;
  for (int i = 0; i < 10; ++i) clients.emplace_back(ask, std::ref(pool)).start();
  for (auto& client : clients) client.join();
  int queries = 0;
  for (const Connection& connection : pool.connections) queries += connection.queries;
  std::printf("%d queries answered over 3 connections\n", queries);
  try {
    pool.give_back(&pool.connections[0]);
  } catch (const ValueError&) {
    std::puts("given back twice: ValueError");
  }
}
