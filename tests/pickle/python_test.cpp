// Values between C++ and Debian's Python, both ways, in all protocols; one process for all of them.
#include <gtest/gtest.h>
#include <tutti/pickle.h>
#include <tutti/pickle/exceptions.h>
#include <unistd.h>

#include <bitset>
#include <chrono>
#include <complex>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "support/run_program.h"

namespace {

using tutti::pickle::dumps;
using tutti::pickle::loads;
using tutti::pickle::Object;
using namespace std::chrono_literals;

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::string_view text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

struct Case {
  std::string expression;
  /// What C++ made of the value; empty for what it only reads.
  Bytes pickled;
  /// Whether `pickle`, which Python made, is the value.
  std::function<testing::AssertionResult(const Bytes& pickle)> is_right;
  /// Older ones say less of some values.
  std::size_t first_protocol = 0;
};

std::string told(const std::exception_ptr& exception) {
  std::string text;
  for (const auto& record : tutti::pickle::describe_exception(exception)) {
    text += record.type + "|" + record.text + "|" + std::to_string(record.code) + "\n";
  }
  return text;
}

template <typename T>
bool same(const T& left, const T& right) {
  return left == right;
}
bool same(double left, double right) {
  return left == right || (left != left && right != right);
}
bool same(const std::exception_ptr& left, const std::exception_ptr& right) {
  return told(left) == told(right);
}

template <typename T>
Case read_only(std::string expression, T value) {
  Case made;
  made.expression = std::move(expression);
  made.is_right = [value](const Bytes& pickle) {
    if (same(loads<T>(pickle), value)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "came back as another value";
  };
  return made;
}

template <typename T>
Case both_ways(std::string expression, T value) {
  Case made = read_only(std::move(expression), value);
  made.pickled = dumps(value);
  return made;
}

// Before protocol 3, errors of the system are Python 2's.
Case exception(std::string expression, const std::exception_ptr& exception) {
  Case made = both_ways(std::move(expression), exception);
  made.first_protocol = 3;
  return made;
}

Case read_only_exception(std::string expression, const std::exception_ptr& exception) {
  Case made = read_only(std::move(expression), exception);
  made.first_protocol = 3;
  return made;
}

// Python leaves causes out of its pickles, but reads ours.
Case write_only_exception(std::string expression, const std::exception_ptr& exception) {
  Case made;
  made.expression = std::move(expression);
  made.pickled = dumps(exception);
  made.is_right = [](const Bytes&) { return testing::AssertionSuccess(); };
  return made;
}

template <typename E>
std::exception_ptr made(const E& error) {
  return std::make_exception_ptr(error);
}

std::exception_ptr with_cause() {
  try {
    try {
      throw std::out_of_range("inner");
    } catch (...) {
      std::throw_with_nested(tutti::ValueError("outer"));
    }
  } catch (...) {
    return std::current_exception();
  }
}

struct Point {
  double x, y;
  bool operator==(const Point&) const = default;
};
struct Shape {
  std::string name;
  std::vector<Point> points;
  int sizes[3];
  bool operator==(const Shape&) const = default;
};
enum class Color : std::uint8_t { red, green };
class Account {
 public:
  Account() = default;
  Account(std::string owner, int balance) : owner_(std::move(owner)), balance_(balance) {}
  bool operator==(const Account&) const = default;
  template <typename Archive>
  static void tutti_serialize(Archive& archive, Account& account) {
    archive(account.owner_);
    archive(account.balance_);
  }

 private:
  std::string owner_;
  int balance_ = 0;
};

std::vector<Case> numbers() {
  using std::numeric_limits;
  std::vector<Case> cases{
      both_ways("True", true),
      both_ways("False", false),
      both_ways("2**63 - 1", numeric_limits<std::int64_t>::max()),
      both_ways("-2**63", numeric_limits<std::int64_t>::min()),
      both_ways("2**64 - 1", numeric_limits<std::uint64_t>::max()),
      both_ways("2**63", std::uint64_t{1} << 63),
      both_ways<std::int8_t>("-128", -128),
      both_ways("1", Color::green),
      both_ways("0.1", 0.1),
      both_ways("-0.0", -0.0),
      both_ways("1e300", 1e300),
      both_ways("1.5", 1.5f),
      both_ways("float('inf')", numeric_limits<double>::infinity()),
      read_only("float('nan')", numeric_limits<double>::quiet_NaN()),
      read_only("3", 3.0),
      both_ways("1.5 - 2j", std::complex<double>(1.5, -2)),
      both_ways("0b1011", std::bitset<70>("1011")),
      both_ways("2**69", std::bitset<70>().set(69)),
  };
  for (const std::int64_t number :
       {0L, -1L, 1L, 127L, 128L, 255L, 256L, -256L, 65535L, 65536L, 2147483647L, 2147483648L,
        -2147483648L, -2147483649L, 1234567890123L}) {
    cases.push_back(both_ways(std::to_string(number), number));
  }
  return cases;
}

std::vector<Case> texts() {
  return {
      both_ways<std::string>("''", ""),
      both_ways<std::string>("'hello'", "hello"),
      both_ways<std::string>("'a\\\\b\\n\\x00c'", std::string("a\\b\n\0c", 6)),
      both_ways<std::string>("'\\u00e4\\u20ac\\U0001f600'", "\u00e4\u20ac\U0001f600"),
      both_ways<std::string>("'\\ud800'", "\xED\xA0\x80"),
      both_ways<std::string>("'x' * 300", std::string(300, 'x')),
      both_ways<std::string>("'x' * 70000", std::string(70000, 'x')),
      both_ways<std::string>("b'\\xff\\x00'", std::string("\xFF\0", 2)),
      both_ways("b'\\x00\\xff'", Bytes{std::byte{0}, std::byte{255}}),
      both_ways("b''", Bytes{}),
      both_ways("b'ab'", std::vector<unsigned char>{'a', 'b'}),
      both_ways("bytes(range(256)) * 3",
                [] {
                  Bytes all;
                  for (int i = 0; i < 768; ++i) all.push_back(static_cast<std::byte>(i));
                  return all;
                }()),
      read_only("bytearray(b'abc')", bytes_of("abc")),
      read_only("[97, 98]", bytes_of("ab")),
      both_ways<std::filesystem::path>("'/usr/include'", "/usr/include"),
  };
}

std::vector<Case> containers() {
  using std::vector;
  using Tree = std::map<std::string, vector<std::optional<int>>>;
  using Any = std::variant<std::monostate, double, int, bool, std::string, vector<int>>;
  vector<int> thousands;
  for (int i = 0; i < 2500; ++i) thousands.push_back(i);
  return {
      both_ways("[1, 2, 3]", vector{1, 2, 3}),
      both_ways("[]", vector<int>{}),
      both_ways("list(range(2500))", thousands),
      both_ways("[1, 2]", std::deque{1, 2}),
      read_only("(1, 2)", vector{1, 2}),
      read_only("collections.deque([1, 2], 5)", vector{1, 2}),
      both_ways("[True, False]", vector{true, false}),
      both_ways("[[1], [], [2, 3]]", vector<vector<int>>{{1}, {}, {2, 3}}),
      read_only("[shared, shared]", vector<vector<std::string>>{{"shared"}, {"shared"}}),
      both_ways("[1, 2]", std::array{1, 2}),
      both_ways("()", std::tuple<>{}),
      both_ways("(1,)", std::tuple{1}),
      both_ways("(1, 'two')", std::pair<int, std::string>{1, "two"}),
      both_ways("(1, 2.0, 'three', None)",
                std::tuple<int, double, std::string, std::optional<int>>{1, 2, "three", {}}),
      both_ways("{'a': [1, None], 'b': []}", Tree{{"a", {1, {}}}, {"b", {}}}),
      both_ways("{(1, 2): 'x'}", std::map<vector<int>, std::string>{{{1, 2}, "x"}}),
      both_ways("[(1, 2), (1, 3)]", std::multimap<int, int>{{1, 2}, {1, 3}}),
      read_only("collections.OrderedDict(a=1, b=2)",
                std::map<std::string, int>{{"a", 1}, {"b", 2}}),
      both_ways("{1, 2}", std::set{1, 2}),
      both_ways("set()", std::set<int>{}),
      both_ways("{frozenset({1})}", std::set<std::set<int>>{{1}}),
      read_only("frozenset({3})", std::set{3}),
      both_ways("None", std::optional<int>{}),
      both_ways("None", std::monostate{}),
      both_ways("[None, 1.5, 2, True, 'x', [1]]",
                vector<Any>{std::monostate{}, 1.5, 2, true, "x", vector{1}}),
      both_ways("('square', [(0.0, 0.0), (1.0, 1.0)], [1, 2, 3])",
                Shape{"square", {{0, 0}, {1, 1}}, {1, 2, 3}}),
      both_ways("('Ada', 7)", Account("Ada", 7)),
  };
}

std::vector<Case> times() {
  return {
      both_ways("datetime.timedelta(seconds=90)", 90s),
      both_ways("datetime.timedelta(milliseconds=-1)", -1ms),
      both_ways("datetime.timedelta(days=400, seconds=5, microseconds=7)",
                std::chrono::microseconds(400 * 24h) + 5s + 7us),
      both_ways("datetime.timedelta(0)", 0h),
      both_ways("1500000", 1500000ns),
      read_only("datetime.timedelta(milliseconds=1)", 1000000ns),
      read_only("90", 90s),
      both_ways("datetime.timedelta(seconds=1700000000)",
                std::chrono::sys_seconds(std::chrono::seconds(1700000000))),
  };
}

std::vector<Case> exceptions() {
  return {
      exception("ValueError('a value')", made(tutti::ValueError("a value"))),
      exception("IndexError('7 of 6')", made(std::out_of_range("7 of 6"))),
      exception("TimeoutError('late')", made(tutti::TimeoutError("late"))),
      exception("EOFError()", made(tutti::EOFError(""))),
      exception("FileNotFoundError(2, 'no such file')",
                made(tutti::FileNotFoundError("no such file", 2))),
      exception("queue.Empty('none')", made(tutti::queue::Empty("none"))),
      exception("None", nullptr),
      write_only_exception("raised(ValueError('outer'), IndexError('inner'))", with_cause()),
      read_only_exception("KeyError('name')", made(std::out_of_range("KeyError: 'name'"))),
      read_only_exception("ZeroDivisionError('division by zero')",
                          made(tutti::RuntimeError("ZeroDivisionError: division by zero"))),
      read_only_exception("PermissionError(13, 'Permission denied', '/root')",
                          made(tutti::OSError("PermissionError: Permission denied: '/root'", 13))),
  };
}

/// Only values of Object, and how they are printed.
std::vector<std::string> untyped() {
  return {
      "None",
      "[True, False, 0, -1, 2**31, -2**63, 2**63, -2**63 - 1, 2**64, 10**40, -10**40, 255, 256]",
      "10**4000",
      "-(10**1000) + 7",
      "[0.0, -0.0, 1.0, 0.1, 1e16, 123456789012345.6, 1e-5, 0.0001, 1e100, 2.5e-300, 1e22]",
      "float('nan')",
      "[float('inf'), -float('inf')]",
      "['', 'a', 'it\\'s', 'say \"it\\'s\"', '\\\\ \\n\\r\\t\\x00\\x7f', "
      "'\\xe4\\u20ac\\U0001f600']",
      "['\\x80\\xa0\\xa1', '\\ud800']",
      "[b'', b'\\x00a\\xff\\'', bytearray(b'xy'), b'it\\'s \"']",
      "[(), (1,), (1, 2), (1, (2, [3, {4: {5}}]))]",
      "{'a': 1, 2: 'b', None: (), (1, 2): []}",
      "[set(), {1}, frozenset(), frozenset({'x'})]",
      "[1j, 1+2j, -1.5-2.5j, complex(0, -1), complex(-0.0, 1), 1e20j]",
      "[datetime.timedelta(0), datetime.timedelta(days=-1, seconds=5, microseconds=7)]",
      "[ValueError('x'), KeyError('k', 1), OSError('gone'), StopIteration()]",
      "[shared, shared, [shared]]",
      "list(range(3000))",
      "{i: str(i) for i in range(2000)}",
      "'x' * 100000",
      "collections.OrderedDict(a=1)",
      "[[[[[[[[[[]]]]]]]]]]",
  };
}

void write(std::ofstream& file, std::string_view data) {
  const std::size_t size = data.size();
  for (int shift = 24; shift >= 0; shift -= 8) file.put(static_cast<char>(size >> shift));
  file.write(data.data(), static_cast<std::streamsize>(size));
}

std::vector<std::string> read_all(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::string> all;
  unsigned char head[4];
  while (file.read(reinterpret_cast<char*>(head), sizeof head)) {
    std::string data(std::size_t{head[0]} << 24 | head[1] << 16 | head[2] << 8 | head[3], '\0');
    file.read(data.data(), static_cast<std::streamsize>(data.size()));
    all.push_back(std::move(data));
  }
  return all;
}

/// A folder for the time of a test.
class Folder {
 public:
  Folder() {
    path_ = std::filesystem::temp_directory_path() / ("tutti_pickle_" + std::to_string(getpid()));
    std::filesystem::create_directory(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

TEST(PickleAndPython, ReadEachOther) {
  std::vector<Case> cases;
  for (const auto& some : {numbers(), texts(), containers(), times(), exceptions()}) {
    cases.insert(cases.end(), some.begin(), some.end());
  }
  const std::size_t typed = cases.size();
  for (const std::string& expression : untyped()) cases.push_back({expression, {}, nullptr, 0});

  const Folder folder;
  {
    std::ofstream file(folder / "cases", std::ios::binary);
    for (const Case& one : cases) {
      write(file, one.expression);
      write(file, {reinterpret_cast<const char*>(one.pickled.data()), one.pickled.size()});
    }
  }
  const std::string script = std::string(TUTTI_SOURCE_DIR) + "/tests/pickle/python_interop.py";
  const tests::Ended ended =
      tests::run_program("/usr/bin/python3", {script, folder / "cases", folder / "answers"});
  EXPECT_TRUE(tests::ended_with(ended, 0, ""));

  const std::vector<std::string> answers = read_all(folder / "answers");
  constexpr std::size_t protocols = 6;
  ASSERT_EQ(answers.size(), cases.size() * (1 + protocols));
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::string& repr = answers[i * (1 + protocols)];
    for (std::size_t protocol = cases[i].first_protocol; protocol < protocols; ++protocol) {
      SCOPED_TRACE(cases[i].expression + ", protocol " + std::to_string(protocol));
      const Bytes pickle = bytes_of(answers[i * (1 + protocols) + 1 + protocol]);
      try {
        if (i < typed) {
          EXPECT_TRUE(cases[i].is_right(pickle));
          continue;
        }
        const Object object = loads(pickle);
        if (cases[i].expression.find("OrderedDict") == std::string::npos) {
          EXPECT_EQ(object.repr(), repr);
        }
        // And once more from C++ to C++.
        EXPECT_TRUE(repr == "nan" || loads(dumps(object)) == object);
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
    }
  }
}

}  // namespace
