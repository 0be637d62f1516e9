// The layout, all numbers in the machine's order:
//
//     8 bytes                number of items, n
//     (n + 1) * 8 bytes      where each item begins in the data, and where the data end
//     data                   8 bytes for a number, a multiple of 8 for text and bytes
//     n * 8 bytes            how each item is packed: "q", "d", "xxxxxxx?", "xxxxxx?x", "24s"
//     n bytes                what it is: 0 a number or bool, 1 text, 2 bytes, 3 None
//
// Other programs write there too, so nothing of it is believed: every offset is checked before use.
#include "tutti/multiprocessing/shareable_list.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>

#include "runtime/describe.h"

namespace tutti::inline TUTTI_ABI::multiprocessing::shared_memory {

namespace {

using Item = ShareableItem;

constexpr std::size_t unit = 8;
constexpr std::string_view int_format = "q";
constexpr std::string_view float_format = "d";
constexpr std::string_view bool_format = "xxxxxxx?";
constexpr std::string_view none_format = "xxxxxx?x";

enum class What : char { number, text, bytes, none };

template <typename T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
void store(std::byte* to, const T& value) {
  std::memcpy(to, &value, sizeof value);
}

// The bytes of a text or of bytes; nothing for other items.
std::optional<std::span<const std::byte>> bytes_of(const Item& item) {
  if (const auto* text = std::get_if<std::string>(&item)) return std::as_bytes(std::span(*text));
  if (const auto* bytes = std::get_if<std::vector<std::byte>>(&item)) return std::span(*bytes);
  return std::nullopt;
}

std::size_t room_for(const Item& item) {
  const auto bytes = bytes_of(item);
  return bytes ? unit * (bytes->size() / unit + 1) : unit;
}

What kind_of(const Item& item) {
  if (std::holds_alternative<std::string>(item)) return What::text;
  if (std::holds_alternative<std::vector<std::byte>>(item)) return What::bytes;
  return std::holds_alternative<None>(item) ? What::none : What::number;
}

// There are `unit` bytes to say how an item is packed: no more than "9999999s".
std::string checked(std::string format) {
  if (format.size() <= unit) return format;
  throw ValueError("an item of a ShareableList has at most 9999992 bytes of room, and '" + format +
                   "' is more" + runtime::in_calling_thread());
}

std::string format_of(const Item& item, std::size_t room) {
  if (bytes_of(item)) return checked(std::to_string(room) + "s");
  if (std::holds_alternative<std::int64_t>(item)) return std::string(int_format);
  if (std::holds_alternative<double>(item)) return std::string(float_format);
  return std::string(std::holds_alternative<bool>(item) ? bool_format : none_format);
}

[[noreturn]] void throw_corrupt(const SharedMemory& memory, std::string_view why) {
  throw ValueError("the shared memory '" + memory.name() + "' holds no list: " + std::string(why) +
                   runtime::in_calling_thread());
}

// One list as it lies in memory.
class Layout {
 public:
  Layout(const SharedMemory& memory, std::size_t size)
      : memory_(memory), bytes_(memory.buf()), size_(size) {
    // (n + 2) numbers, n formats and n codes are there at least.
    if (bytes_.size() < 2 * unit || size > (bytes_.size() - 2 * unit) / (2 * unit + 1)) {
      throw_corrupt(memory, std::to_string(size) + " items have no room in it");
    }
    data_end_ = offset(size);
    if (data_end_ > bytes_.size() - (size + 2) * unit - size * (unit + 1)) {
      throw_corrupt(memory, "its data end beyond its end");
    }
  }

  std::uint64_t offset(std::size_t position) const {
    return load<std::uint64_t>(bytes_.data() + (1 + position) * unit);
  }
  void set_offset(std::size_t position, std::uint64_t value) const {
    store(bytes_.data() + (1 + position) * unit, value);
  }
  // Where an item lies.
  std::span<std::byte> room(std::size_t position) const {
    const std::uint64_t begin = offset(position);
    const std::uint64_t end = offset(position + 1);
    if (begin > end || end > data_end_ || end - begin < unit) {
      throw_corrupt(memory_, "item " + std::to_string(position) + " lies outside of its data");
    }
    return bytes_.subspan((size_ + 2) * unit + begin, end - begin);
  }
  std::string format(std::size_t position) const {
    const std::string text(reinterpret_cast<const char*>(format_at(position)), unit);
    return text.substr(0, text.find_last_not_of('\0') + 1);
  }
  What what(std::size_t position) const { return load<What>(what_at(position)); }

  void describe(std::size_t position, const std::string& format, What what) const {
    std::byte padded[unit] = {};
    std::memcpy(padded, format.data(), checked(format).size());
    std::memcpy(format_at(position), padded, unit);
    store(what_at(position), what);
  }
  // Into a room that is large enough for it.
  static void write(std::span<std::byte> place, const Item& item) {
    if (const auto bytes = bytes_of(item)) {
      std::fill(std::copy(bytes->begin(), bytes->end(), place.begin()), place.end(), std::byte{});
    } else if (const auto* number = std::get_if<std::int64_t>(&item)) {
      store(place.data(), *number);
    } else if (const auto* real = std::get_if<double>(&item)) {
      store(place.data(), *real);
    } else {
      const auto* truth = std::get_if<bool>(&item);
      std::fill_n(place.begin(), unit, std::byte{});
      place[unit - 1] = std::byte{truth != nullptr && *truth};
    }
  }
  Item read(std::size_t position) const {
    const std::span<const std::byte> place = room(position);
    const std::string stored_as = format(position);
    if (what(position) == What::none) return None();
    if (stored_as == int_format) return load<std::int64_t>(place.data());
    if (stored_as == float_format) return load<double>(place.data());
    if (stored_as == bool_format) return place[unit - 1] != std::byte{};
    std::size_t length = 0;
    const char* const end = stored_as.data() + stored_as.size();
    const auto [rest, error] = std::from_chars(stored_as.data(), end, length);
    if (error != std::errc() || rest + 1 != end || *rest != 's' || length > place.size()) {
      throw_corrupt(memory_,
                    "item " + std::to_string(position) + " is packed as '" + stored_as + "'");
    }
    while (length > 0 && place[length - 1] == std::byte{}) --length;
    const std::span<const std::byte> bytes = place.first(length);
    if (what(position) == What::bytes) return std::vector(bytes.begin(), bytes.end());
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

 private:
  std::byte* format_at(std::size_t position) const {
    return bytes_.data() + (size_ + 2 + position) * unit + data_end_;
  }
  std::byte* what_at(std::size_t position) const { return format_at(size_) + position; }

  const SharedMemory& memory_;
  std::span<std::byte> bytes_;
  std::size_t size_;
  std::uint64_t data_end_ = 0;
};

bool is_number(const Item& item) {
  return kind_of(item) == What::number;
}

// As Python compares them.
bool are_equal(const Item& one, const Item& other) {
  if (!is_number(one) || !is_number(other)) return one == other;
  const auto is_real = [](const Item& item) { return std::holds_alternative<double>(item); };
  const auto whole = [](const Item& item) {
    const auto* truth = std::get_if<bool>(&item);
    return truth != nullptr ? std::int64_t{*truth} : std::get<std::int64_t>(item);
  };
  if (!is_real(one) && !is_real(other)) return whole(one) == whole(other);
  // Exactly: a double has no room for every 64-bit number.
  const auto real = [&](const Item& item) {
    return is_real(item) ? static_cast<long double>(std::get<double>(item))
                         : static_cast<long double>(whole(item));
  };
  return real(one) == real(other);
}

std::ptrdiff_t size_of_list(const std::vector<Item>& sequence) {
  std::size_t size = 2 * unit;
  for (const Item& item : sequence) {
    const std::size_t room = room_for(item);
    format_of(item, room);  // Throws if there is none, before there is a block.
    size += unit + room + unit + 1;
  }
  return static_cast<std::ptrdiff_t>(size);
}

}  // namespace

ShareableList::ShareableList(const std::vector<Item>& sequence, std::optional<std::string> name)
    : memory_(std::move(name), true, size_of_list(sequence)), size_(sequence.size()) {
  const std::span<std::byte> bytes = memory_.buf();
  store(bytes.data(), static_cast<std::uint64_t>(size_));
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    store(bytes.data() + (1 + i) * unit, offset);
    offset += room_for(sequence[i]);
  }
  store(bytes.data() + (1 + size_) * unit, offset);
  const Layout layout(memory_, size_);
  for (std::size_t i = 0; i < size_; ++i) {
    const std::span<std::byte> place = layout.room(i);
    if (place.size() != room_for(sequence[i])) throw_corrupt(memory_, "somebody has changed it");
    Layout::write(place, sequence[i]);
    layout.describe(i, format_of(sequence[i], place.size()), kind_of(sequence[i]));
  }
}

ShareableList::ShareableList(SharedMemory memory) : memory_(std::move(memory)) {
  if (memory_.size() < 2 * unit) throw_corrupt(memory_, "it is too small");
  size_ = static_cast<std::size_t>(load<std::uint64_t>(memory_.buf().data()));
  const Layout checked(memory_, size_);
}

ShareableList ShareableList::attach(std::string name) {
  return ShareableList(SharedMemory(std::move(name)));
}

std::size_t ShareableList::checked(std::ptrdiff_t position) const {
  const auto size = static_cast<std::ptrdiff_t>(size_);
  const std::ptrdiff_t from_begin = position < 0 ? position + size : position;
  if (from_begin >= 0 && from_begin < size) return static_cast<std::size_t>(from_begin);
  throw IndexError("position " + std::to_string(position) + " is not in the list '" +
                   memory_.name() + "' of " + std::to_string(size_) + " items" +
                   runtime::in_calling_thread());
}

ShareableItem ShareableList::item(std::ptrdiff_t position) const {
  return Layout(memory_, size_).read(checked(position));
}

void ShareableList::set(std::ptrdiff_t position, const Item& value) {
  const std::size_t at = checked(position);
  const Layout layout(memory_, size_);
  // Asked for once: others may change what it says at any time.
  const std::span<std::byte> place = layout.room(at);
  const std::size_t room = place.size();
  const auto bytes = bytes_of(value);
  if (bytes && bytes->size() > room) {
    throw ValueError("item " + std::to_string(at) + " of the list '" + memory_.name() +
                     "' can't be " + std::to_string(bytes->size()) +
                     " bytes long: it exceeds the available storage of " + std::to_string(room) +
                     runtime::in_calling_thread());
  }
  layout.describe(at, format_of(value, room), kind_of(value));
  Layout::write(place, value);
}

std::vector<ShareableItem> ShareableList::items() const {
  const Layout layout(memory_, size_);
  std::vector<Item> all;
  for (std::size_t i = 0; i < size_; ++i) all.push_back(layout.read(i));
  return all;
}

std::size_t ShareableList::count(const Item& value) const {
  const std::vector<Item> all = items();
  return static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [&](const Item& one) { return are_equal(one, value); }));
}

std::size_t ShareableList::index(const Item& value) const {
  const std::vector<Item> all = items();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Item& one) { return are_equal(one, value); });
  if (found != all.end()) return static_cast<std::size_t>(found - all.begin());
  throw ValueError("the value is not in the list '" + memory_.name() + "'" +
                   runtime::in_calling_thread());
}

std::string ShareableList::format() const {
  const Layout layout(memory_, size_);
  std::string all;
  for (std::size_t i = 0; i < size_; ++i) all += layout.format(i);
  return all;
}

void ShareableList::throw_other_type(std::ptrdiff_t position) const {
  throw TypeError("item " + std::to_string(position) + " of the list '" + memory_.name() +
                  "' is of another type" + runtime::in_calling_thread());
}

}  // namespace tutti::inline TUTTI_ABI::multiprocessing::shared_memory
