// Connections and shared memory given to processes that are no copies of their parent.
#include <gtest/gtest.h>

#include <cstddef>

#include "support/throws.h"
#include "tutti/multiprocessing.h"

namespace tests {

using tutti::multiprocessing::Connection;
using tutti::multiprocessing::get_context;
using tutti::multiprocessing::Pipe;
using tutti::multiprocessing::SharedMemory;

namespace {

void fill(const SharedMemory& memory, const Connection& connection) {
  for (std::byte& byte : memory.buf()) byte = std::byte{7};
  connection.send(memory.size());
}

}  // namespace

TEST(SpawnPassing, ASpawnedProcessHasItsOwnHandles) {
  const SharedMemory memory({.create = true, .size = 100});
  auto [here, there] = Pipe();
  auto process = get_context("spawn").Process(fill, memory, there);
  process.start();
  there.close();
  EXPECT_EQ(here.recv<std::size_t>(), 100u);
  EXPECT_EQ(memory.buf()[99], std::byte{7});
  EXPECT_TRUE(throws<tutti::EOFError>([&] { here.recv(); }));
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
  // The child has only attached.
  EXPECT_EQ(SharedMemory(memory.name()).buf()[0], std::byte{7});
  memory.unlink();
}

}  // namespace tests
