#pragma once

#include <array>
#include <vector>

#include "query/logical_plan.h"
#include "query/row_store.h"

namespace idem {

// Places [from, to) in a sorted partition.
struct FramePart {
  size_t from = 0, to = 0;
};

// The frame of a row: up to three parts in order (EXCLUDE cuts holes).
struct Frame {
  std::array<FramePart, 3> parts;
  size_t count = 0;

  void add(size_t from, size_t to) {
    if (from < to) parts[count++] = {from, to};
  }
  size_t rows() const {
    size_t n = 0;
    for (size_t i = 0; i < count; ++i) n += parts[i].to - parts[i].from;
    return n;
  }
};

// Values of a window's frame offsets, known at the start of the execution. Throws 22013-like errors for
// negative ones.
struct FrameOffsets {
  Value start, end;
};

// Whether all frames begin, or end, where the partition does.
bool begins_with_partition(const LogicalPlan::Window& window);
bool ends_with_partition(const LogicalPlan::Window& window);

// Frames of the rows of one partition, asked for in order. Places are those of `ids`, which are sorted by
// partition and order.
class PartitionFrames {
 public:
  // `order_column`: of the rows; SIZE_MAX without ORDER BY or with several. `peer_begin[i]` is the first
  // place whose row is equal in the order to that of place begin + i; `peer_end` the first behind.
  PartitionFrames(const LogicalPlan::Window& window, const FrameOffsets& offsets, const RowStore& rows,
                  const std::vector<uint32_t>& ids, size_t begin, size_t end, size_t order_column,
                  const std::vector<size_t>& peer_begin, const std::vector<size_t>& peer_end);

  Frame frame_of(size_t place) const;
  // Its ends, before EXCLUDE; the end may be before the start.
  size_t start_of(size_t place) const;
  size_t end_of(size_t place) const;
  // Whether every row's frame is the whole partition, or begins with it and ends with the row's peers (or the
  // row itself).
  bool is_whole_partition() const;
  bool is_running() const;

 private:
  size_t peers_begin(size_t place) const { return peer_begin_[place - begin_]; }
  size_t peers_end(size_t place) const { return peer_end_[place - begin_]; }
  size_t groups_away(size_t place, int64_t groups, bool want_end) const;
  size_t range_bound(size_t place, const Value& offset, bool following, bool want_end) const;

  const LogicalPlan::Window& window_;
  const FrameOffsets& offsets_;
  const RowStore& rows_;
  const std::vector<uint32_t>& ids_;
  const size_t begin_, end_;
  const size_t order_column_;
  const std::vector<size_t>&peer_begin_, &peer_end_;
};

}  // namespace idem
