// Connections to Python's own: the other end is CPython's multiprocessing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "support/python.h"
#include "support/throws.h"
#include "tutti/multiprocessing/connection.h"
#include "tutti/multiprocessing/reduction.h"

namespace tests {

using tutti::multiprocessing::Connection;
using tutti::multiprocessing::Pipe;
using tutti::multiprocessing::connection::Bytes;
namespace reduction = tutti::multiprocessing::reduction;

// A Python program with `connection`, one end of a duplex pipe.
class PythonConnection : public testing::Test {
 protected:
  Connection run(const std::string& body) {
    auto [here, there] = Pipe();
    python_.emplace(
        "import os, sys\n"
        "from multiprocessing import reduction\n"
        "from multiprocessing.connection import Connection\n"
        "connection = Connection(int(sys.argv[1]))\n" +
            body,
        std::vector{std::to_string(there.fileno())}, std::initializer_list<int>{there.fileno()});
    return here;
  }
  int join() { return python_->join(); }
  void kill() { python_->kill(); }

 private:
  std::optional<Python> python_;
};

TEST_F(PythonConnection, BytesOfAnyLengthGoThereAndBack) {
  const Connection connection =
      run("try:\n"
          "    while True: connection.send_bytes(connection.recv_bytes())\n"
          "except EOFError: pass\n");
  std::mt19937 random(3);
  // Around the limits of what CPython sends in one piece, and what we take memory for at once.
  for (const std::size_t size : {0, 1, 4096, 16384, 16385, 65536, 1 << 20, (3 << 20) + 1}) {
    Bytes bytes(size);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    connection.send_bytes(bytes);
    ASSERT_TRUE(connection.recv_bytes() == bytes) << size;
  }
  connection.close();
  EXPECT_EQ(join(), 0);
}

TEST_F(PythonConnection, ValuesGoThereAndBack) {
  const Connection connection =
      run("try:\n"
          "    while True: connection.send(connection.recv())\n"
          "except EOFError: pass\n");
  const auto echo = [&]<typename T>(const T& value) {
    connection.send(value);
    return connection.recv<T>() == value;
  };
  EXPECT_TRUE(echo(std::int64_t{-5'000'000'000}));
  EXPECT_TRUE(echo(std::string("Grüße")));
  EXPECT_TRUE(echo(std::vector<double>{1.5, -0.25}));
  EXPECT_TRUE(echo(std::map<std::string, std::vector<int>>{{"one", {1}}, {"none", {}}}));
  EXPECT_TRUE(echo(std::tuple(std::optional<int>(), true, std::string(1 << 20, 'x'))));
  connection.close();
  EXPECT_EQ(join(), 0);
}

TEST_F(PythonConnection, ItsValuesAreReadWhateverTheyAre) {
  const Connection connection =
      run("connection.send({'name': 'tea', 'sizes': [1, 2], 'price': 2.5, 'sold': None})\n"
          "assert connection.recv() == ['done', 1, None]\n");
  const tutti::pickle::Object message = connection.recv();
  EXPECT_EQ(message["name"].as<std::string>(), "tea");
  EXPECT_EQ(message["sizes"].as<std::vector<int>>(), (std::vector{1, 2}));
  EXPECT_EQ(message["sold"].as<std::optional<int>>(), std::nullopt);
  using Element = std::variant<std::monostate, int, std::string>;
  connection.send(std::vector<Element>{"done", 1, std::monostate()});
  EXPECT_EQ(join(), 0);
}

TEST_F(PythonConnection, ItsEndIsOurEndOfMessages) {
  const Connection connection = run("connection.send_bytes(b'last'); connection.close()");
  EXPECT_EQ(connection.recv_bytes().size(), 4u);
  EXPECT_TRUE(throws<tutti::EOFError>([&] { connection.recv_bytes(); }));
  EXPECT_EQ(join(), 0);
}

TEST_F(PythonConnection, AKilledOneIsAnEndToo) {
  const Connection connection =
      run("connection._send(b'\\0\\0\\0\\x09part')\n"
          "connection.recv_bytes()\n");
  EXPECT_TRUE(connection.poll(tutti::forever));
  kill();
  join();
  EXPECT_TRUE(throws<tutti::EOFError>([&] { connection.recv_bytes(); }, {"4 of 9 bytes"}));
}

// Only the announcement is sent: three gibibytes are to be refused, not received.
TEST_F(PythonConnection, LengthsBeyondTwoGibibytesAreUnderstoodOnBothSides) {
  const Connection connection =
      run("import struct\n"
          "connection._send(struct.pack('!iQ', -1, 3 << 30))\n"
          "try: connection.recv_bytes(1000)\n"
          "except OSError: sys.exit(7)\n");
  EXPECT_TRUE(throws<tutti::OSError>([&] { connection.recv_bytes(1000); }, {"3221225472 bytes"}));
  constexpr std::string_view announcement("\xff\xff\xff\xff\0\0\0\0\xc0\0\0\0", 12);
  EXPECT_EQ(write(connection.fileno(), announcement.data(), announcement.size()), 12);
  EXPECT_EQ(join(), 7);
}

TEST_F(PythonConnection, HandlesGoThereAndBack) {
  const Connection connection =
      run("pipe = reduction.recv_handle(connection)\n"
          "os.write(pipe, b'from python')\n"
          "r, w = os.pipe()\n"
          "reduction.send_handle(connection, r, os.getppid())\n"
          "os.write(w, b'again')\n");
  auto [reader, writer] = Pipe(false);
  reduction::send_handle(connection, writer.fileno());
  char text[16] = {};
  EXPECT_EQ(read(reader.fileno(), text, sizeof text), 11);
  EXPECT_STREQ(text, "from python");
  const Connection received(reduction::recv_handle(connection), true, false);
  EXPECT_EQ(fcntl(received.fileno(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(read(received.fileno(), text, 5), 5);
  EXPECT_EQ(std::string_view(text, 5), "again");
  EXPECT_EQ(join(), 0);
}

TEST(Reduction, WhatIsNoHandleIsRefused) {
  auto [one, other] = Pipe();
  EXPECT_EQ(write(other.fileno(), "\1", 1), 1);
  EXPECT_TRUE(throws<tutti::RuntimeError>([&] { reduction::recv_handle(one); },
                                          {"what came is something else"}));
  EXPECT_TRUE(throws<tutti::OSError>([&] { reduction::send_handle(one, -1); }));
  auto [reader, writer] = Pipe(false);
  EXPECT_TRUE(throws<tutti::OSError>([&] { reduction::send_handle(writer, 0); }, {"socket"}));
}

// They are not taken by a receiver that does not ask for them.
TEST(Reduction, ADescriptorThatNobodyWantsIsClosed) {
  auto [one, other] = Pipe();
  auto [reader, writer] = Pipe(false);
  reduction::send_handle(one, writer.fileno());
  writer.close();
  char byte;
  EXPECT_EQ(read(other.fileno(), &byte, 1), 1);
  EXPECT_TRUE(throws<tutti::EOFError>([&] { reader.recv_bytes(); }));
}

}  // namespace tests
