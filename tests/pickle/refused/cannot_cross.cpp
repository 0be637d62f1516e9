// Does not compile: refused_test.cpp looks at what the compiler says to each of these.
#include <tutti/pickle.h>
#include <tutti/pickle/packed.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct WithPointer {
  int number;
  std::string text;
  const char* name;
};
struct WithReference {
  int& number;
};
struct WithView {
  int number;
  std::string_view text;
};
struct WithFunction {
  std::function<void()> action;
  void (*callback)(int);
};
struct WithLock {
  std::mutex mutex;
};
struct WithOwner {
  std::unique_ptr<int> owner;
};
struct Deep {
  std::map<int, std::vector<WithPointer>> all;
};

void send(Deep& deep, WithReference& reference, WithView& view, WithFunction& function,
          WithOwner& owner, std::span<int> span) {
  tutti::pickle::packed_size(deep);
  tutti::pickle::packed_size(reference);
  tutti::pickle::packed_size(view);
  tutti::pickle::packed_size(function);
  tutti::pickle::packed_size(owner);
  tutti::pickle::packed_size(span);
}

WithLock receive(tutti::pickle::Reader& reader) {
  return tutti::pickle::unpack<WithLock>(reader);
}

struct Private {
 private:
  int number_ = 0;
};

std::vector<std::byte> to_python(const Private& value) {
  return tutti::pickle::dumps(value);
}
