// Connections and shared memory as arguments of a process that is started anew.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <vector>

#include "support/throws.h"
#include "tutti/multiprocessing/connection.h"
#include "tutti/multiprocessing/shared_memory.h"
#include "tutti/pickle/packed.h"

namespace tests {

namespace pickle = tutti::pickle;
using tutti::multiprocessing::Connection;
using tutti::multiprocessing::Pipe;
using tutti::multiprocessing::SharedMemory;

// To the same process.
class Duplicates : public pickle::Passage {
 public:
  int add_descriptor(int descriptor) override {
    added_.push_back(dup(descriptor));
    return static_cast<int>(added_.size()) - 1;
  }
  int take_descriptor(int index) override { return added_.at(static_cast<std::size_t>(index)); }

 private:
  std::vector<int> added_;
};

template <typename T>
T passed(const T& value) {
  Duplicates passage;
  std::vector<std::byte> bytes(pickle::packed_size(value));
  pickle::Writer writer(bytes, &passage);
  pickle::pack(writer, value);
  pickle::Reader reader(bytes, &passage);
  return pickle::unpack<T>(reader);
}

TEST(Passing, AConnectionCrossesWithItsDirections) {
  auto [reader, writer] = Pipe(false);
  const Connection other_writer = passed(writer);
  EXPECT_TRUE(!other_writer.readable() && other_writer.writable());
  writer.close();
  other_writer.send_bytes("x");
  const Connection other_reader = passed(reader);
  EXPECT_EQ(other_reader.recv_bytes().size(), 1u);
}

TEST(Passing, AClosedConnectionDoesNotCross) {
  auto [one, other] = Pipe();
  one.close();
  EXPECT_TRUE(throws<tutti::OSError>([&] { passed(one); }, {"handle is closed"}));
}

TEST(Passing, AConnectionCrossesAsAnArgumentOnly) {
  auto [one, other] = Pipe();
  std::vector<std::byte> bytes(pickle::packed_size(one));
  pickle::Writer writer(bytes);
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { pickle::pack(writer, one); }, {"Connection"}));
}

TEST(Passing, SharedMemoryCrossesByItsName) {
  const SharedMemory memory({.create = true, .size = 10});
  const SharedMemory other = passed(memory);
  EXPECT_FALSE(other == memory);
  other.buf()[3] = std::byte{7};
  EXPECT_EQ(memory.buf()[3], std::byte{7});
  memory.unlink();
}

}  // namespace tests
