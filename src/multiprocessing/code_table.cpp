#include "multiprocessing/code_table.h"

#include <algorithm>
#include <string>

#include "platform/module.h"
#include "tutti/errors.h"

namespace tutti::inline TUTTI_ABI::multiprocessing {

namespace {

using runtime::GuardHolder;

constexpr int offset_bits = 48;
constexpr std::uint64_t offset_mask = (std::uint64_t{1} << offset_bits) - 1;

template <std::size_t size>
void write_text(std::array<char, size>& place, const std::string& text, const char* what) {
  if (text.size() >= size) {
    throw RuntimeError("the " + std::string(what) + " of module '" + text +
                       "' is too long for the workers of a pool");
  }
  std::copy(text.begin(), text.end(), place.begin());
}

// Whoever writes wildly may have overwritten the zero.
template <std::size_t size>
std::string read_text(const std::array<char, size>& place) {
  return std::string(place.begin(), std::find(place.begin(), place.end(), '\0'));
}

}  // namespace

std::uint64_t CodeTable::word_for(std::uintptr_t address) {
  if (records_ == nullptr) return address;
  {
    const GuardHolder held(guard_);
    if (const auto known = words_.find(address); known != words_.end()) return known->second;
  }
  const FunctionName name = name_function(address);
  platform::keep_loaded(name.module);
  const GuardHolder held(guard_);
  const std::uint64_t number = number_of(name, address - name.offset);
  return words_[address] = number << offset_bits | name.offset;
}

// Under the guard.
std::size_t CodeTable::number_of(const FunctionName& name, std::uintptr_t base) {
  const auto known = std::find(bases_.begin(), bases_.end(), base);
  if (known != bases_.end()) return static_cast<std::size_t>(known - bases_.begin());
  const std::size_t number = bases_.size();
  if (number == ModuleRecords::most) {
    throw RuntimeError("a pool whose workers are not forked can call functions of at most " +
                       std::to_string(ModuleRecords::most) + " modules");
  }
  ModuleRecords::Record& record = records_->records[number];
  write_text(record.path, name.module, "path");
  write_text(record.build, name.build, "build id");
  bases_.emplace_back(base);
  // Its release pairs with the acquire in address_of().
  records_->count.store(static_cast<std::uint32_t>(number) + 1, platform::release);
  return number;
}

std::uintptr_t CodeTable::address_of(std::uint64_t word) {
  if (records_ == nullptr) return word;
  const auto number = static_cast<std::size_t>(word >> offset_bits);
  const std::uintptr_t offset = word & offset_mask;
  {
    const GuardHolder held(guard_);
    if (number < bases_.size() && bases_[number]) return *bases_[number] + offset;
  }
  if (number >= records_->count.load(platform::acquire) || number >= ModuleRecords::most) {
    throw RuntimeError("a task is about a function of no module: its bytes have been overwritten");
  }
  const ModuleRecords::Record& record = records_->records[number];
  const std::uintptr_t base = find_function({read_text(record.path), read_text(record.build), 0});
  const GuardHolder held(guard_);
  if (bases_.size() <= number) bases_.resize(number + 1);
  bases_[number] = base;
  return base + offset;
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing
