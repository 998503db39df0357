#include "storage/table_scan.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "storage/stored_rows.h"

namespace idem {

namespace {

bool is_float(const ColumnSchema& column) {
  const PhysicalType physical = physical_type(column.type);
  return physical == PhysicalType::kFloat || physical == PhysicalType::kDouble;
}

// a < b of two bounds; NaN counts as the largest number.
bool bound_less(bool floating, int64_t a, int64_t b) {
  if (!floating) return a < b;
  const double x = std::bit_cast<double>(a), y = std::bit_cast<double>(b);
  return std::isnan(y) ? !std::isnan(x) : x < y;
}

// Whether no row of a vector of a row group can meet the bound.
bool excludes(const ScanBound& bound, const ColumnSchema& column, const RowGroup& group,
              uint32_t vector_index) {
  if (!group.has_column(column.id)) return false;
  const VectorStatistics known = group.statistics(column.id, vector_index);
  const uint32_t rows = std::min(kVectorSize, group.row_count() - vector_index * kVectorSize);
  if (bound.is_null_only && known.null_count == 0) return true;
  const bool ranged = bound.min || bound.max;
  if ((bound.not_null_only || ranged) && known.null_count >= rows) return true;
  if (!ranged || !known.has_bounds) return false;
  const bool floating = is_float(column);
  return (bound.max && bound_less(floating, *bound.max, known.min)) ||
         (bound.min && bound_less(floating, known.max, *bound.min));
}

// Whether no row of a block can, patch rows included.
bool excludes(const ScanBound& bound, const ColumnSchema& column, const RowGroup& group, uint32_t block,
              const BlockPatch* patch) {
  if (!excludes(bound, column, group, block)) return false;
  if (!patch) return true;
  return std::all_of(patch->sources().begin(), patch->sources().end(), [&](const BlockPatch::Source& source) {
    return excludes(bound, column, *source.group, source.vector);
  });
}

// Calls `visit(block, patch)` for the blocks of a morsel until it says false.
template <class F>
bool each_block(const Slice& slice, const Morsel& morsel, F&& visit) {
  const Overlay* overlay = slice.overlay.get();
  const uint32_t origin = overlay ? overlay->shown_before(slice.begin) : slice.begin;
  const auto block_of = [&](uint32_t row) {
    return overlay ? overlay->block_showing(origin + row) : (origin + row) / kVectorSize;
  };
  const uint32_t last = block_of(morsel.end - 1);
  for (uint32_t block = block_of(morsel.begin); block <= last; ++block) {
    if (!visit(block, overlay ? overlay->patch(block) : nullptr)) return false;
  }
  return true;
}

}  // namespace

ScanPlan plan_scan(const TableVersion& version, const ScanRange& range,
                   const std::vector<ScanBound>& bounds) {
  ScanPlan plan;
  const TableSchema& schema = *version.schema;
  plan.partitions_total = static_cast<uint32_t>(version.partitions.size());
  const bool timed = schema.has_timestamp();
  if (timed && range.min_timestamp > range.max_timestamp) return plan;
  size_t first_partition = 0;
  if (timed && range.min_timestamp != INT64_MIN) {
    first_partition = version.lower_partition(partition_start(schema.partition_by, range.min_timestamp));
  }
  for (size_t p = first_partition; p < version.partitions.size(); ++p) {
    const std::shared_ptr<const Partition>& partition = version.partitions[p];
    if (timed && partition->min_timestamp > range.max_timestamp) break;
    if (timed && partition->max_timestamp < range.min_timestamp) continue;
    uint64_t begin = 0, end = partition->row_count;
    if (timed &&
        (partition->min_timestamp < range.min_timestamp || partition->max_timestamp > range.max_timestamp)) {
      StoredRows rows(partition, version.schema);
      if (partition->min_timestamp < range.min_timestamp) begin = rows.lower_bound(range.min_timestamp, 0);
      if (partition->max_timestamp > range.max_timestamp) end = rows.upper_bound(range.max_timestamp, begin);
    }
    if (begin >= end) continue;
    ++plan.partitions_read;
    for (size_t s = partition->slice_of(begin); s < partition->slices.size(); ++s) {
      const Slice& slice = partition->slices[s];
      const uint64_t first = partition->first_ordinal[s];
      if (first >= end) break;
      Morsel morsel;
      morsel.partition = static_cast<uint32_t>(p);
      morsel.slice = static_cast<uint32_t>(s);
      morsel.begin = begin > first ? static_cast<uint32_t>(begin - first) : 0;
      morsel.end = static_cast<uint32_t>(std::min<uint64_t>(end - first, slice.rows()));
      morsel.first_ordinal = first + morsel.begin;
      const bool all_excluded =
          !bounds.empty() && std::any_of(bounds.begin(), bounds.end(), [&](const ScanBound& bound) {
            return each_block(slice, morsel, [&](uint32_t block, const BlockPatch* patch) {
              return excludes(bound, schema.columns[bound.column], *slice.group, block, patch);
            });
          });
      if (all_excluded) continue;
      plan.rows += morsel.end - morsel.begin;
      plan.morsels.push_back(morsel);
    }
  }
  return plan;
}

bool may_have_nulls(const TableVersion& version, const Morsel& morsel, ColumnId column) {
  const Slice& slice = version.partitions[morsel.partition]->slices[morsel.slice];
  const auto has_none = [&](const RowGroup& group, uint32_t vector) {
    return group.has_column(column) && group.statistics(column, vector).null_count == 0;
  };
  return !each_block(slice, morsel, [&](uint32_t block, const BlockPatch* patch) {
    if (!has_none(*slice.group, block)) return false;
    return !patch || std::all_of(patch->sources().begin(), patch->sources().end(),
                                 [&](const BlockPatch::Source& source) {
                                   return has_none(*source.group, source.vector);
                                 });
  });
}

MorselReader::MorselReader(std::shared_ptr<const TableVersion> version, Morsel morsel,
                           const std::vector<ScanBound>* bounds, bool backwards)
    : version_(std::move(version)), morsel_(morsel), bounds_(bounds), backwards_(backwards) {
  reader_.open(version_->partitions[morsel_.partition]->slices[morsel_.slice]);
  cursor_ = backwards_ ? morsel_.end : morsel_.begin;
}

uint32_t MorselReader::next() {
  for (;;) {
    if (backwards_) {
      if (cursor_ <= morsel_.begin) return 0;
      first_ = std::max(morsel_.begin, reader_.piece_at(cursor_ - 1).begin);
      count_ = cursor_ - first_;
      cursor_ = first_;
    } else {
      if (cursor_ >= morsel_.end) return 0;
      first_ = cursor_;
      cursor_ = std::min(morsel_.end, reader_.piece_at(first_).end);
      count_ = cursor_ - first_;
    }
    const bool skip = bounds_ && std::any_of(bounds_->begin(), bounds_->end(), [&](const ScanBound& bound) {
                        return excludes(bound, version_->schema->columns[bound.column],
                                        *reader_.slice().group, reader_.block(), reader_.patch());
                      });
    if (!skip) return count_;
    ++skipped_;
  }
}

void MorselReader::read(uint32_t column, Vector* out) {
  reader_.read(version_->schema->columns[column], first_, count_, out);
}

void MorselReader::read_positions(Vector* out) const {
  const RowPosition first{morsel_.partition, morsel_.first_ordinal + (first_ - morsel_.begin)};
  *out = Vector::sequence(TypeId::kBigInt, first.packed(), 1);
}

}  // namespace idem
