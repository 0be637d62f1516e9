#include "multiprocessing/memory_tracker.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "platform/stream.h"
#include "platform/survivor.h"
#include "runtime/describe.h"
#include "runtime/fixed_text.h"
#include "runtime/guard.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::shared_memory {

namespace {

using runtime::GuardHolder;

/// One listed block. All-zero = free.
///
///   free → claimed   by whoever is about to list a block
///   claimed → number of the file   once the rest of the entry is written
///   number of the file → free   by whoever has unlinked the block
///
/// All in one word, so that each happens once, also when several processes unlink at a time.
/// Numbers of files are above 1 and not used again while the file is open. A process killed with an
/// entry claimed leaves that unusable, and no block.
struct Entry {
  static constexpr std::uint64_t free = 0;
  static constexpr std::uint64_t claimed = 1;

  platform::atomic<std::uint64_t> number;
  std::uint64_t device;
  std::array<char, platform::longest_memory_name + 2> name;
};

constexpr std::size_t most_blocks = 16384;

struct Table {
  /// No entry from here on was ever used.
  platform::atomic<std::size_t> end;
  std::array<Entry, most_blocks> entries;
};

// In the survivor, when nobody else has the table any more.
void remove_listed(void* argument) {
  Table& table = *static_cast<Table*>(argument);
  const std::size_t end = std::min(table.end.load(platform::acquire), most_blocks);
  for (std::size_t i = 0; i < end; ++i) {
    const Entry& entry = table.entries[i];
    // acquire: pairs with the release in list(); the rest of the entry is there.
    const std::uint64_t number = entry.number.load(platform::acquire);
    if (number == Entry::free || number == Entry::claimed) continue;
    if (!platform::unlink_memory_if(entry.name.data(), {entry.device, number})) continue;
    runtime::FixedText<400> text;
    text.add("tutti: the program has ended without unlink() of the shared memory '")
        .add_printable(entry.name.data())
        .add("', which is removed now\n");
    platform::write_error(text.text());
  }
}

// Before all other initialisers: 101 is the first that is not the compiler's own.
[[gnu::constructor(101)]] void survive_in_place_of_the_program() noexcept {
  platform::survive_if_told(remove_listed);
}

// --- this process's part -------------------------------------------------------------------------

// Held over a fork, so that the child finds the rest whole; and, with the first block, while the
// survivor is started: others who come then need it too.
constinit runtime::Guard guard;
// Null while this process has no block listed.
Table* table = nullptr;
int lifeline = -1;
// The numbers of those that this process, or one that it was forked from, has listed.
std::vector<std::uint64_t>& own() {
  static std::vector<std::uint64_t>& numbers = *new std::vector<std::uint64_t>;
  return numbers;
}

void prepare_for_forks() {
  static const bool prepared = [] {
    platform::around_fork({[] { guard.lock(); }, [] { guard.unlock(); }, [] { guard.unlock(); }});
    return true;
  }();
  (void)prepared;
}

int begin() noexcept {
  const platform::InheritedPages pages = platform::map_inherited(sizeof(Table));
  if (pages.begin == nullptr) return ENOMEM;
  const platform::Survivor survivor = platform::start_survivor(remove_listed, pages);
  if (survivor.error != 0) {
    platform::unmap_inherited(pages.begin, pages.size);
    return survivor.error;
  }
  table = static_cast<Table*>(pages.begin);
  lifeline = survivor.lifeline;
  return 0;
}

void end() noexcept {
  platform::close_descriptor(lifeline);
  platform::unmap_inherited(table, sizeof(Table));
  table = nullptr;
  lifeline = -1;
}

bool list(const std::string& name, const platform::FileIdentity& identity) noexcept {
  for (std::size_t i = 0; i < most_blocks; ++i) {
    Entry& entry = table->entries[i];
    std::uint64_t number = Entry::free;
    if (!entry.number.compare_exchange_strong(number, Entry::claimed, platform::acquire,
                                              platform::relaxed)) {
      continue;
    }
    std::size_t known = table->end.load(platform::relaxed);
    while (known <= i && !table->end.compare_exchange_weak(known, i + 1, platform::release)) {
    }
    entry.device = identity.device;
    std::memcpy(entry.name.data(), name.c_str(), name.size() + 1);
    entry.number.store(identity.number, platform::release);
    return true;
  }
  return false;
}

Entry* find(std::uint64_t number) noexcept {
  const std::size_t end_of_used = table->end.load(platform::acquire);
  for (std::size_t i = 0; i < end_of_used; ++i) {
    Entry& entry = table->entries[i];
    if (entry.number.load(platform::relaxed) == number) return &entry;
  }
  return nullptr;
}

[[noreturn]] void throw_untracked(const std::string& name, const std::string& why, int error) {
  throw OSError("can't track the shared memory '" + name + "': " + why +
                    "; with track = false it would be left behind by a program that is killed" +
                    runtime::in_calling_thread(),
                error);
}

}  // namespace

void track(const std::string& name, const platform::FileIdentity& identity) {
  prepare_for_forks();
  int error = 0;
  {
    const GuardHolder held(guard);
    if (table == nullptr) error = begin();
    own().reserve(own().size() + 1);
    if (error == 0 && !list(name, identity)) error = ENOSPC;
    if (error == 0) own().push_back(identity.number);
  }
  if (error == ENOSPC) {
    throw_untracked(name, std::to_string(most_blocks) + " blocks are tracked already", error);
  }
  if (error != 0) throw_untracked(name, std::strerror(error), error);
}

void forget(const platform::FileIdentity& identity) noexcept {
  const GuardHolder held(guard);
  if (table == nullptr) return;
  if (Entry* const entry = find(identity.number)) {
    std::uint64_t number = identity.number;
    entry->number.compare_exchange_strong(number, Entry::free, platform::release,
                                          platform::relaxed);
  }
  // Those that other processes have unlinked are gone too.
  std::erase_if(own(), [](std::uint64_t number) { return find(number) == nullptr; });
  if (own().empty()) end();
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::shared_memory
