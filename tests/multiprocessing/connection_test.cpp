// Connections: messages, their ends, and what is refused.
#include "tutti/multiprocessing/connection.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "support/forked.h"
#include "support/sanitizer.h"
#include "support/throws.h"
#include "support/until.h"
#include "tutti/thread.h"
#include "tutti/threading.h"

namespace tests {

using namespace std::literals;
using tutti::multiprocessing::BufferTooShort;
using tutti::multiprocessing::Connection;
using tutti::multiprocessing::Pipe;
using tutti::multiprocessing::connection::Bytes;
using tutti::multiprocessing::connection::wait;
using tutti::multiprocessing::connection::Waitable;

std::string text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Past the connection, as another program could.
void write_raw(const Connection& connection, std::string_view bytes) {
  ASSERT_EQ(write(connection.fileno(), bytes.data(), bytes.size()),
            static_cast<ssize_t>(bytes.size()));
}

std::string read_raw(const Connection& connection) {
  std::array<char, 256> bytes;
  const ssize_t size = read(connection.fileno(), bytes.data(), bytes.size());
  return {bytes.data(), static_cast<std::size_t>(size)};
}

bool is_in_io(const tutti::threading::Thread& thread) {
  return thread.state().to_string().find("I/O") != std::string::npos;
}

// --- both kinds of pipes -------------------------------------------------------------------------

class Pipes : public testing::TestWithParam<bool> {
 protected:
  std::pair<Connection, Connection> pipe = Pipe(GetParam());
  Connection& reader = pipe.first;
  Connection& writer = pipe.second;
};

INSTANTIATE_TEST_SUITE_P(Connection, Pipes, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "Duplex" : "OneWay"; });

TEST_P(Pipes, MessagesComeWholeAndInOrder) {
  writer.send_bytes("one");
  writer.send_bytes("");
  writer.send_bytes("three");
  EXPECT_EQ(text_of(reader.recv_bytes()), "one");
  EXPECT_EQ(text_of(reader.recv_bytes()), "");
  EXPECT_EQ(text_of(reader.recv_bytes()), "three");
}

TEST_P(Pipes, AMessageIsItsLengthAndItsBytes) {
  writer.send_bytes("abc");
  EXPECT_EQ(read_raw(reader), "\0\0\0\3abc"s);
}

TEST_P(Pipes, APartOfABufferCanBeSent) {
  writer.send_bytes("0123456789", 3);
  writer.send_bytes("0123456789", 3, 2);
  EXPECT_EQ(text_of(reader.recv_bytes()), "3456789");
  EXPECT_EQ(text_of(reader.recv_bytes()), "34");
}

TEST_P(Pipes, PartsThatAreNotInTheBufferAreRefused) {
  using tutti::ValueError;
  EXPECT_TRUE(throws<ValueError>([&] { writer.send_bytes("abc", -1); }, {"offset is negative"}));
  EXPECT_TRUE(throws<ValueError>([&] { writer.send_bytes("abc", 4); }, {"length < offset"}));
  EXPECT_TRUE(throws<ValueError>([&] { writer.send_bytes("abc", 0, -1); }, {"size is negative"}));
  EXPECT_TRUE(throws<ValueError>([&] { writer.send_bytes("abc", 2, 2); }, {"offset + size"}));
  EXPECT_TRUE(throws<ValueError>([&] { reader.recv_bytes(-1); }, {"negative maxlength"}));
  std::array<char, 3> room;
  EXPECT_TRUE(throws<ValueError>([&] { reader.recv_bytes_into(room, -1); }, {"negative offset"}));
  EXPECT_TRUE(throws<ValueError>([&] { reader.recv_bytes_into(room, 4); }, {"offset too large"}));
}

TEST_P(Pipes, RangesOfPlainValuesAreBytes) {
  const std::vector<std::uint16_t> numbers{1, 2, 3};
  writer.send_bytes(numbers);
  std::array<std::uint16_t, 4> received{9, 9, 9, 9};
  EXPECT_EQ(reader.recv_bytes_into(received, 2), 6u);
  EXPECT_EQ(received, (std::array<std::uint16_t, 4>{9, 1, 2, 3}));
}

TEST_P(Pipes, AMessageThatDoesNotFitIsInTheError) {
  writer.send_bytes("too long");
  writer.send_bytes("next");
  std::array<char, 6> room;
  try {
    reader.recv_bytes_into(room);
    ADD_FAILURE() << "fits";
  } catch (const BufferTooShort& error) {
    EXPECT_EQ(text_of(error.message()), "too long");
  }
  EXPECT_EQ(reader.recv_bytes_into(room), 4u);
}

TEST_P(Pipes, TheEndOfTheOtherEndIsTheEndOfMessages) {
  writer.send_bytes("last");
  writer.close();
  EXPECT_EQ(text_of(reader.recv_bytes()), "last");
  EXPECT_TRUE(throws<tutti::EOFError>([&] { reader.recv_bytes(); },
                                      {"Connection of descriptor ", "the other end is closed"}));
  EXPECT_TRUE(reader.poll());
}

TEST_P(Pipes, AnEndInTheMiddleOfAMessageSaysHowMuchCame) {
  write_raw(writer, "\0\0\0\x9part"sv);
  writer.close();
  EXPECT_TRUE(throws<tutti::EOFError>([&] { reader.recv_bytes(); }, {"4 of 9 bytes have come"}));
}

TEST_P(Pipes, AnEndInTheMiddleOfALengthIsAnEndToo) {
  write_raw(writer, "\0\0"sv);
  writer.close();
  EXPECT_TRUE(throws<tutti::EOFError>([&] { reader.recv_bytes(); }, {"not even its length"}));
}

TEST_P(Pipes, SendingToNobodyIsAnErrorAndNoSignal) {
  reader.close();
  EXPECT_TRUE(throws<tutti::BrokenPipeError>([&] { writer.send_bytes("x"); },
                                             {"send to Connection", "the other end is closed"}));
}

TEST_P(Pipes, LargeMessagesPassThroughASmallPipe) {
  std::string large(3'000'000, '\0');
  std::mt19937 random(1);
  for (char& byte : large) byte = static_cast<char>(random());
  tutti::threading::Thread sender([&] { writer.send_bytes(large); });
  sender.start();
  const Bytes received = reader.recv_bytes();
  sender.join();
  EXPECT_TRUE(text_of(received) == large);
}

TEST_P(Pipes, MessagesOfSeveralThreadsDoNotMix) {
  constexpr int each = 50;
  const auto send_many = [&](char name) {
    for (int i = 1; i <= each; ++i) {
      writer.send_bytes(std::string(static_cast<std::size_t>(i) * 1000, name));
    }
  };
  std::array<std::size_t, 2> total{};
  const auto receive_many = [&](std::size_t& bytes) {
    for (int i = 0; i < each; ++i) {
      const std::string message = text_of(reader.recv_bytes());
      EXPECT_EQ(message.find_first_not_of(message.front()), std::string::npos);
      bytes += message.size();
    }
  };
  std::vector<tutti::threading::Thread> threads;
  threads.emplace_back(send_many, 'a');
  threads.emplace_back(send_many, 'b');
  threads.emplace_back([&] { receive_many(total[0]); });
  threads.emplace_back([&] { receive_many(total[1]); });
  for (auto& thread : threads) thread.start();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(total[0] + total[1], 2u * 1000 * each * (each + 1) / 2);
}

// --- values --------------------------------------------------------------------------------------

struct Order {
  std::string what;
  std::optional<int> count;
  friend bool operator==(const Order&, const Order&) = default;
};

TEST_P(Pipes, ValuesComeAsTheyWere) {
  const std::vector<Order> orders{{"tea", 2}, {"coffee", std::nullopt}};
  writer.send(orders);
  writer.send("text");
  writer.send(std::string("text"));
  writer.send(std::map<std::string, double>{{"pi", 3.14}});
  EXPECT_EQ(reader.recv<std::vector<Order>>(), orders);
  EXPECT_EQ(reader.recv<std::string>(), "text");
  EXPECT_EQ(reader.recv<std::string>(), "text");
  EXPECT_EQ(reader.recv()["pi"].as<double>(), 3.14);
}

TEST_P(Pipes, AValueOfAnotherTypeIsAnErrorAndNoMore) {
  writer.send("text");
  writer.send(5);
  writer.send_bytes("no pickle");
  writer.send(6);
  EXPECT_TRUE(throws<tutti::ValueError>([&] { reader.recv<int>(); }));
  EXPECT_EQ(reader.recv<int>(), 5);
  EXPECT_TRUE(throws<tutti::ValueError>([&] { reader.recv<int>(); }));
  EXPECT_EQ(reader.recv<int>(), 6);
}

TEST(Connection, CanBeSentThroughAnother) {
  auto [one, other] = Pipe();
  auto [reader, writer] = Pipe(false);
  one.send(writer);
  writer.close();
  const auto received = other.recv<Connection>();
  EXPECT_TRUE(received.writable() && !received.readable());
  EXPECT_EQ(fcntl(received.fileno(), F_GETFD), FD_CLOEXEC);
  received.send(7);
  EXPECT_EQ(reader.recv<int>(), 7);
}

TEST(Connection, IsNotWhatSomebodyElseSent) {
  auto [one, other] = Pipe();
  one.send(std::tuple("tutti.Connection"s, true, true));
  EXPECT_TRUE(throws<tutti::ValueError>([&] { other.recv<Connection>(); }, {"no Connection"}));
  auto [reader, writer] = Pipe(false);
  // Received as something else, it leaves no descriptor behind.
  one.send(writer);
  writer.close();
  EXPECT_EQ((other.recv<std::tuple<std::string, bool, bool>>()),
            std::tuple("tutti.Connection", false, true));
  EXPECT_TRUE(throws<tutti::EOFError>([&] { reader.recv_bytes(); }));
  EXPECT_TRUE(throws<tutti::OSError>([&] { one.send(writer); }, {"handle is closed"}));
}

// --- what is refused -----------------------------------------------------------------------------

TEST_P(Pipes, AMessageBeyondTheLimitIsRefusedAndEndsTheReading) {
  writer.send_bytes("12345");
  writer.send_bytes("123456");
  EXPECT_EQ(reader.recv_bytes(5).size(), 5u);
  EXPECT_TRUE(throws<tutti::OSError>([&] { reader.recv_bytes(5); },
                                     {"bad message length", "6 bytes", "most allowed are 5"}));
  // One that can still be written to stays open for that.
  EXPECT_EQ(reader.closed(), !GetParam());
  EXPECT_TRUE(throws<tutti::OSError>([&] { reader.recv_bytes(); },
                                     {GetParam() ? "write-only" : "handle is closed"}));
}

TEST_P(Pipes, NegativeLengthsAreRefused) {
  write_raw(writer, "\xff\xff\xff\xfe"sv);
  EXPECT_TRUE(
      throws<tutti::OSError>([&] { reader.recv_bytes(); }, {"bad message length", "negative"}));
}

TEST_P(Pipes, LengthsThatNoMemoryHasAreRefused) {
  write_raw(writer, "\xff\xff\xff\xff\x80\0\0\0\0\0\0\0"sv);
  EXPECT_TRUE(throws<tutti::OSError>([&] { reader.recv_bytes(); }, {"bad message length"}));
}

TEST_P(Pipes, ALengthBeyondTwoGibibytesIsUnderstood) {
  write_raw(writer, "\xff\xff\xff\xff\0\0\0\0\x80\0\0\0"sv);
  EXPECT_TRUE(throws<tutti::OSError>([&] { reader.recv_bytes(1000); }, {"2147483648 bytes"}));
}

TEST_P(Pipes, TheLongFormOfASmallLengthIsUnderstood) {
  write_raw(writer, "\xff\xff\xff\xff\0\0\0\0\0\0\0\2ok"sv);
  EXPECT_EQ(text_of(reader.recv_bytes()), "ok");
}

// A child with little memory: it would die of a buffer of the announced size.
TEST_P(Pipes, AnAnnouncedLengthTakesNoMemoryBeforeTheBytesCome) {
  if (under_thread_sanitizer || under_address_sanitizer) GTEST_SKIP() << "they map terabytes";
  write_raw(writer, "\xff\xff\xff\xff\0\0\x7f\0\0\0\0\0rest"sv);
  writer.close();
  Forked child([&] {
    const rlimit little{std::size_t{1} << 30, std::size_t{1} << 30};
    setrlimit(RLIMIT_AS, &little);
    try {
      reader.recv_bytes();
    } catch (const tutti::EOFError&) {
      return 0;
    }
    return 1;
  });
  EXPECT_EQ(child.join(), 0);
}

TEST_P(Pipes, RandomBytesEndInAnErrorOrAreAMessage) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    auto [from, to] = Pipe(GetParam());
    std::string bytes(random() % 40, '\0');
    for (char& byte : bytes) {
      // Zeros and ones make plausible headers.
      const auto kind = random() % 4;
      byte = kind == 0 ? '\0' : kind == 1 ? '\xff' : static_cast<char>(random() % 16);
    }
    write_raw(to, bytes);
    to.close();
    try {
      for (;;)
        ASSERT_LE(from.recv_bytes(random() % 2 == 0 ? std::optional(20) : std::nullopt).size(),
                  40u);
    } catch (const tutti::EOFError&) {
    } catch (const tutti::OSError&) {
    }
  }
}

// --- directions and ends -------------------------------------------------------------------------

TEST(Connection, ADuplexPipeGoesBothWays) {
  auto [one, other] = Pipe();
  EXPECT_TRUE(one.readable() && one.writable() && other.readable() && other.writable());
  one.send_bytes("to");
  other.send_bytes("fro");
  EXPECT_EQ(text_of(other.recv_bytes()), "to");
  EXPECT_EQ(text_of(one.recv_bytes()), "fro");
}

TEST(Connection, AOneWayPipeGoesFromTheSecondToTheFirst) {
  auto [reader, writer] = Pipe(false);
  EXPECT_TRUE(reader.readable() && !reader.writable() && !writer.readable() && writer.writable());
  EXPECT_TRUE(throws<tutti::OSError>([&] { reader.send_bytes("x"); }, {"connection is read-only"}));
  EXPECT_TRUE(throws<tutti::OSError>([&] { writer.recv_bytes(); }, {"connection is write-only"}));
  EXPECT_TRUE(throws<tutti::OSError>([&] { writer.poll(); }, {"connection is write-only"}));
}

TEST(Connection, AClosedOneDoesNothingMore) {
  auto [one, other] = Pipe();
  const Connection copy = one;
  one.close();
  one.close();
  EXPECT_TRUE(one.closed() && copy.closed());
  for (const auto& call : std::vector<std::function<void()>>{
           [&] { one.send_bytes("x"); }, [&] { one.recv_bytes(); }, [&] { one.poll(); },
           [&] { (void)one.fileno(); }, [&] { Connection().recv_bytes(); },
           [&] { (void)wait(std::vector{copy}); }}) {
    EXPECT_TRUE(throws<tutti::OSError>(call, {"handle is closed"}));
  }
}

TEST(Connection, TheLastCopyClosesTheDescriptor) {
  auto [one, other] = Pipe();
  auto copy = std::make_unique<Connection>(other);
  other = Connection();
  EXPECT_FALSE(one.poll());
  copy.reset();
  EXPECT_TRUE(throws<tutti::EOFError>([&] { one.recv_bytes(); }));
}

TEST(Connection, IsMadeOfADescriptorAndGivesItBack) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const Connection one(ends[0]);
  const Connection other(ends[1]);
  one.send_bytes("x");
  EXPECT_EQ(text_of(other.recv_bytes()), "x");
  EXPECT_EQ(one.detach(), ends[0]);
  EXPECT_TRUE(one.closed());
  EXPECT_EQ(close(ends[0]), 0);
  EXPECT_TRUE(throws<tutti::ValueError>([] { Connection(-1); }, {"invalid handle"}));
  EXPECT_TRUE(throws<tutti::ValueError>([&] { Connection(ends[1], false, false); }));
  EXPECT_TRUE(throws<tutti::OSError>([&] { Connection{ends[0]}; }, {"Bad file descriptor"}));
}

// Of a terminal, which gives EIO while nobody has its other end.
TEST(Connection, GoesOnWithAMessageAfterAnErrorInItsMiddle) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(unlockpt(terminal), 0);
  const Connection reader(terminal);
  const auto open_other_end = [&] {
    const int other = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
    termios raw;
    EXPECT_EQ(tcgetattr(other, &raw), 0);
    cfmakeraw(&raw);
    EXPECT_EQ(tcsetattr(other, TCSANOW, &raw), 0);
    return Connection(other);
  };
  std::array<std::byte, 9> room;
  {
    const Connection other = open_other_end();
    write_raw(other, "\0\0\0\x9part"sv);
    EXPECT_TRUE(reader.poll(10.0));
  }
  EXPECT_TRUE(throws<tutti::OSError>([&] { reader.recv_bytes_into(room); }, {"Input/output"}));
  const Connection other = open_other_end();
  write_raw(other, "whole"sv);
  EXPECT_EQ(text_of(reader.recv_bytes()), "partwhole");
}

TEST(Connection, WithoutAFreeDescriptorThereIsNoPipe) {
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{3, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  EXPECT_TRUE(throws<tutti::OSError>([] { Pipe(); }, {"can't make a Pipe", "Too many open files"}));
  EXPECT_TRUE(throws<tutti::OSError>([] { Pipe(false); }, {"Too many open files"}));
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST(Connection, DescriptorsAreNotInheritedOverExec) {
  for (const bool duplex : {true, false}) {
    auto [one, other] = Pipe(duplex);
    EXPECT_EQ(fcntl(one.fileno(), F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(fcntl(other.fileno(), F_GETFD), FD_CLOEXEC);
  }
}

// --- waiting -------------------------------------------------------------------------------------

TEST_P(Pipes, PollSaysWhetherThereIsAMessage) {
  EXPECT_FALSE(reader.poll());
  EXPECT_FALSE(reader.poll(1ms));
  EXPECT_FALSE(reader.poll(-1));
  writer.send_bytes("x");
  EXPECT_TRUE(reader.poll());
  EXPECT_TRUE(reader.poll(tutti::forever));
}

TEST(Connection, WaitReturnsThoseThatAreReadyInTheOrderGiven) {
  auto [a, to_a] = Pipe();
  auto [b, to_b] = Pipe(false);
  auto [c, to_c] = Pipe();
  EXPECT_TRUE(wait(std::vector{a, b, c}, 0).empty());
  to_c.send_bytes("x");
  to_a.close();
  EXPECT_EQ(wait(std::vector{c, b, a}), (std::vector{c, a}));
  EXPECT_EQ(wait({a, b.fileno(), c}), (std::vector<Waitable>{a, c}));
  EXPECT_TRUE(wait(std::vector<int>{}, 0).empty());
}

TEST(Connection, WaitRefusesWhatIsNotOpen) {
  const int closed = dup(0);
  close(closed);
  EXPECT_TRUE(throws<tutti::OSError>([&] { wait({closed}); }, {"it is not open"}));
}

TEST_P(Pipes, AWaitingThreadIsInIO) {
  tutti::threading::Thread waiting([&] { EXPECT_EQ(text_of(reader.recv_bytes()), "x"); });
  waiting.start();
  until([&] { return is_in_io(waiting); });
  writer.send_bytes("x");
  waiting.join();
}

TEST_P(Pipes, AThreadThatFillsThePipeWaitsForRoom) {
  tutti::threading::Thread sending([&] { writer.send_bytes(std::string(1 << 20, 'x')); });
  sending.start();
  until([&] { return is_in_io(sending); });
  EXPECT_TRUE(reader.poll());
  EXPECT_EQ(reader.recv_bytes().size(), std::size_t{1} << 20);
  sending.join();
}

TEST_P(Pipes, ClosingLeavesAReceivingThreadItsDescriptor) {
  tutti::threading::Thread waiting([&] { EXPECT_EQ(text_of(reader.recv_bytes()), "x"); });
  waiting.start();
  until([&] { return is_in_io(waiting); });
  reader.close();
  writer.send_bytes("x");
  waiting.join();
  EXPECT_TRUE(throws<tutti::BrokenPipeError>([&] { writer.send_bytes("x"); }));
}

// --- interruptions -------------------------------------------------------------------------------

// Interrupts the main thread once it is in I/O.
tutti::threading::Thread interrupter() {
  return tutti::threading::Thread([] {
    until([] { return is_in_io(tutti::threading::main_thread()); });
    tutti::thread::interrupt_main();
  });
}

TEST_P(Pipes, AnInterruptionEndsTheMainThreadsWait) {
  for (const auto& call : std::vector<std::function<void()>>{[&] { reader.recv_bytes(); },
                                                             [&] { reader.poll(tutti::forever); },
                                                             [&] { wait({reader}); }}) {
    auto thread = interrupter();
    thread.start();
    EXPECT_TRUE(throws<tutti::KeyboardInterrupt>(call));
    thread.join();
  }
  writer.send_bytes("x");
  EXPECT_EQ(text_of(reader.recv_bytes()), "x");
}

TEST_P(Pipes, AMessageInterruptedInItsMiddleIsGoneOnWith) {
  write_raw(writer, "\0\0\0\4ab"sv);
  auto thread = interrupter();
  thread.start();
  EXPECT_TRUE(throws<tutti::KeyboardInterrupt>([&] { reader.recv_bytes(); }));
  thread.join();
  std::array<char, 4> room;
  auto second = interrupter();
  second.start();
  EXPECT_TRUE(throws<tutti::KeyboardInterrupt>([&] { reader.recv_bytes_into(room); }));
  second.join();
  write_raw(writer, "cd"sv);
  EXPECT_EQ(reader.recv_bytes_into(room), 4u);
  EXPECT_EQ(std::string_view(room.data(), 4), "abcd");
}

TEST_P(Pipes, AnInterruptedSendEndsTheStream) {
  auto thread = interrupter();
  thread.start();
  EXPECT_TRUE(
      throws<tutti::KeyboardInterrupt>([&] { writer.send_bytes(std::string(1 << 20, 'x')); }));
  thread.join();
  EXPECT_FALSE(writer.writable());
  EXPECT_TRUE(throws<tutti::EOFError>([&] { reader.recv_bytes(); }, {"of 1048576 bytes"}));
}

// --- other processes -----------------------------------------------------------------------------

TEST_P(Pipes, AChildsMessagesReachItsParent) {
  Forked child([&] {
    reader.close();
    for (int i = 0; i < 100; ++i) writer.send_bytes(std::to_string(i));
    return 0;
  });
  writer.close();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(text_of(reader.recv_bytes()), std::to_string(i));
  EXPECT_TRUE(throws<tutti::EOFError>([&] { reader.recv_bytes(); }));
  EXPECT_EQ(child.join(), 0);
}

TEST_P(Pipes, AChildKilledInTheMiddleOfAMessageIsAnEnd) {
  Forked child([&] {
    reader.close();
    writer.send_bytes(std::string(10'000'000, 'x'));
    return 0;
  });
  writer.close();
  EXPECT_TRUE(reader.poll(tutti::forever));
  child.kill();
  EXPECT_EQ(child.join(), -SIGKILL);
  EXPECT_TRUE(throws<tutti::EOFError>([&] { reader.recv_bytes(); }, {"of 10000000 bytes"}));
}

TEST_P(Pipes, AReaderKilledInTheMiddleOfAMessageBreaksThePipe) {
  Forked child([&] {
    writer.close();
    pause();
    return 0;
  });
  reader.close();
  tutti::threading::Thread killer([&] {
    until([] { return is_in_io(tutti::threading::main_thread()); });
    child.kill();
  });
  killer.start();
  EXPECT_TRUE(
      throws<tutti::BrokenPipeError>([&] { writer.send_bytes(std::string(10'000'000, 'x')); }));
  killer.join();
}

// Its parent's thread is in the middle of receiving, which is nothing to the child.
TEST_P(Pipes, AChildMayReceiveWhatAThreadOfItsParentWaitsFor) {
  if (under_thread_sanitizer) GTEST_SKIP() << "ThreadSanitizer can't fork with threads";
  write_raw(writer, "\0\0\0\2a"sv);
  tutti::threading::Thread waiting([&] {
    EXPECT_TRUE(throws<tutti::EOFError>([&] { reader.recv_bytes(); }, {"1 of 2 bytes"}));
  });
  waiting.start();
  until([&] { return is_in_io(waiting); });
  until([&] { return !reader.poll(); });
  Forked child([&] {
    writer.close();
    try {
      reader.recv_bytes();
    } catch (const tutti::EOFError& end) {
      return std::string_view(end.what()).find("middle") == std::string_view::npos ? 0 : 1;
    }
    return 2;
  });
  writer.close();
  waiting.join();
  EXPECT_EQ(child.join(), 0);
}

}  // namespace tests
