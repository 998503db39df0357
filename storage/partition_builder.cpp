#include "storage/partition_builder.h"

#include <algorithm>
#include <cassert>

namespace idem {

uint32_t row_group_capacity(uint64_t rows) {
  if (rows <= 64) return 64;
  return rows <= kVectorSize ? kVectorSize : kRowGroupSize;
}

int64_t timestamp_at(const RowGroup& group, const TableSchema& schema, uint32_t row) {
  Vector vector;
  group.read(schema.columns[static_cast<size_t>(schema.timestamp_column)], row, 1, &vector);
  return vector.form == Vector::Form::kSequence ? vector.sequence_start : vector.values<int64_t>()[0];
}

void add_slice_to(Partition* partition, const TableSchema& schema, Slice slice, std::optional<int64_t> min,
                  std::optional<int64_t> max) {
  if (schema.has_timestamp()) {
    if (!min) min = timestamp_at(*slice.group, schema, slice.begin);
    if (!max) max = timestamp_at(*slice.group, schema, slice.end - 1);
  }
  partition->first_ordinal.push_back(partition->row_count);
  partition->slice_min.push_back(min.value_or(0));
  partition->slice_max.push_back(max.value_or(0));
  partition->row_count += slice.rows();
  partition->min_timestamp = partition->slice_min.front();
  partition->max_timestamp = partition->slice_max.back();
  partition->slices.push_back(std::move(slice));
}

PartitionBuilder::PartitionBuilder(const WriteContext& context, const PartitionChange* change)
    : context_(context), change_(change) {}

PartitionBuilder::Section& PartitionBuilder::open_section() {
  if (sections_.empty() || sections_.back().kept) {
    Section section;
    section.first_piece = section.end_piece = pieces_.size();
    sections_.push_back(section);
  }
  return sections_.back();
}

void PartitionBuilder::add_piece(Piece piece) {
  Section& section = open_section();
  section.rows += piece.count;
  if (section.first_piece < section.end_piece) {
    Piece& last = pieces_.back();
    const bool adjoins = last.source == piece.source && last.slice == piece.slice &&
                         last.first + last.count == piece.first &&
                         last.count + uint64_t{piece.count} < UINT32_MAX;
    if (adjoins && (piece.source != Source::kStored || piece.first % kVectorSize != 0)) {
      last.count += piece.count;
      return;
    }
  }
  pieces_.push_back(piece);
  section.end_piece = pieces_.size();
}

void PartitionBuilder::keep(const Partition& from, size_t slice_index, uint32_t begin, uint32_t end) {
  if (begin == end) return;
  const Slice& slice = from.slices[slice_index];
  std::optional<int64_t> min, max;
  if (begin == slice.begin) min = from.slice_min[slice_index];
  if (end == slice.end) max = from.slice_max[slice_index];
  total_rows_ += end - begin;
  if (!sections_.empty() && sections_.back().kept) {
    Section& last = sections_.back();
    if (last.slice.group == slice.group && last.slice.end == begin) {
      last.slice.end = end;
      last.max = max;
      last.rows += end - begin;
      return;
    }
  }
  Section section;
  section.kept = true;
  section.slice = {slice.group, begin, end};
  section.min = min;
  section.max = max;
  section.rows = end - begin;
  section.first_piece = section.end_piece = pieces_.size();
  sections_.push_back(std::move(section));
}

void PartitionBuilder::copy(const Slice& slice, uint32_t begin, uint32_t end) {
  if (begin == end) return;
  if (slices_.empty() || slices_.back().group != slice.group || slices_.back().begin != slice.begin) {
    slices_.push_back(slice);
  }
  total_rows_ += end - begin;
  add_piece({Source::kStored, static_cast<uint32_t>(slices_.size() - 1), begin, end - begin});
}

void PartitionBuilder::replaced_row(size_t index) {
  ++total_rows_;
  add_piece({Source::kReplaced, 0, index, 1});
}

void PartitionBuilder::inserted_rows(uint64_t first, uint64_t count) {
  total_rows_ += count;
  while (count > 0) {
    const auto part = static_cast<uint32_t>(std::min<uint64_t>(count, UINT32_MAX / 2));
    add_piece({Source::kInserted, 0, first, part});
    first += part;
    count -= part;
  }
}

void PartitionBuilder::copy_kept(const Slice& slice) {
  slices_.push_back(slice);
  const auto index = static_cast<uint32_t>(slices_.size() - 1);
  for (uint32_t row = slice.begin; row < slice.end;) {
    const uint32_t end = std::min(slice.end, (row / kVectorSize + 1) * kVectorSize);
    pieces_.push_back({Source::kStored, index, row, end - row});
    row = end;
  }
}

// Rows that would make a slice shorter than a block go with their neighbours that are written anyway.
void PartitionBuilder::absorb_small_sections() {
  auto absorbs = [&](size_t i) { return sections_[i].kept && sections_[i].rows < kVectorSize; };
  bool any = false;
  for (size_t i = 0; i < sections_.size(); ++i) {
    const bool beside =
        (i > 0 && !sections_[i - 1].kept) || (i + 1 < sections_.size() && !sections_[i + 1].kept);
    any = any || (absorbs(i) && beside);
  }
  if (!any) return;
  std::vector<Section> old_sections;
  std::vector<Piece> old_pieces;
  old_sections.swap(sections_);
  old_pieces.swap(pieces_);
  for (size_t i = 0; i < old_sections.size(); ++i) {
    const Section& section = old_sections[i];
    const bool beside =
        (i > 0 && !old_sections[i - 1].kept) || (i + 1 < old_sections.size() && !old_sections[i + 1].kept);
    if (section.kept && !(section.rows < kVectorSize && beside)) {
      sections_.push_back(section);
      sections_.back().first_piece = sections_.back().end_piece = pieces_.size();
      continue;
    }
    Section& target = open_section();
    if (section.kept) {
      copy_kept(section.slice);
    } else {
      pieces_.insert(pieces_.end(), old_pieces.begin() + static_cast<std::ptrdiff_t>(section.first_piece),
                     old_pieces.begin() + static_cast<std::ptrdiff_t>(section.end_piece));
    }
    target.rows += section.rows;
    target.end_piece = pieces_.size();
  }
}

void PartitionBuilder::write_column(size_t column, const Section& section,
                                    const std::vector<std::shared_ptr<MemoryRowGroup>>& groups) {
  const ColumnSchema& schema = context_.schema->columns[column];
  uint64_t at = 0;  // row of the section
  Vector block;
  uint32_t block_slice = UINT32_MAX, block_first = 0;
  for (size_t p = section.first_piece; p < section.end_piece; ++p) {
    Piece piece = pieces_[p];
    if (piece.source == Source::kStored) {
      const Slice& slice = slices_[piece.slice];
      const uint32_t first =
          std::max(slice.begin, static_cast<uint32_t>(piece.first) / kVectorSize * kVectorSize);
      if (block_slice != piece.slice || block_first != first) {
        const uint32_t end = std::min(slice.end, (first / kVectorSize + 1) * kVectorSize);
        slice.group->read(schema, first, end - first, &block);
        if (block.form == Vector::Form::kConstant || block.form == Vector::Form::kSequence) {
          block = flatten(block, end - first, {nullptr, end - first}, false);
        }
        block_slice = piece.slice;
        block_first = first;
      }
    }
    while (piece.count > 0) {
      MemoryRowGroup& group = *groups[at / kRowGroupSize];
      const auto row = static_cast<uint32_t>(at % kRowGroupSize);
      const uint32_t count = std::min(piece.count, kRowGroupSize - row);
      switch (piece.source) {
        case Source::kStored:
          group.write_vector(column, row, block, static_cast<uint32_t>(piece.first) - block_first, count);
          break;
        case Source::kReplaced:
          group.write_gathered(column, row, change_->rows->column(column),
                               change_->replaced_rows.data() + piece.first, count);
          break;
        case Source::kInserted:
          if (change_->inserted_rows.empty()) {
            group.write_batch(column, row, change_->rows->column(column), change_->inserted_row(piece.first),
                              count);
          } else {
            group.write_gathered(column, row, change_->rows->column(column),
                                 change_->inserted_rows.data() + piece.first, count);
          }
          break;
      }
      piece.first += count;
      piece.count -= count;
      at += count;
    }
  }
}

void PartitionBuilder::write_section(const Section& section, bool last, Partition* out) {
  std::vector<std::shared_ptr<MemoryRowGroup>> groups;
  for (uint64_t left = section.rows; left > 0;) {
    const auto rows = static_cast<uint32_t>(std::min<uint64_t>(left, kRowGroupSize));
    left -= rows;
    // Only the last row group of the partition has room to grow.
    const bool may_grow = last && left == 0;
    const uint32_t capacity = may_grow ? row_group_capacity(total_rows_) : rows;
    groups.push_back(
        std::make_shared<MemoryRowGroup>(context_.schema, capacity, context_.account, context_.owner));
    const bool claimed = groups.back()->claim(0, rows);
    assert(claimed);
    static_cast<void>(claimed);
  }
  for (size_t column = 0; column < context_.schema->columns.size(); ++column)
    write_column(column, section, groups);
  for (auto& group : groups) {
    const uint32_t rows = group->row_count();
    add_slice_to(out, *context_.schema, {std::move(group), 0, rows}, std::nullopt, std::nullopt);
  }
}

std::shared_ptr<const Partition> PartitionBuilder::finish(int64_t start) {
  if (total_rows_ == 0) return nullptr;
  absorb_small_sections();
  auto partition = std::make_shared<Partition>();
  partition->start = start;
  for (size_t i = 0; i < sections_.size(); ++i) {
    const Section& section = sections_[i];
    if (section.kept) {
      add_slice_to(partition.get(), *context_.schema, section.slice, section.min, section.max);
    } else {
      write_section(section, i + 1 == sections_.size(), partition.get());
    }
  }
  partition->content_id = context_.content_ids->fetch_add(1, std::memory_order_relaxed) + 1;
  return partition;
}

}  // namespace idem
