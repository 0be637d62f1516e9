#include "queue/linearizable.h"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <limits>
#include <set>
#include <stdexcept>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace tests {

namespace {

constexpr Moment never = std::numeric_limits<Moment>::max();

// --- the search ----------------------------------------------------------------------------------

/// A queue as one thread sees it.
class Model {
 public:
  explicit Model(const Promise& promise) : promise_(promise) {}

  /// Does it if the queue would do the same.
  bool takes(const Operation& operation) {
    switch (operation.action) {
      case Action::put:
        return takes_put(operation);
      case Action::get:
        return takes_get(operation);
      case Action::shutdown:
        is_shut_down_ = true;
        return true;
      case Action::immediate_shutdown:
        is_shut_down_ = true;
        items_.clear();
        return true;
    }
    return false;
  }

  auto operator<=>(const Model& other) const {
    return std::tie(is_shut_down_, items_) <=> std::tie(other.is_shut_down_, other.items_);
  }

 private:
  bool takes_put(const Operation& operation) {
    if (operation.outcome == Outcome::shut_down) return is_shut_down_;
    const bool is_full = promise_.maxsize != 0 && items_.size() >= promise_.maxsize;
    if (is_shut_down_ || is_full != (operation.outcome == Outcome::full)) return false;
    if (is_full) return true;
    // The item to be given out next is the last.
    auto place = items_.end();
    if (promise_.order == Order::first_in_first_out) place = items_.begin();
    if (promise_.order == Order::lowest_first) {
      place = std::lower_bound(items_.begin(), items_.end(), operation.value, std::greater<>());
    }
    items_.insert(place, operation.value);
    return true;
  }

  bool takes_get(const Operation& operation) {
    if (items_.empty()) {
      return operation.outcome == (is_shut_down_ ? Outcome::shut_down : Outcome::empty);
    }
    if (operation.outcome != Outcome::done || items_.back() != operation.value) return false;
    items_.pop_back();
    return true;
  }

  Promise promise_;
  bool is_shut_down_ = false;
  std::vector<Value> items_;
};

class Search {
 public:
  explicit Search(const History& history) : operations_(history) {
    if (operations_.size() > 64) throw std::invalid_argument("too long a history to search");
    // Who returned first most likely came first.
    std::sort(operations_.begin(), operations_.end(),
              [](const Operation& a, const Operation& b) { return a.returned < b.returned; });
  }

  /// Whether the operations that are not in `done`, a set of bits, can follow on `model`.
  bool succeeds(std::uint64_t done, const Model& model) {
    Moment first_return = never;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      if ((done >> i & 1) == 0) {
        first_return = operations_[i].returned;
        break;
      }
    }
    if (first_return == never) return true;
    if (!seen_.emplace(done, model).second) return false;
    if (seen_.size() > most_seen) throw TooHard("too hard a history to search");
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      // Nothing may come before what had returned before it was called.
      if ((done >> i & 1) != 0 || operations_[i].called > first_return) continue;
      Model next = model;
      if (next.takes(operations_[i]) && succeeds(done | std::uint64_t{1} << i, next)) return true;
    }
    return false;
  }

 private:
  static constexpr std::size_t most_seen = 1'000'000;

  History operations_;
  std::set<std::pair<std::uint64_t, Model>> seen_;
};

// --- the patterns --------------------------------------------------------------------------------

struct Interval {
  Moment from;
  Moment to;
};

/// For each moment, how many of the intervals have begun and not ended.
class Count {
 public:
  Count(const std::vector<Interval>& intervals, Moment end) : counts_(end + 1, 0) {
    for (const Interval& interval : intervals) {
      if (interval.from >= interval.to) continue;
      ++counts_[interval.from];
      --counts_[std::min(interval.to, end)];
    }
    for (std::size_t i = 1; i < counts_.size(); ++i) counts_[i] += counts_[i - 1];
  }
  const std::vector<std::int64_t>& at() const { return counts_; }

 private:
  std::vector<std::int64_t> counts_;
};

/// Whether something holds at any moment of an interval.
class Anywhere {
 public:
  Anywhere(const Count& count, const std::function<bool(std::int64_t)>& holds) {
    for (const std::int64_t n : count.at()) before_.push_back(before_.back() + (holds(n) ? 1 : 0));
  }
  bool in(Interval interval) const {
    return interval.from < interval.to && before_[interval.to] > before_[interval.from];
  }

 private:
  // How many moments before it at which it holds.
  std::vector<std::size_t> before_{0};
};

class Patterns {
 public:
  Patterns(const History& history, std::size_t maxsize) : history_(history), maxsize_(maxsize) {}

  std::optional<std::string> find() {
    note_shutdowns();
    note_items();
    for (const auto& search : {&Patterns::got_wrongly, &Patterns::wrong_shutdown,
                               &Patterns::out_of_order, &Patterns::wrong_size}) {
      if (auto found = (this->*search)()) return found;
    }
    return std::nullopt;
  }

 private:
  struct Item {
    const Operation* put = nullptr;
    const Operation* get = nullptr;
  };

  static std::string say(const std::string& what, std::initializer_list<const Operation*> who) {
    History involved;
    for (const Operation* operation : who) {
      if (operation != nullptr) involved.push_back(*operation);
    }
    return what + ":\n" + to_string(involved);
  }

  void note_shutdowns() {
    for (const Operation& operation : history_) {
      end_ = std::max(end_, operation.returned + 1);
      if (operation.action != Action::shutdown && operation.action != Action::immediate_shutdown) {
        continue;
      }
      shutdown_.from = std::min(shutdown_.from, operation.called);
      shutdown_.to = std::min(shutdown_.to, operation.returned);
      if (operation.action == Action::shutdown) continue;
      drop_.from = std::min(drop_.from, operation.called);
      drop_.to = std::min(drop_.to, operation.returned);
    }
  }

  void note_items() {
    for (const Operation& operation : history_) {
      if (operation.action != Action::put || operation.outcome != Outcome::done) continue;
      if (!items_.try_emplace(operation.value, Item{&operation, nullptr}).second) {
        throw std::invalid_argument(std::to_string(operation.value) + " is put twice");
      }
    }
  }

  std::optional<std::string> got_wrongly() {
    for (const Operation& get : history_) {
      if (get.action != Action::get || get.outcome != Outcome::done) continue;
      const auto item = items_.find(get.value);
      if (item == items_.end()) return say("got but never put", {&get});
      const Operation*& first = item->second.get;
      if (first != nullptr) return say("got twice", {item->second.put, first, &get});
      first = &get;
      if (get.returned < item->second.put->called) {
        return say("got before it was put", {item->second.put, &get});
      }
      if (get.called > drop_.to) return say("got after it was dropped", {item->second.put, &get});
    }
    return std::nullopt;
  }

  std::optional<std::string> wrong_shutdown() {
    for (const Operation& operation : history_) {
      if (operation.outcome == Outcome::shut_down) {
        if (operation.returned < shutdown_.from) return say("ShutDown too early", {&operation});
        continue;
      }
      const bool still_can = operation.action != Action::put && operation.outcome == Outcome::done;
      if (!still_can && operation.called > shutdown_.to) {
        return say("not ShutDown after the shutdown", {&operation});
      }
    }
    return std::nullopt;
  }

  /// An item was put before another, and the other had been got before anybody asked for the first.
  std::optional<std::string> out_of_order() {
    std::vector<Item> by_return;
    for (const auto& [value, item] : items_) by_return.push_back(item);
    std::vector<Item> by_call = by_return;
    std::sort(by_return.begin(), by_return.end(),
              [](const Item& a, const Item& b) { return a.put->returned < b.put->returned; });
    std::sort(by_call.begin(), by_call.end(),
              [](const Item& a, const Item& b) { return a.put->called < b.put->called; });
    const auto wanted = [](const Item& item) {
      return item.get == nullptr ? never : item.get->called;
    };
    // Of all that were put before the later one, the one that was wanted last.
    const Item* earlier = nullptr;
    auto next = by_return.begin();
    for (const Item& later : by_call) {
      for (; next != by_return.end() && next->put->returned < later.put->called; ++next) {
        if (earlier == nullptr || wanted(*next) > wanted(*earlier)) earlier = &*next;
      }
      if (earlier != nullptr && later.get != nullptr && later.get->returned < wanted(*earlier)) {
        return say("not first in, first out", {earlier->put, earlier->get, later.put, later.get});
      }
    }
    return std::nullopt;
  }

  std::optional<std::string> wrong_size() {
    // From when on and until when an item is there for sure, and from when on and until when it can
    // be.
    std::vector<Interval> sure;
    std::vector<Interval> possible;
    for (const auto& [value, item] : items_) {
      const Interval taken =
          item.get == nullptr ? drop_ : Interval{item.get->called, item.get->returned};
      sure.push_back({item.put->returned, std::min(taken.from, end_)});
      possible.push_back({item.put->called, std::min(taken.to, end_)});
    }
    const Count at_least(sure, end_);
    const Count at_most(possible, end_);
    const auto limit = maxsize_ == 0 ? std::numeric_limits<std::int64_t>::max()
                                     : static_cast<std::int64_t>(maxsize_);
    const Anywhere may_be_empty(at_least, [](std::int64_t n) { return n == 0; });
    const Anywhere may_be_full(at_most, [limit](std::int64_t n) { return n >= limit; });
    const Anywhere is_too_full(at_least, [limit](std::int64_t n) { return n > limit; });
    if (is_too_full.in({0, end_})) return "more items than its maxsize at one time";
    for (const Operation& operation : history_) {
      const Interval open{operation.called, std::min(operation.returned, shutdown_.to)};
      const Interval closed{std::max(operation.called, shutdown_.from), operation.returned};
      switch (operation.outcome) {
        case Outcome::done:
          break;
        case Outcome::empty:
          if (!may_be_empty.in(open)) return say("Empty while there was an item", {&operation});
          break;
        case Outcome::full:
          if (!may_be_full.in(open)) return say("Full while there was room", {&operation});
          break;
        case Outcome::shut_down:
          if (operation.action == Action::get && !may_be_empty.in(closed)) {
            return say("ShutDown while there was an item", {&operation});
          }
          break;
      }
    }
    return std::nullopt;
  }

  const History& history_;
  const std::size_t maxsize_;
  std::unordered_map<Value, Item> items_;
  /// The first shutdown's call and the first one's return: in between it takes effect. The same for
  /// the immediate ones.
  Interval shutdown_{never, never};
  Interval drop_{never, never};
  Moment end_ = 0;
};

}  // namespace

bool is_linearizable(const History& history, const Promise& promise) {
  return Search(history).succeeds(0, Model(promise));
}

std::optional<std::string> bad_pattern(const History& history, std::size_t maxsize) {
  return Patterns(history, maxsize).find();
}

}  // namespace tests
