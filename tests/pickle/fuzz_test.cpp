// The decoders are given bytes that nobody wrote: valid values, changed at random. They may refuse
// them with a ValueError and nothing else, and take no more memory than a small multiple of their
// size.
//
// TUTTI_FUZZ_INPUTS says how many inputs each decoder gets: 20,000 if it isn't set.
#include <gtest/gtest.h>
#include <tutti/pickle.h>
#include <tutti/pickle/packed.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

#include "pickle/counted_memory.h"

namespace {

using tutti::pickle::dumps;
using tutti::pickle::loads;
using tutti::pickle::Object;

using Bytes = std::vector<std::byte>;

// --- values of many shapes -----------------------------------------------------------------------

struct Tree {
  std::string name;
  std::vector<Tree> children;
};
struct Message {
  bool urgent;
  int sizes[2];
  std::string text;
  std::vector<double> numbers;
  std::map<std::string, std::optional<std::vector<std::byte>>> files;
  std::variant<std::monostate, bool, double, std::string, std::vector<Tree>> body;
  std::set<std::pair<int, std::string>> pairs;
  std::tuple<std::chrono::milliseconds, std::chrono::nanoseconds> times;
  std::unordered_map<int, std::exception_ptr> errors;
  std::vector<bool> flags;
  std::array<std::string, 2> names;
};

/// A type that contains itself by way of a variant: each level is tried as each alternative.
struct Json {
  std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<Json>,
               std::map<std::string, Json>>
      value;

  template <typename Archive>
  static void tutti_serialize(Archive& archive, Json& json) {
    archive(json.value);
  }
};

std::vector<Message> messages() {
  const Tree tree{"root", {{"left", {}}, {"right", {{"leaf", {}}}}}};
  const auto error = std::make_exception_ptr(tutti::ValueError("wrong"));
  return {
      {true,
       {1, 2},
       "text",
       {1, 2.5},
       {{"a", Bytes(3)}, {"b", {}}},
       std::vector{tree},
       {{1, "one"}, {2, "two"}},
       {std::chrono::milliseconds(5), std::chrono::nanoseconds(7)},
       {{1, error}, {2, nullptr}},
       {true, false},
       {"x", "y"}},
      {false, {-1, 1 << 30}, std::string(300, 'x'), {}, {}, "body", {}, {}, {}, {}, {}},
      {false, {0, 0}, "", std::vector<double>(50), {}, 1.5, {}, {}, {}, {}, {}},
  };
}

std::vector<Json> jsons() {
  const Json number{std::int64_t{7}};
  const Json list{std::vector{number, Json{"text"}, Json{1.5}, Json{}}};
  return {number, list, Json{std::map<std::string, Json>{{"list", list}, {"flag", Json{true}}}}};
}

// --- inputs --------------------------------------------------------------------------------------

Bytes bytes_of(std::string_view text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

/// What Python writes in older protocols, and opcodes that it no longer writes.
std::vector<Bytes> pythons_pickles() {
  using namespace std::string_view_literals;
  return {
      bytes_of(
          "(lp0\nI1\naL123456789012345678901234567890L\naV\\u20ac\np1\nag1\naF1.5\naNaI01\na."sv),
      bytes_of("(dp0\nVkey\np1\n(I1\nI2\ntp2\ns."sv),
      bytes_of("c_codecs\nencode\np0\n(V\xff\np1\nVlatin1\np2\ntp3\nRp4\n."sv),
      bytes_of(
          "\x80\x02]q\x00(K\x01M\x00\x01J\x00\x00\x01\x00X\x01\x00\x00\x00xq\x01h\x01G?\xf0\x00\x00"
          "\x00\x00\x00\x00\x88\x89Ne."sv),
      bytes_of("\x80\x02"
               "c__builtin__\nset\nq\x00]q\x01(K\x01K\x02"
               "e\x85q\x02Rq\x03."sv),
      bytes_of("\x80\x03}q\x00(X\x01\x00\x00\x00"
               "aq\x01"
               "C\x02xyq\x02K\x01K\x02\x86q\x03Nu."sv),
      bytes_of("\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x08"
               "builtins\x94\x8c\x0aValueError\x93"
               "\x8c\x01x\x85R."sv),
      bytes_of("\x80\x05\x96\x03\x00\x00\x00\x00\x00\x00\x00"
               "abc\x94."sv),
      bytes_of("\x80\x04\x8f(K\x01K\x02\x90(K\x03\x91\x86."sv),
      bytes_of("\x80\x02"
               "cdatetime\ntimedelta\nK\x01K\x02K\x03\x87R."sv),
      bytes_of("((S'it\\x27s'\nU\x02"
               "abT\x02\x00\x00\x00"
               "cdt1(K\x01K\x02"
               "d0N2\x86."sv),
      bytes_of("\x80\x02]q\x00]q\x01(h\x00h\x00h\x00"
               "e]q\x02(h\x01h\x01h\x01"
               "e\x87."sv),
  };
}

/// Changes valid inputs; the same sequence for the same seed.
class Mutator {
 public:
  explicit Mutator(std::vector<Bytes> seeds) : seeds_(std::move(seeds)) {}

  Bytes next() {
    Bytes bytes = pick(seeds_);
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) change(bytes);
    if (bytes.size() > 4096) bytes.resize(4096);
    return bytes;
  }

 private:
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(random_() % end); }
  const Bytes& pick(const std::vector<Bytes>& all) { return all[below(all.size())]; }
  std::ptrdiff_t position(const Bytes& bytes) {
    return static_cast<std::ptrdiff_t>(below(bytes.size() + 1));
  }
  std::byte any_byte() {
    // Every opcode, and the edges of numbers.
    constexpr std::string_view opcodes =
        "(.012FIJKLMNPQRSTUVXabcd}eghijl]opqrst)"
        "uGBC\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8A\x8B"
        "\x8C\x8D\x8E\x8F\x90\x91\x92\x93\x94\x95\x96\x97\x98";
    switch (below(3)) {
      case 0:
        return static_cast<std::byte>(opcodes[below(opcodes.size())]);
      case 1:
        return std::array{std::byte{0}, std::byte{1}, std::byte{0x7F}, std::byte{0x80},
                          std::byte{0xFF}}[below(5)];
      default:
        return static_cast<std::byte>(random_());
    }
  }

  void change(Bytes& bytes) {
    const std::ptrdiff_t at = position(bytes);
    const std::ptrdiff_t other = position(bytes);
    const auto [from, to] = std::minmax(at, other);
    const auto begin = bytes.begin();
    switch (below(8)) {
      case 0:
        if (!bytes.empty())
          bytes[below(bytes.size())] ^= std::byte{1} << static_cast<int>(below(8));
        break;
      case 1:
        if (!bytes.empty()) bytes[below(bytes.size())] = any_byte();
        break;
      case 2:
        bytes.insert(begin + at, any_byte());
        break;
      case 3:
        // Few are cut off far from the end, since those say little.
        bytes.erase(begin + from, begin + std::min(to, from + 8));
        break;
      case 4: {
        const Bytes part(begin + from, begin + to);
        bytes.insert(bytes.begin() + position(bytes), part.begin(), part.end());
        break;
      }
      case 5: {
        const Bytes& donor = pick(seeds_);
        const std::ptrdiff_t start = position(donor);
        const std::ptrdiff_t end =
            std::min<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(donor.size()),
                                     start + static_cast<std::ptrdiff_t>(below(32)));
        bytes.insert(begin + at, donor.begin() + start, donor.begin() + end);
        break;
      }
      case 6:
        bytes.insert(begin + at, 1 + below(300), any_byte());
        break;
      default:
        // A number of 4 or 8 bytes becomes large.
        for (std::size_t i = 0, size = below(2) == 0 ? 4 : 8; i < size && from < to; ++i) {
          const std::size_t index = static_cast<std::size_t>(from) + i;
          if (index < bytes.size()) bytes[index] = any_byte();
        }
    }
  }

  std::vector<Bytes> seeds_;
  std::mt19937_64 random_{20260725};
};

// --- running -------------------------------------------------------------------------------------

std::size_t count_of_inputs() {
  const char* variable = std::getenv("TUTTI_FUZZ_INPUTS");
  return variable == nullptr ? 20'000 : std::strtoull(variable, nullptr, 10);
}

std::string hex(const Bytes& bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    constexpr char digits[] = "0123456789abcdef";
    text += digits[std::to_integer<int>(byte) / 16];
    text += digits[std::to_integer<int>(byte) % 16];
  }
  return text;
}

/// So much memory may be taken for an input: messages of errors and what a decoder starts with, and
/// a multiple of the size.
std::size_t memory_for(std::size_t size) {
  return (std::size_t{1} << 20) + 65'536 + size * 256;
}

void fuzz(std::vector<Bytes> seeds, const std::function<void(const Bytes&)>& decode) {
  for (const Bytes& seed : seeds) decode(seed);
  Mutator mutator(std::move(seeds));
  std::size_t accepted = 0;
  const std::size_t inputs = count_of_inputs();
  for (std::size_t i = 0; i < inputs; ++i) {
    const Bytes input = mutator.next();
    const tests::CountedMemory memory;
    try {
      decode(input);
      ++accepted;
    } catch (const tutti::ValueError&) {
    } catch (const std::exception& error) {
      ADD_FAILURE() << "threw " << error.what() << " for " << hex(input);
      return;
    }
    ASSERT_LE(memory.most(), memory_for(input.size())) << hex(input);
  }
  // Else the inputs would be refused before they get far.
  EXPECT_GT(accepted, inputs / 100);
  EXPECT_LT(accepted, inputs);
  std::cout << inputs << " inputs, of which " << accepted << " were values\n";
}

template <typename T>
Bytes packed(const T& value) {
  Bytes bytes(tutti::pickle::packed_size(value));
  tutti::pickle::Writer writer(bytes);
  tutti::pickle::pack(writer, value);
  return bytes;
}

template <typename T>
T unpacked(const Bytes& bytes) {
  tutti::pickle::Reader reader(bytes);
  return tutti::pickle::unpack<T>(reader);
}

std::vector<Bytes> all_pickles() {
  std::vector<Bytes> seeds = pythons_pickles();
  for (const Message& message : messages()) seeds.push_back(dumps(message));
  for (const Json& json : jsons()) seeds.push_back(dumps(json));
  return seeds;
}

TEST(Fuzz, Objects) {
  fuzz(all_pickles(), [](const Bytes& bytes) { loads<Object>(bytes); });
}

TEST(Fuzz, ObjectsThatWereReadCanBePrintedAndComparedAndWritten) {
  fuzz(all_pickles(), [](const Bytes& bytes) {
    const Object object = loads<Object>(bytes);
    EXPECT_FALSE(object.repr().empty());
    // A float may be NaN.
    const Object copy = object;
    static_cast<void>(copy == object);
    EXPECT_EQ(loads<Object>(dumps(object)).type(), object.type());
  });
}

TEST(Fuzz, PickledMessages) {
  std::vector<Bytes> seeds;
  for (const Message& message : messages()) seeds.push_back(dumps(message));
  fuzz(std::move(seeds), [](const Bytes& bytes) { loads<Message>(bytes); });
}

TEST(Fuzz, PickledJson) {
  std::vector<Bytes> seeds;
  for (const Json& json : jsons()) seeds.push_back(dumps(json));
  fuzz(std::move(seeds), [](const Bytes& bytes) { loads<Json>(bytes); });
}

TEST(Fuzz, PackedMessages) {
  std::vector<Bytes> seeds;
  for (const Message& message : messages()) seeds.push_back(packed(message));
  fuzz(std::move(seeds), [](const Bytes& bytes) { unpacked<Message>(bytes); });
}

TEST(Fuzz, PackedJson) {
  std::vector<Bytes> seeds;
  for (const Json& json : jsons()) seeds.push_back(packed(json));
  fuzz(std::move(seeds), [](const Bytes& bytes) { unpacked<Json>(bytes); });
}

}  // namespace
