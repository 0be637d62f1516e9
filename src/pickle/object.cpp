#include "tutti/pickle/object.h"

#include <algorithm>
#include <ostream>
#include <stdexcept>

#include "pickle/exception_classes.h"
#include "pickle/repr.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::pickle {

namespace {

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
// Clang up to 16 doesn't find it by itself.
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

using Pairs = std::vector<std::pair<Object, Object>>;

template <typename T>
concept HasItems = requires(const T& container) {
  container.items;
};
template <typename T>
concept HasBytes = requires(const T& value) {
  value.bytes;
};

}  // namespace

Object::Object() noexcept = default;
Object::Object(bool value) : value_(value) {}
Object::Object(double value) : value_(value) {}
Object::Object(std::string_view text) : value_(std::string(text)) {}
Object::Object(Value value) : value_(std::move(value)) {}
Object::Object(const Object&) = default;
Object::Object(Object&&) noexcept = default;
Object& Object::operator=(const Object&) = default;
Object& Object::operator=(Object&&) noexcept = default;
Object::~Object() = default;

Type Object::type() const noexcept {
  return std::visit(Overloaded{
                        [](None) { return Type::none; },
                        [](bool) { return Type::boolean; },
                        [](std::int64_t) { return Type::integer; },
                        [](const BigInt&) { return Type::integer; },
                        [](double) { return Type::floating; },
                        [](const std::string&) { return Type::text; },
                        [](const Bytes&) { return Type::bytes; },
                        [](const ByteArray&) { return Type::bytearray; },
                        [](const List&) { return Type::list; },
                        [](const Tuple&) { return Type::tuple; },
                        [](const Dict&) { return Type::dict; },
                        [](const Set&) { return Type::set; },
                        [](const FrozenSet&) { return Type::frozenset; },
                        [](std::complex<double>) { return Type::complex; },
                        [](const TimeDelta&) { return Type::timedelta; },
                        [](const Exception&) { return Type::exception; },
                    },
                    value_);
}

const Object& Object::operator[](const Object& key) const {
  if (const auto* dict = std::get_if<Dict>(&value_)) {
    // Of two that are the same, Python keeps the later.
    const auto found = std::find_if(dict->items.rbegin(), dict->items.rend(),
                                    [&](const auto& item) { return item.first == key; });
    if (found == dict->items.rend()) throw std::out_of_range("a dict has no key " + key.repr());
    return found->second;
  }
  const std::vector<Object>* items = nullptr;
  if (const auto* list = std::get_if<List>(&value_)) items = &list->items;
  if (const auto* tuple = std::get_if<Tuple>(&value_)) items = &tuple->items;
  const std::string type(name_of(this->type()));
  if (items == nullptr) throw TypeError("the type " + type + " has no elements to choose from");
  const auto* index = std::get_if<std::int64_t>(&key.value_);
  if (index == nullptr) {
    throw TypeError("an element of a " + type + " is chosen by an int, not a " +
                    std::string(name_of(key.type())));
  }
  const auto size = static_cast<std::int64_t>(items->size());
  const std::int64_t at = *index < 0 ? *index + size : *index;
  if (at < 0 || at >= size) {
    throw std::out_of_range("a " + type + " of " + std::to_string(size) + " has no element " +
                            std::to_string(*index));
  }
  return (*items)[static_cast<std::size_t>(at)];
}

std::size_t Object::size() const {
  return std::visit(
      [&]<typename T>(const T& value) -> std::size_t {
        if constexpr (HasItems<T>) {
          return value.items.size();
        } else if constexpr (std::same_as<T, std::string>) {
          return value.size();
        } else if constexpr (HasBytes<T> && !std::same_as<T, BigInt>) {
          return value.bytes.size();
        } else {
          throw TypeError("the type " + std::string(name_of(type())) + " has no size");
        }
      },
      value_);
}

std::string_view Object::Exception::module() const {
  return exception_class(number).module;
}

std::string_view Object::Exception::name() const {
  return exception_class(number).name;
}

// --- comparing -----------------------------------------------------------------------------------

bool operator==(const Object& left, const Object& right) {
  if (left.value_.index() != right.value_.index()) return false;
  return std::visit(
      [&]<typename T>(const T& value) {
        const T& other = std::get<T>(right.value_);
        if constexpr (std::same_as<T, Object::None>) {
          return true;
        } else if constexpr (std::same_as<T, Object::Dict> || std::same_as<T, Object::Set> ||
                             std::same_as<T, Object::FrozenSet>) {
          return std::is_permutation(value.items.begin(), value.items.end(), other.items.begin(),
                                     other.items.end());
        } else if constexpr (HasItems<T>) {
          return value.items == other.items;
        } else if constexpr (HasBytes<T>) {
          return value.bytes == other.bytes;
        } else if constexpr (std::same_as<T, Object::TimeDelta>) {
          return value.days == other.days && value.seconds == other.seconds &&
                 value.microseconds == other.microseconds;
        } else if constexpr (std::same_as<T, Object::Exception>) {
          return value.number == other.number && value.arguments == other.arguments &&
                 value.attributes == other.attributes;
        } else {
          return value == other;
        }
      },
      left.value_);
}

// --- printing ------------------------------------------------------------------------------------

namespace {

std::string joined(const std::vector<Object>& items) {
  std::string text;
  for (const Object& item : items) {
    if (!text.empty()) text += ", ";
    text += item.repr();
  }
  return text;
}

std::string joined(const Pairs& items) {
  std::string text;
  for (const auto& [key, value] : items) {
    if (!text.empty()) text += ", ";
    text += key.repr() + ": " + value.repr();
  }
  return text;
}

// Within a complex number, where integers have no ".0".
std::string repr_of_part(double part) {
  std::string text = repr_of_float(part);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

std::string repr_of_complex(std::complex<double> value) {
  const std::string imaginary = repr_of_part(value.imag()) + "j";
  // Not compared: minus zero is shown.
  if (repr_of_float(value.real()) == "0.0") return imaginary;
  const bool has_sign = imaginary.front() == '-';
  return "(" + repr_of_part(value.real()) + (has_sign ? "" : "+") + imaginary + ")";
}

std::string repr_of_timedelta(const Object::TimeDelta& delta) {
  std::string text;
  const auto add = [&](const char* name, std::int64_t number) {
    if (number == 0) return;
    if (!text.empty()) text += ", ";
    text += std::string(name) + "=" + std::to_string(number);
  };
  add("days", delta.days);
  add("seconds", delta.seconds);
  add("microseconds", delta.microseconds);
  return "datetime.timedelta(" + (text.empty() ? "0" : text) + ")";
}

}  // namespace

std::string Object::repr() const {
  return std::visit(
      Overloaded{
          [](None) -> std::string { return "None"; },
          [](bool value) -> std::string { return value ? "True" : "False"; },
          [](std::int64_t value) { return std::to_string(value); },
          [](const BigInt& value) { return repr_of_big(value.bytes); },
          [](double value) { return repr_of_float(value); },
          [](const std::string& value) { return repr_of_text(value); },
          [](const Bytes& value) { return repr_of_bytes(value.bytes); },
          [](const ByteArray& value) { return "bytearray(" + repr_of_bytes(value.bytes) + ")"; },
          [](const List& value) { return "[" + joined(value.items) + "]"; },
          [](const Tuple& value) {
            return "(" + joined(value.items) + (value.items.size() == 1 ? ",)" : ")");
          },
          [](const Dict& value) { return "{" + joined(value.items) + "}"; },
          [](const Set& value) {
            return value.items.empty() ? "set()" : "{" + joined(value.items) + "}";
          },
          [](const FrozenSet& value) {
            return value.items.empty() ? "frozenset()" : "frozenset({" + joined(value.items) + "})";
          },
          [](std::complex<double> value) { return repr_of_complex(value); },
          [](const TimeDelta& value) { return repr_of_timedelta(value); },
          [](const Exception& value) {
            return std::string(value.name()) + "(" + joined(value.arguments) + ")";
          },
      },
      value_);
}

std::ostream& operator<<(std::ostream& stream, const Object& object) {
  return stream << object.repr();
}

// --- writing -------------------------------------------------------------------------------------

namespace {

void encode_all(Encoder& encoder, const std::vector<Object>& items) {
  for (const Object& item : items) item.encode(encoder);
}

void encode_keys(Encoder& encoder, const std::vector<Object>& items) {
  encoder.begin_key();
  encode_all(encoder, items);
  encoder.end_key();
}

void encode_dict(Encoder& encoder, const Pairs& items) {
  encoder.begin_dict();
  for (const auto& [key, value] : items) {
    encoder.begin_key();
    key.encode(encoder);
    encoder.end_key();
    value.encode(encoder);
  }
  encoder.end_dict();
}

}  // namespace

void Object::encode(Encoder& encoder) const {
  std::visit(
      Overloaded{
          [&](None) { encoder.write_none(); },
          [&](bool value) { encoder.write_bool(value); },
          [&](std::int64_t value) { encoder.write_int(value); },
          [&](const BigInt& value) { encoder.write_big(value.bytes); },
          [&](double value) { encoder.write_float(value); },
          [&](const std::string& value) { encoder.write_text(value); },
          [&](const Bytes& value) { encoder.write_bytes(value.bytes); },
          [&](const ByteArray& value) { encoder.write_bytearray(value.bytes); },
          [&](const List& value) {
            encoder.begin_list();
            encode_all(encoder, value.items);
            encoder.end_list();
          },
          [&](const Tuple& value) {
            encoder.begin_tuple();
            encode_all(encoder, value.items);
            encoder.end_tuple();
          },
          [&](const Dict& value) { encode_dict(encoder, value.items); },
          [&](const Set& value) {
            encoder.begin_set();
            encode_keys(encoder, value.items);
            encoder.end_set();
          },
          [&](const FrozenSet& value) {
            encoder.begin_frozenset();
            encode_keys(encoder, value.items);
            encoder.end_frozenset();
          },
          [&](std::complex<double> value) { encoder.write_complex(value.real(), value.imag()); },
          [&](const TimeDelta& value) {
            encoder.write_timedelta(value.days, value.seconds, value.microseconds);
          },
          [&](const Exception& value) {
            encoder.write_global(value.module(), value.name());
            encoder.begin_tuple();
            encode_all(encoder, value.arguments);
            encoder.end_tuple();
            encoder.call();
            if (value.attributes.empty()) return;
            encode_dict(encoder, value.attributes);
            encoder.set_state();
          },
      },
      value_);
}

std::vector<std::byte> Object::dumped() const {
  Encoder encoder;
  encode(encoder);
  return encoder.finish();
}

// --- reading -------------------------------------------------------------------------------------

namespace {

std::vector<Object> decode_parts(Tree& tree, const Node& node, const Tree::Place& place) {
  std::vector<Object> items;
  items.reserve(node.count);
  Tree::Place below{&place, nullptr, 0, place.depth + 1};
  for (Tree::Cursor parts(tree, node); !parts.at_end(); ++below.index) {
    items.push_back(Object::decode(tree, parts.next(), below));
  }
  return items;
}

Pairs decode_pairs(Tree& tree, const Node& node, const Tree::Place& place) {
  Pairs items;
  items.reserve(node.count / 2);
  for (Tree::Cursor parts(tree, node); !parts.at_end();) {
    const Node& key = parts.next();
    const Tree::Place below{&place, &key, 0, place.depth + 1};
    // In two steps, since the order of a call's arguments is not fixed.
    Object made = Object::decode(tree, key, below);
    items.emplace_back(std::move(made), Object::decode(tree, parts.next(), below));
  }
  return items;
}

std::vector<std::byte> copied(const Node& node) {
  const auto* data = reinterpret_cast<const std::byte*>(node.data);
  return {data, data + node.size};
}

Object::Value decode_value(Tree& tree, const Node& node, const Tree::Place& place) {
  switch (node.type) {
    case Type::none:
      return Object::None{};
    case Type::boolean:
      return node.integer != 0;
    case Type::integer:
      if (node.big) return Object::BigInt{copied(node)};
      return node.integer;
    case Type::floating:
      return node.floating;
    case Type::text:
      return std::string(tree.text(node));
    case Type::bytes:
      return Object::Bytes{copied(node)};
    case Type::bytearray:
      return Object::ByteArray{copied(node)};
    case Type::list:
      return Object::List{decode_parts(tree, node, place)};
    case Type::tuple:
      return Object::Tuple{decode_parts(tree, node, place)};
    case Type::dict:
      return Object::Dict{decode_pairs(tree, node, place)};
    case Type::set:
      return Object::Set{decode_parts(tree, node, place)};
    case Type::frozenset:
      return Object::FrozenSet{decode_parts(tree, node, place)};
    case Type::complex: {
      Tree::Cursor parts(tree, tree.node(node.call.arguments));
      const double real = tree.read_float(parts.next(), place);
      return std::complex<double>(real, tree.read_float(parts.next(), place));
    }
    case Type::timedelta: {
      Tree::Cursor parts(tree, tree.node(node.call.arguments));
      Object::TimeDelta delta{};
      for (std::int64_t* part : {&delta.days, &delta.seconds, &delta.microseconds}) {
        *part = tree.read_int(parts.next(), place, INT64_MIN, INT64_MAX);
      }
      return delta;
    }
    case Type::exception: {
      Object::Exception exception{node.count, {}, {}};
      const Node& arguments = tree.node(node.call.arguments);
      tree.visit(arguments, place);
      exception.arguments = decode_parts(tree, arguments, place);
      const Node& state = tree.node(node.call.state);
      tree.visit(state, place);
      if (state.type == Type::dict) exception.attributes = decode_pairs(tree, state, place);
      return exception;
    }
    case Type::global:
      break;
  }
  tree.throw_unexpected("a value", node, place);
}

}  // namespace

Object Object::decode(Tree& tree, const Node& node, const Tree::Place& place) {
  tree.visit(node, place);
  return Object(decode_value(tree, node, place));
}

Object Object::loaded(std::span<const std::byte> pickle) {
  Tree tree(pickle);
  return decode(tree, tree.root(), {});
}

}  // namespace tutti::inline TUTTI_ABI::pickle
