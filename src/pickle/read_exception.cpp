// Exceptions of Python as those of C++.
#include <string>
#include <vector>

#include "pickle/exception_classes.h"
#include "tutti/pickle/exceptions.h"
#include "tutti/pickle/object.h"
#include "tutti/pickle/tree.h"

namespace tutti::inline TUTTI_ABI::pickle {

namespace {

std::string str(const Object& object) {
  const auto* text = std::get_if<std::string>(&object.value());
  return text != nullptr ? *text : object.repr();
}

// Its type and text, as Python's str() says it.
ThrownRecord record_of(const Object::Exception& exception) {
  ThrownRecord record{type_of(exception.number), known_of(exception.number), ""};
  const std::vector<Object>& arguments = exception.arguments;
  if (arguments.size() >= 2 && arguments[0].type() == Type::integer &&
      has_error_number(record.known)) {
    const auto* code = std::get_if<std::int64_t>(&arguments[0].value());
    if (code != nullptr && *code == static_cast<int>(*code)) record.code = static_cast<int>(*code);
    record.text = str(arguments[1]);
    if (arguments.size() >= 3 && !arguments[2].is_none()) {
      record.text += ": " + arguments[2].repr();
    }
  } else if (arguments.size() == 1) {
    record.text = exception.name() == "KeyError" ? arguments[0].repr() : str(arguments[0]);
  } else if (!arguments.empty()) {
    record.text = Object(Object::Tuple{arguments}).repr();
  }
  return record;
}

const Object* cause_of(const Object::Exception& exception) {
  for (const auto& [name, value] : exception.attributes) {
    if (name == Object("__cause__") && value.type() == Type::exception) return &value;
  }
  return nullptr;
}

}  // namespace

std::exception_ptr Tree::read_exception(const Node& node, const Place& place) {
  if (node.type != Type::exception && node.type != Type::none) {
    throw_unexpected("exception", node, place);
  }
  const Object object = Object::decode(*this, node, place);
  std::vector<ThrownRecord> chain;
  for (const Object* at = &object; at != nullptr && !at->is_none();) {
    const auto& exception = std::get<Object::Exception>(at->value());
    chain.push_back(record_of(exception));
    at = cause_of(exception);
  }
  return rebuild_exception(chain);
}

}  // namespace tutti::inline TUTTI_ABI::pickle
