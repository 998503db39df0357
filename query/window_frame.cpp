#include "query/window_frame.h"

#include <algorithm>

#include "common/array_value.h"
#include "common/calendar.h"
#include "common/decimal.h"
#include "common/error.h"
#include "common/timestamp_arithmetic.h"

namespace idem {

namespace {

using Bound = LogicalPlan::Window::Bound;
using Mode = LogicalPlan::Window::Mode;
using Exclude = LogicalPlan::Window::Exclude;

int64_t saturating_add(int64_t a, int64_t b) {
  int64_t sum;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? INT64_MIN : INT64_MAX;
}

// Compares the key of a row with a limit `distance` away from another row's key; distance is added where
// `up`.
class RangeLimit {
 public:
  RangeLimit(SqlType type, const void* key, const Value& distance, bool up) : type_(type) {
    switch (physical_type(type)) {
      case PhysicalType::kInt16: whole_ = *static_cast<const int16_t*>(key); break;
      case PhysicalType::kInt32: whole_ = *static_cast<const int32_t*>(key); break;
      case PhysicalType::kInt64: whole_ = *static_cast<const int64_t*>(key); break;
      case PhysicalType::kFloat: real_ = static_cast<double>(*static_cast<const float*>(key)); break;
      case PhysicalType::kDouble: real_ = *static_cast<const double*>(key); break;
      case PhysicalType::kDecimal: decimal_ = *static_cast<const Decimal*>(key); break;
      default: unsupported();
    }
    move(distance, up);
  }

  // Sign of (key - limit).
  int compare(const void* key) const {
    const auto order = [](auto a, auto b) { return a < b ? -1 : a > b ? 1 : 0; };
    switch (physical_type(type_)) {
      case PhysicalType::kInt16: return order(int64_t{*static_cast<const int16_t*>(key)}, whole_);
      case PhysicalType::kInt32: return order(scaled(*static_cast<const int32_t*>(key)), whole_);
      case PhysicalType::kInt64: return order(*static_cast<const int64_t*>(key), whole_);
      case PhysicalType::kFloat: return order(static_cast<double>(*static_cast<const float*>(key)), real_);
      case PhysicalType::kDouble: return order(*static_cast<const double*>(key), real_);
      default: return idem::compare(*static_cast<const Decimal*>(key), decimal_);
    }
  }

 private:
  // A date is compared as the timestamp of its midnight once an interval has been added.
  int64_t scaled(int32_t value) const {
    return type_.id == TypeId::kDate && as_timestamp_ ? timestamp_from_date(value) : value;
  }

  void move(const Value& distance, bool up) {
    if (distance.type().id == TypeId::kInterval) {
      if (type_.id == TypeId::kDate) {
        whole_ = timestamp_from_date(static_cast<int32_t>(whole_));
        as_timestamp_ = true;
      } else if (!is_timestamp(type_.id) && type_.id != TypeId::kTime) {
        unsupported();
      }
      const Interval& interval = distance.as_interval();
      if (type_.id == TypeId::kTime) {
        whole_ = saturating_add(whole_, up ? interval.micros : -interval.micros);
      } else {
        whole_ = up ? add_interval(whole_, interval) : subtract_interval(whole_, interval);
      }
      return;
    }
    switch (physical_type(type_)) {
      case PhysicalType::kFloat:
      case PhysicalType::kDouble: real_ += up ? number(distance) : -number(distance); break;
      case PhysicalType::kDecimal: {
        const Decimal step = physical_type(distance.type()) == PhysicalType::kDecimal
                                 ? distance.as_decimal()
                                 : decimal_from_double(number(distance));
        decimal_ = up ? add(decimal_, step) : subtract(decimal_, step);
        break;
      }
      default:
        if (physical_type(distance.type()) == PhysicalType::kDecimal ||
            physical_type(distance.type()) == PhysicalType::kString) {
          unsupported();
        }
        whole_ = saturating_add(whole_, up ? distance.as_int() : -distance.as_int());
    }
  }

  static double number(const Value& value) {
    switch (physical_type(value.type())) {
      case PhysicalType::kFloat:
      case PhysicalType::kDouble: return value.as_double();
      case PhysicalType::kDecimal: return decimal_to_double(value.as_decimal());
      default: return static_cast<double>(value.as_int());
    }
  }

  [[noreturn]] void unsupported() const {
    throw sql_error(sqlstate::kFeatureNotSupported,
                    "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {}",
                    format_type(type_));
  }

  SqlType type_;
  int64_t whole_ = 0;
  double real_ = 0;
  Decimal decimal_;
  bool as_timestamp_ = false;
};

}  // namespace

// Without ORDER BY all rows are peers.
static bool is_all_peers(const LogicalPlan::Window& window, Bound bound) {
  return bound == Bound::kCurrentRow && window.mode != Mode::kRows && window.order_by.empty();
}

bool begins_with_partition(const LogicalPlan::Window& window) {
  return window.start == Bound::kUnboundedPreceding || is_all_peers(window, window.start);
}

bool ends_with_partition(const LogicalPlan::Window& window) {
  return window.end == Bound::kUnboundedFollowing || is_all_peers(window, window.end);
}

PartitionFrames::PartitionFrames(const LogicalPlan::Window& window, const FrameOffsets& offsets,
                                 const RowStore& rows, const std::vector<uint32_t>& ids, size_t begin,
                                 size_t end, size_t order_column, const std::vector<size_t>& peer_begin,
                                 const std::vector<size_t>& peer_end)
    : window_(window),
      offsets_(offsets),
      rows_(rows),
      ids_(ids),
      begin_(begin),
      end_(end),
      order_column_(order_column),
      peer_begin_(peer_begin),
      peer_end_(peer_end) {}

bool PartitionFrames::is_whole_partition() const {
  return window_.exclude == Exclude::kNoOthers && begins_with_partition(window_) &&
         ends_with_partition(window_);
}

bool PartitionFrames::is_running() const {
  return window_.exclude == Exclude::kNoOthers && window_.start == Bound::kUnboundedPreceding &&
         window_.end == Bound::kCurrentRow;
}

// The begin (or end) of the group of peers `groups` behind that of `place`; before it where negative.
size_t PartitionFrames::groups_away(size_t place, int64_t groups, bool want_end) const {
  size_t at = place;
  for (; groups < 0; ++groups) {
    const size_t first = peers_begin(at);
    if (first == begin_) return begin_;
    at = first - 1;
  }
  for (; groups > 0; --groups) {
    at = peers_end(at);
    if (at >= end_) return end_;
  }
  return want_end ? peers_end(at) : peers_begin(at);
}

// The first place within the limit (or, with `want_end`, the first behind it).
size_t PartitionFrames::range_bound(size_t place, const Value& offset, bool following, bool want_end) const {
  if (order_column_ == SIZE_MAX) {
    throw sql_error("42P20", "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column");
  }
  if (!rows_.is_valid(order_column_, ids_[place])) return want_end ? peers_end(place) : peers_begin(place);
  const bool descending = window_.order_by[0].descending;
  const RangeLimit limit(rows_.type(order_column_), rows_.element(order_column_, ids_[place]), offset,
                         following != descending);
  // NULLs stand together at one end, outside of every limit.
  size_t low = begin_, high = end_;
  while (low < high && !rows_.is_valid(order_column_, ids_[low])) low = peers_end(low);
  while (low < high && !rows_.is_valid(order_column_, ids_[high - 1])) high = peers_begin(high - 1);
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    int order = limit.compare(rows_.element(order_column_, ids_[middle]));
    if (descending) order = -order;
    if (order < 0 || (want_end && order == 0)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

size_t PartitionFrames::start_of(size_t place) const {
  const auto count = [&] { return offsets_.start.as_int(); };
  switch (window_.start) {
    case Bound::kUnboundedPreceding: return begin_;
    case Bound::kUnboundedFollowing: return end_;
    case Bound::kCurrentRow: return window_.mode == Mode::kRows ? place : peers_begin(place);
    case Bound::kPreceding:
      if (window_.mode == Mode::kRange) return range_bound(place, offsets_.start, false, false);
      if (window_.mode == Mode::kGroups) return groups_away(place, -count(), false);
      return static_cast<uint64_t>(count()) > place - begin_ ? begin_ : place - static_cast<size_t>(count());
    case Bound::kFollowing:
      if (window_.mode == Mode::kRange) return range_bound(place, offsets_.start, true, false);
      if (window_.mode == Mode::kGroups) return groups_away(place, count(), false);
      return static_cast<uint64_t>(count()) > end_ - place ? end_ : place + static_cast<size_t>(count());
  }
  return begin_;
}

size_t PartitionFrames::end_of(size_t place) const {
  const auto count = [&] { return offsets_.end.as_int(); };
  switch (window_.end) {
    case Bound::kUnboundedPreceding: return begin_;
    case Bound::kUnboundedFollowing: return end_;
    case Bound::kCurrentRow: return window_.mode == Mode::kRows ? place + 1 : peers_end(place);
    case Bound::kPreceding:
      if (window_.mode == Mode::kRange) return range_bound(place, offsets_.end, false, true);
      if (window_.mode == Mode::kGroups) {
        // Before the first group there is nothing to end with.
        size_t at = place;
        for (int64_t groups = count(); groups > 0; --groups) {
          if (peers_begin(at) == begin_) return begin_;
          at = peers_begin(at) - 1;
        }
        return peers_end(at);
      }
      return static_cast<uint64_t>(count()) > place - begin_ ? begin_
                                                             : place - static_cast<size_t>(count()) + 1;
    case Bound::kFollowing:
      if (window_.mode == Mode::kRange) return range_bound(place, offsets_.end, true, true);
      if (window_.mode == Mode::kGroups) return groups_away(place, count(), true);
      return static_cast<uint64_t>(count()) >= end_ - place ? end_ : place + static_cast<size_t>(count()) + 1;
  }
  return end_;
}

Frame PartitionFrames::frame_of(size_t place) const {
  const size_t from = start_of(place), to = std::max(from, end_of(place));
  Frame frame;
  const auto without = [&](size_t hole_from, size_t hole_to) {
    frame.add(from, std::min(to, hole_from));
    frame.add(std::max(from, hole_to), to);
  };
  switch (window_.exclude) {
    case Exclude::kNoOthers: frame.add(from, to); break;
    case Exclude::kCurrentRow: without(place, place + 1); break;
    case Exclude::kGroup: without(peers_begin(place), peers_end(place)); break;
    case Exclude::kTies:
      frame.add(from, std::min(to, peers_begin(place)));
      if (place >= from && place < to) frame.add(place, place + 1);
      frame.add(std::max(from, peers_end(place)), to);
      break;
  }
  return frame;
}

}  // namespace idem
