#include "query/window_functions.h"

#include <algorithm>
#include <cstring>

#include "common/error.h"
#include "query/value_column.h"

namespace idem {

namespace {

// row_number, rank, dense_rank, percent_rank, cume_dist, ntile
class RankFunction final : public WindowFunction {
 public:
  enum class Kind : uint8_t { kRowNumber, kRank, kDenseRank, kPercentRank, kCumeDist, kNtile };
  RankFunction(Input input, Kind kind) : WindowFunction(std::move(input)), kind_(kind) {}

  void run(size_t begin, size_t end, const std::vector<size_t>& peer_begin,
           const std::vector<size_t>& peer_end, RowStore& out) override {
    const SqlType type = input_.window->type;
    const bool is_real = physical_type(type) == PhysicalType::kDouble;
    const bool is_int = physical_type(type) == PhysicalType::kInt32;
    const int64_t rows = static_cast<int64_t>(end - begin);
    int64_t dense = 0;
    bool null_tiles = false;
    const int64_t tiles = kind_ == Kind::kNtile ? tile_count(begin, &null_tiles) : 1;
    for (size_t first = begin; first < end; first += kVectorSize) {
      const auto count = static_cast<uint32_t>(std::min<size_t>(kVectorSize, end - first));
      Vector result;
      void* elements = result.allocate(type, count);
      for (uint32_t i = 0; i < count; ++i) {
        const size_t place = first + i - begin;
        const auto row = static_cast<int64_t>(place);
        const auto rank = static_cast<int64_t>(peer_begin[place] - begin) + 1;
        if (peer_begin[place] == first + i) ++dense;
        int64_t whole = 0;
        double real = 0;
        switch (kind_) {
          case Kind::kRowNumber: whole = row + 1; break;
          case Kind::kRank: whole = rank; break;
          case Kind::kDenseRank: whole = dense; break;
          case Kind::kPercentRank:
            real = rows <= 1 ? 0 : static_cast<double>(rank - 1) / static_cast<double>(rows - 1);
            break;
          case Kind::kCumeDist:
            real = static_cast<double>(peer_end[place] - begin) / static_cast<double>(rows);
            break;
          case Kind::kNtile: {
            // The first rows % tiles tiles have one row more.
            const int64_t small = rows / tiles, larger = rows % tiles;
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
      if (null_tiles) std::memset(result.allocate_validity(count), 0, (count + 63) / 64 * sizeof(uint64_t));
      out.append({&result, 1}, {nullptr, count});
    }
  }

 private:
  int64_t tile_count(size_t begin, bool* is_null) const {
    const uint32_t column = input_.arguments.at(0);
    *is_null = !input_.rows->is_valid(column, id(begin));
    if (*is_null) return 1;
    const int64_t tiles = physical_type(input_.rows->type(column)) == PhysicalType::kInt64
                              ? input_.rows->value<int64_t>(column, id(begin))
                              : input_.rows->value<int32_t>(column, id(begin));
    if (tiles <= 0) throw sql_error("22014", "argument of ntile must be greater than zero");
    return tiles;
  }
  const Kind kind_;
};

// lag, lead, first_value, last_value, nth_value: the argument's value in another row.
class OtherRowFunction final : public WindowFunction {
 public:
  enum class Kind : uint8_t { kLag, kLead, kFirst, kLast, kNth };
  OtherRowFunction(Input input, Kind kind) : WindowFunction(std::move(input)), kind_(kind) {}

  void run(size_t begin, size_t end, const std::vector<size_t>& peer_begin,
           const std::vector<size_t>& peer_end, RowStore& out) override {
    PartitionFrames frames(*input_.window, *input_.offsets, *input_.rows, *input_.ids, begin, end,
                           input_.order_column);
    frames.set_peers(&peer_begin, &peer_end);
    for (size_t first = begin; first < end; first += kVectorSize) {
      const auto count = static_cast<uint32_t>(std::min<size_t>(kVectorSize, end - first));
      ids_.clear();
      defaulted_.clear();
      for (uint32_t i = 0; i < count; ++i) ids_.push_back(source(first + i, begin, end, frames, i));
      Vector result;
      input_.rows->gather(input_.arguments[0], ids_.data(), count, true, &result);
      if (!defaulted_.empty()) fill_defaults(first, count, &result);
      out.append({&result, 1}, {nullptr, count});
    }
  }

 private:
  uint32_t source(size_t place, size_t begin, size_t end, PartitionFrames& frames, uint32_t i) {
    switch (kind_) {
      case Kind::kLag:
      case Kind::kLead: {
        int64_t offset = 1;
        if (input_.arguments.size() > 1 && !integer_argument(place, &offset)) return RowStore::kNoRow;
        const auto target =
            static_cast<int128_t>(place) + (kind_ == Kind::kLag ? -int128_t{offset} : int128_t{offset});
        if (target >= static_cast<int128_t>(begin) && target < static_cast<int128_t>(end))
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
};

}  // namespace

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
