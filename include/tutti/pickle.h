// Values as Python's pickles, for connections to Python programs and between any programs.
//
//     connection.send_bytes(pickle::dumps(std::map<std::string, int>{{"one", 1}}));
//     auto sizes = pickle::loads<std::vector<int>>(connection.recv_bytes());
//
// C++ and what it is in Python:
//   bool; integers, enumerations          bool; int
//   floating-point numbers                float (reads int too)
//   std::string, std::filesystem::path    str; bytes if it is not UTF-8 (reads both)
//   sequences of bytes                    bytes (reads bytearray and lists too)
//   other sequences and arrays            list (reads tuple too)
//   tuples, pairs, aggregates, classes
//     with tutti_serialize                tuple of the members (reads list too)
//   maps; std::multimap                   dict; list of pairs
//   sets; std::multiset                   set (reads frozenset too); list
//   std::optional; std::monostate         None or the value; None
//   std::variant                          the value. Read: the first alternative whose type is the
//                                         value's own, or else the first that takes it
//   std::chrono durations of whole
//     microseconds, time_points           datetime.timedelta, of time_points since their epoch
//                                         (reads an int of ticks too)
//   other durations and time_points       their number of ticks (reads timedelta too)
//   std::complex; std::bitset             complex; int
//   exceptions                            those of the same meaning, or else RuntimeError with the
//                                         type in front of the text
//   pickle::Object                        any of these
//
// Keys of maps and elements of sets are written as what Python can hash: tuples for lists.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include "tutti/pickle/decode.h"
#include "tutti/pickle/encode.h"
#include "tutti/pickle/object.h"

namespace tutti::inline TUTTI_ABI::pickle {

/// `value` as a pickle of protocol 4, which every Python since 3.4 reads. Throws ValueError for
/// what Python has no value for: containers in more than 200 levels, maps as keys of maps.
/// Thread-safe, as long as nobody changes `value`. Python counterpart: pickle.dumps.
template <typename T>
std::vector<std::byte> dumps(const T& value) {
  if constexpr (Packable<T>) {
    Encoder encoder;
    encoding::encode(encoder, value);
    return encoder.finish();
  } else {
    must_cross<T>();
  }
}

/// The value of a pickle that holds plain data, of any protocol up to 5. Nothing is run and no
/// class is made but the data types and exceptions of Python's own, whatever the pickle says.
/// Throws ValueError when it is damaged, is not plain data, or is not a T, and says where:
/// "expected int at [2]['name'], got str". The memory taken is at most a small multiple of the
/// pickle's size. Thread-safe. Python counterpart: pickle.loads.
template <typename T = Object>
T loads(std::span<const std::byte> pickle) {
  if constexpr (Packable<T>) {
    Tree tree(pickle);
    return encoding::decode<std::remove_cv_t<T>>(tree, tree.root(), {});
  } else {
    must_cross<T>();
  }
}

template <typename T>
Object Object::of(const T& value) {
  return loads<Object>(dumps(value));
}

template <typename T>
T Object::as() const {
  return loads<T>(dumped());
}

}  // namespace tutti::inline TUTTI_ABI::pickle
