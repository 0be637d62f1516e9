// Thread-local storage that belongs to an object.
#include "tutti/threading/local.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/guard.h"
#include "threading/errors.h"

namespace tutti::inline TUTTI_ABI::threading {

/// The values of all threads. Owned by the LocalStorage; threads refer to it weakly, to take their
/// value out when they end.
class LocalStorage::Table {
 public:
  explicit Table(Factory factory) : make(std::move(factory)) {}

  const Factory make;
  runtime::Guard guard;  // Guards what follows.
  /// By the address of each thread's Memory.
  std::unordered_map<const void*, std::shared_ptr<void>> values;
};

namespace {

// Where the calling thread finds its values again. A table's address can be that of an earlier one
// that is gone; the weak pointer tells.
template <typename Table>
struct Memory {
  struct Entry {
    std::weak_ptr<Table> table;
    void* value;
  };
  std::unordered_map<const Table*, Entry> entries;
  std::size_t sweep_at = 64;
  static constexpr int rounds_at_end = 8;

  ~Memory() {
    // Destructors of values may use other values, and so make new ones; not for ever.
    for (int round = 0; round < rounds_at_end && !entries.empty(); ++round) {
      auto ending = std::exchange(entries, {});
      for (auto& [address, entry] : ending) take_out(entry);
    }
  }

  // Destroys this thread's value, outside the guard: its destructor is the user's.
  void take_out(Entry& entry) {
    const std::shared_ptr<Table> table = entry.table.lock();
    if (table == nullptr) return;
    std::shared_ptr<void> value;
    const runtime::GuardHolder held(table->guard);
    if (const auto found = table->values.find(this); found != table->values.end()) {
      value = std::move(found->second);
      table->values.erase(found);
    }
  }

  // Forgets tables that are gone, in time proportional to the entries made since the last time.
  void sweep() {
    if (entries.size() < sweep_at) return;
    std::erase_if(entries, [](const auto& item) { return item.second.table.expired(); });
    sweep_at = 2 * entries.size() + 64;
  }
};

}  // namespace

LocalStorage::LocalStorage(Factory factory) : table_(std::make_shared<Table>(std::move(factory))) {}

LocalStorage::~LocalStorage() = default;

void* LocalStorage::get() const {
  static thread_local Memory<Table> memory;
  const auto found = memory.entries.find(table_.get());
  if (found != memory.entries.end() && !found->second.table.expired()) return found->second.value;

  std::shared_ptr<void> value = table_->make();
  void* const address = value.get();
  memory.sweep();
  memory.entries.insert_or_assign(table_.get(), typename Memory<Table>::Entry{table_, address});
  const runtime::GuardHolder held(table_->guard);
  table_->values.insert_or_assign(&memory, std::move(value));
  return address;
}

void local::throw_missing(const std::string& name) {
  throw AttributeError("this threading::local has no attribute '" + name + "' in " +
                       runtime::describe_calling_thread());
}

void local::throw_other_type(const std::string& name, const std::type_info& set,
                             const std::type_info& asked) {
  throw TypeError("attribute '" + name + "' was set as " + platform::readable_name(set.name()) +
                  ", not as " + platform::readable_name(asked.name()) + " (in " +
                  runtime::describe_calling_thread() + ")");
}

}  // namespace tutti::inline TUTTI_ABI::threading
