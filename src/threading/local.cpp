// Thread-local storage that belongs to an object.
#include "tutti/threading/local.h"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/guard.h"
#include "threading/errors.h"

namespace tutti::inline TUTTI_ABI::threading {

namespace {

using runtime::GuardHolder;
using runtime::leaf_guard;

// Tells threads apart, those too whose other thread-local objects are gone. Never used twice.
std::uint64_t this_thread() {
  static constinit platform::atomic<std::uint64_t> last{0};
  static constinit thread_local std::uint64_t number = 0;
  if (number == 0) number = last.fetch_add(1, platform::relaxed) + 1;
  return number;
}

}  // namespace

/// The values of all threads, by number of the thread. Owned by the LocalStorage; threads refer to
/// it weakly, to take their values out when they end.
class LocalStorage::Table {
 public:
  explicit Table(Factory factory) : make(std::move(factory)) {}

  std::shared_ptr<void> find(std::uint64_t thread) {
    const GuardHolder held(leaf_guard);
    const auto found = values_.find(thread);
    return found == values_.end() ? nullptr : found->second;
  }

  void put(std::uint64_t thread, std::shared_ptr<void> value) {
    const GuardHolder held(leaf_guard);
    values_.emplace(thread, std::move(value));
  }

  std::shared_ptr<void> take_out(std::uint64_t thread) {
    const GuardHolder held(leaf_guard);
    const auto found = values_.find(thread);
    if (found == values_.end()) return nullptr;
    std::shared_ptr<void> value = std::move(found->second);
    values_.erase(found);
    return value;
  }

  const Factory make;

 private:
  std::unordered_map<std::uint64_t, std::shared_ptr<void>> values_;  // Guarded by leaf_guard.
};

namespace {

constinit thread_local bool memory_is_gone = false;

// Where the calling thread finds its values again without the guard. A table's address can be that
// of an earlier one that is gone; the weak pointer tells.
template <typename Table>
struct Memory {
  struct Entry {
    std::weak_ptr<Table> table;
    void* value;
  };
  std::unordered_map<const Table*, Entry> entries;
  std::size_t sweep_at = 64;

  ~Memory() {
    // One after the other: destructors of values may use other values, those still here and new
    // ones; but not for ever.
    constexpr int rounds = 8;
    for (int round = 0; round < rounds; ++round) {
      for (std::size_t left = entries.size(); left > 0 && !entries.empty(); --left) {
        const std::shared_ptr<Table> table = entries.begin()->second.table.lock();
        const std::shared_ptr<void> value =
            table == nullptr ? nullptr : table->take_out(this_thread());
        entries.erase(entries.begin());
      }
    }
    memory_is_gone = true;
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
  if (!memory_is_gone) {
    const auto found = memory.entries.find(table_.get());
    if (found != memory.entries.end() && !found->second.table.expired()) {
      return found->second.value;
    }
  } else if (const std::shared_ptr<void> known = table_->find(this_thread())) {
    // In a destructor that comes later than ours: the value lives as long as the Local.
    return known.get();
  }

  std::shared_ptr<void> value = table_->make();
  void* const address = value.get();
  if (!memory_is_gone) {
    memory.sweep();
    memory.entries.insert_or_assign(table_.get(), typename Memory<Table>::Entry{table_, address});
  }
  table_->put(this_thread(), std::move(value));
  return address;
}

void local::throw_missing(const std::string& name) {
  throw AttributeError("this threading::local has no attribute '" + name + "' in " +
                       runtime::describe_calling_thread());
}

void local::throw_other_type(const std::string& name, const std::type_info& set,
                             const std::type_info& asked) {
  throw TypeError("attribute '" + name + "' was set as " + platform::readable_name(set.name()) +
                  ", not as " + platform::readable_name(asked.name()) +
                  runtime::in_calling_thread());
}

}  // namespace tutti::inline TUTTI_ABI::threading
