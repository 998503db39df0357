#include "query/window_functions.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "common/error.h"
#include "query/value_column.h"

namespace idem {

namespace {

using Exclude = LogicalPlan::Window::Exclude;

// row_number, rank, dense_rank, percent_rank, cume_dist, ntile
class RankFunction final : public WindowFunction {
 public:
  enum class Kind : uint8_t { kRowNumber, kRank, kDenseRank, kPercentRank, kCumeDist, kNtile };
  RankFunction(Input input, Kind kind) : WindowFunction(std::move(input)), kind_(kind) {}

  void run(const PartitionRows& partition, RowStore& out) override {
    const SqlType type = input_.window->type;
    const bool is_real = physical_type(type) == PhysicalType::kDouble;
    const bool is_int = physical_type(type) == PhysicalType::kInt32;
    const size_t begin = partition.begin;
    const auto rows = static_cast<int64_t>(partition.rows);
    if (partition.number(partition.first) == 0) {
      dense_ = 0;
      tiles_ = kind_ == Kind::kNtile ? tile_count(begin) : 1;
    }
    for (size_t first = partition.first; first < partition.last; first += kVectorSize) {
      check_cancel();
      const auto count = static_cast<uint32_t>(std::min<size_t>(kVectorSize, partition.last - first));
      Vector result;
      void* elements = result.allocate(type, count);
      for (uint32_t i = 0; i < count; ++i) {
        const size_t place = first + i;
        const auto row = static_cast<int64_t>(partition.number(place));
        const size_t peer = partition.peer_begin[place - begin];
        const uint64_t peers_before = peer == begin ? partition.peers_before : 0;
        const auto rank = static_cast<int64_t>(partition.number(peer) - peers_before) + 1;
        if (peer == place && peers_before == 0) ++dense_;
        int64_t whole = 0;
        double real = 0;
        switch (kind_) {
          case Kind::kRowNumber: whole = row + 1; break;
          case Kind::kRank: whole = rank; break;
          case Kind::kDenseRank: whole = dense_; break;
          case Kind::kPercentRank:
            real = rows <= 1 ? 0 : static_cast<double>(rank - 1) / static_cast<double>(rows - 1);
            break;
          case Kind::kCumeDist:
            real = static_cast<double>(partition.number(partition.peer_end[place - begin])) /
                   static_cast<double>(rows);
            break;
          case Kind::kNtile: {
            // The first rows % tiles tiles have one row more.
            const int64_t small = rows / tiles_, larger = rows % tiles_;
            whole = row < larger * (small + 1)
                        ? row / (small + 1) + 1
                        : (row - larger * (small + 1)) / std::max<int64_t>(small, 1) + larger + 1;
            break;
          }
        }
        if (is_real) {
          static_cast<double*>(elements)[i] = real;
        } else if (is_int) {
          static_cast<int32_t*>(elements)[i] = static_cast<int32_t>(whole);
        } else {
          static_cast<int64_t*>(elements)[i] = whole;
        }
      }
      if (null_tiles_) std::memset(result.allocate_validity(count), 0, (count + 63) / 64 * sizeof(uint64_t));
      out.append({&result, 1}, {nullptr, count});
    }
  }

 private:
  int64_t tile_count(size_t begin) {
    const uint32_t column = input_.arguments.at(0);
    null_tiles_ = !input_.rows->is_valid(column, id(begin));
    if (null_tiles_) return 1;
    const int64_t tiles = physical_type(input_.rows->type(column)) == PhysicalType::kInt64
                              ? input_.rows->value<int64_t>(column, id(begin))
                              : input_.rows->value<int32_t>(column, id(begin));
    if (tiles <= 0) throw sql_error("22014", "argument of ntile must be greater than zero");
    return tiles;
  }
  const Kind kind_;
  int64_t dense_ = 0, tiles_ = 1;  // of the partition so far
  bool null_tiles_ = false;
};

// lag, lead, first_value, last_value, nth_value: the argument's value in another row.
class OtherRowFunction final : public WindowFunction {
 public:
  enum class Kind : uint8_t { kLag, kLead, kFirst, kLast, kNth };
  OtherRowFunction(Input input, Kind kind) : WindowFunction(std::move(input)), kind_(kind) {}

  void run(const PartitionRows& partition, RowStore& out) override {
    if (partition.number(partition.first) == 0) first_value_.reset();
    if (kind_ == Kind::kFirst && first_value_)
      return append_constant(*first_value_, partition.last - partition.first, out);
    if (kind_ == Kind::kLast && last_value_ && !partition.reaches_end())
      return append_constant(*last_value_, partition.last - partition.first, out);
    const PartitionFrames frames = frames_of(partition);
    for (size_t first = partition.first; first < partition.last; first += kVectorSize) {
      check_cancel();
      const auto count = static_cast<uint32_t>(std::min<size_t>(kVectorSize, partition.last - first));
      ids_.clear();
      defaulted_.clear();
      for (uint32_t i = 0; i < count; ++i) ids_.push_back(source(first + i, partition, frames, i));
      Vector result;
      input_.rows->gather(input_.arguments[0], ids_.data(), count, true, &result);
      if (!defaulted_.empty()) fill_defaults(first, count, &result);
      out.append({&result, 1}, {nullptr, count});
    }
  }

  void see_slice(const RowStore& rows, const std::vector<uint32_t>& ids) override {
    last_value_ = value_of(rows, ids.back());
  }

  void leave(const PartitionRows& partition, size_t) override {
    if (kind_ != Kind::kFirst || first_value_ || !begins_with_partition(*input_.window)) return;
    first_value_ = value_of(*input_.rows, id(partition.begin));
  }

 private:
  Vector value_of(const RowStore& rows, uint32_t row) const {
    Vector value;
    rows.gather(input_.arguments[0], &row, 1, false, &value);
    return flatten(value, 1, {nullptr, 1}, true);
  }

  uint32_t source(size_t place, const PartitionRows& partition, const PartitionFrames& frames, uint32_t i) {
    switch (kind_) {
      case Kind::kLag:
      case Kind::kLead: {
        int64_t offset = 1;
        if (input_.arguments.size() > 1 && !integer_argument(place, &offset)) return RowStore::kNoRow;
        const auto target =
            static_cast<int128_t>(place) + (kind_ == Kind::kLag ? -int128_t{offset} : int128_t{offset});
        if (target >= static_cast<int128_t>(partition.begin) && target < static_cast<int128_t>(partition.end))
          return id(static_cast<size_t>(target));
        if (input_.arguments.size() > 2) defaulted_.push_back(i);
        return RowStore::kNoRow;
      }
      case Kind::kFirst: {
        const Frame frame = frames.frame_of(place);
        return frame.count == 0 ? RowStore::kNoRow : id(frame.parts[0].from);
      }
      case Kind::kLast: {
        const Frame frame = frames.frame_of(place);
        return frame.count == 0 ? RowStore::kNoRow : id(frame.parts[frame.count - 1].to - 1);
      }
      case Kind::kNth: {
        int64_t nth = 1;
        if (!integer_argument(place, &nth)) return RowStore::kNoRow;
        if (nth <= 0) throw sql_error("22016", "argument of nth_value must be greater than zero");
        const Frame frame = frames.frame_of(place);
        auto left = static_cast<uint64_t>(nth - 1);
        for (size_t p = 0; p < frame.count; ++p) {
          const size_t rows = frame.parts[p].to - frame.parts[p].from;
          if (left < rows) return id(frame.parts[p].from + left);
          left -= rows;
        }
        return RowStore::kNoRow;
      }
    }
    return RowStore::kNoRow;
  }

  bool integer_argument(size_t place, int64_t* value) const {
    const uint32_t column = input_.arguments[1];
    if (!input_.rows->is_valid(column, id(place))) return false;
    *value = physical_type(input_.rows->type(column)) == PhysicalType::kInt64
                 ? input_.rows->value<int64_t>(column, id(place))
                 : input_.rows->value<int32_t>(column, id(place));
    return true;
  }

  // Rare and few: value by value.
  void fill_defaults(size_t first, uint32_t count, Vector* result) {
    ValueColumn column(input_.window->type);
    size_t next = 0;
    for (uint32_t i = 0; i < count; ++i) {
      if (next < defaulted_.size() && defaulted_[next] == i) {
        ++next;
        const uint32_t row = id(first + i);
        Vector one;
        input_.rows->gather(input_.arguments[2], &row, 1, false, &one);
        column.append(one.value_at(0));
      } else {
        column.append(result->value_at(i));
      }
    }
    *result = column.take();
  }

  const Kind kind_;
  std::vector<uint32_t> ids_, defaulted_;
  std::optional<Vector> first_value_, last_value_;  // of the partition, where its row is not at hand
};

// How far lag() and lead() look: nothing where it differs from row to row.
std::optional<WindowReach> reach_of_other_row(const LogicalPlan::Window& window) {
  int64_t distance = 1;
  if (window.arguments.size() > 1) {
    const BoundExpression& offset = *window.arguments[1];
    if (!offset.is_constant()) return std::nullopt;
    distance = offset.value.is_null() ? 0 : offset.value.as_int();
  }
  const bool looks_back = (window.function_name == "lag") == (distance >= 0);
  const uint64_t rows =
      distance < 0 ? uint64_t{0} - static_cast<uint64_t>(distance) : static_cast<uint64_t>(distance);
  WindowReach reach;
  (looks_back ? reach.rows_before : reach.rows_behind) = rows;
  return reach;
}

std::optional<WindowReach> reach_of_frame(const LogicalPlan::Window& window) {
  WindowReach reach;
  reach.frame = true;
  reach.from_start = begins_with_partition(window);
  reach.to_end = ends_with_partition(window);
  reach.peers = window.exclude == Exclude::kGroup || window.exclude == Exclude::kTies;
  if (window.aggregate.function) return reach;
  const bool is_open = reach.from_start || reach.to_end;
  if (is_open && (window.exclude != Exclude::kNoOthers || window.function_name == "nth_value"))
    return std::nullopt;
  if (window.function_name == "first_value") reach.to_end = false;
  return reach;
}

}  // namespace

std::optional<WindowReach> reach_of(const LogicalPlan::Window& window) {
  const std::string& name = window.function_name;
  if (window.aggregate.function || name.ends_with("_value")) return reach_of_frame(window);
  if (name == "lag" || name == "lead") return reach_of_other_row(window);
  WindowReach reach;
  reach.row_count = name == "percent_rank" || name == "cume_dist" || name == "ntile";
  reach.peers = name == "cume_dist";
  return reach;
}

SqlType result_type(const LogicalPlan::Window& window) {
  return window.aggregate.function ? window.aggregate.types.result : window.type;
}

void PartitionRows::set_places(size_t from, size_t to, const std::vector<RowChange>& changes) {
  begin = from;
  end = to;
  peer_begin.resize(end - begin);
  peer_end.resize(end - begin);
  for (size_t peer = begin; peer < end;) {
    size_t next = peer + 1;
    while (next < end && changes[next] == RowChange::kNone) ++next;
    std::fill(peer_begin.begin() + static_cast<ptrdiff_t>(peer - begin),
              peer_begin.begin() + static_cast<ptrdiff_t>(next - begin), peer);
    std::fill(peer_end.begin() + static_cast<ptrdiff_t>(peer - begin),
              peer_end.begin() + static_cast<ptrdiff_t>(next - begin), next);
    peer = next;
  }
}

void WindowFunction::see_slice(const RowStore&, const std::vector<uint32_t>&) {}

void WindowFunction::leave(const PartitionRows&, size_t) {}

PartitionFrames WindowFunction::frames_of(const PartitionRows& partition) const {
  return {*input_.window, *input_.offsets,     *input_.rows,         *input_.ids,       partition.begin,
          partition.end,  input_.order_column, partition.peer_begin, partition.peer_end};
}

void WindowFunction::append_constant(Vector& value, size_t times, RowStore& out) {
  value.form = Vector::Form::kConstant;
  for (size_t left = times; left > 0;) {
    const auto count = static_cast<uint32_t>(std::min<size_t>(left, kVectorSize));
    out.append({&value, 1}, {nullptr, count});
    left -= count;
  }
}

std::unique_ptr<WindowFunction> WindowFunction::make(const Input& input) {
  using Rank = RankFunction::Kind;
  using Other = OtherRowFunction::Kind;
  const LogicalPlan::Window& window = *input.window;
  if (window.aggregate.function) return make_window_aggregate(input);
  const std::string& name = window.function_name;
  if (name == "row_number") return std::make_unique<RankFunction>(input, Rank::kRowNumber);
  if (name == "rank") return std::make_unique<RankFunction>(input, Rank::kRank);
  if (name == "dense_rank") return std::make_unique<RankFunction>(input, Rank::kDenseRank);
  if (name == "percent_rank") return std::make_unique<RankFunction>(input, Rank::kPercentRank);
  if (name == "cume_dist") return std::make_unique<RankFunction>(input, Rank::kCumeDist);
  if (name == "ntile") return std::make_unique<RankFunction>(input, Rank::kNtile);
  if (name == "lag") return std::make_unique<OtherRowFunction>(input, Other::kLag);
  if (name == "lead") return std::make_unique<OtherRowFunction>(input, Other::kLead);
  if (name == "first_value") return std::make_unique<OtherRowFunction>(input, Other::kFirst);
  if (name == "last_value") return std::make_unique<OtherRowFunction>(input, Other::kLast);
  if (name == "nth_value") return std::make_unique<OtherRowFunction>(input, Other::kNth);
  throw sql_error(sqlstate::kFeatureNotSupported, "window function {} is not supported", name);
}

}  // namespace idem
