#include "storage/partition_builder.h"

#include <algorithm>
#include <cassert>
#include <tuple>

#include "storage/slice_reader.h"

namespace idem {

uint32_t row_group_capacity(uint64_t rows) {
  if (rows <= 64) return 64;
  return rows <= kVectorSize ? kVectorSize : kRowGroupSize;
}

void add_slice_to(Partition* partition, const TableSchema& schema, Slice slice, std::optional<int64_t> min,
                  std::optional<int64_t> max) {
  if (schema.has_timestamp()) {
    if (!min) min = timestamp_at(slice, schema, 0);
    if (!max) max = timestamp_at(slice, schema, slice.rows() - 1);
  }
  partition->first_ordinal.push_back(partition->row_count);
  partition->slice_min.push_back(min.value_or(0));
  partition->slice_max.push_back(max.value_or(0));
  partition->row_count += slice.rows();
  partition->min_timestamp = partition->slice_min.front();
  partition->max_timestamp = partition->slice_max.back();
  partition->slices.push_back(std::move(slice));
}

// Bounds of whole vectors are exact in a segment.
std::pair<std::optional<int64_t>, std::optional<int64_t>> known_bounds(const EncodedRows& rows,
                                                                       const TableSchema& schema) {
  if (!schema.has_timestamp()) return {};
  const ColumnId column = schema.columns[static_cast<size_t>(schema.timestamp_column)].id;
  const uint32_t end = rows.first + rows.count;
  std::pair<std::optional<int64_t>, std::optional<int64_t>> bounds;
  const VectorStatistics first = rows.group->statistics(column, rows.first / kVectorSize);
  const VectorStatistics last = rows.group->statistics(column, (end - 1) / kVectorSize);
  if (rows.first % kVectorSize == 0 && first.has_bounds) bounds.first = first.min;
  if ((end % kVectorSize == 0 || end == rows.group->row_count()) && last.has_bounds) bounds.second = last.max;
  return bounds;
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
    if (adjoins) {
      last.count += piece.count;
      return;
    }
  }
  pieces_.push_back(piece);
  section.end_piece = pieces_.size();
}

void PartitionBuilder::keep(Slice slice, std::optional<int64_t> min, std::optional<int64_t> max) {
  if (slice.begin == slice.end) return;
  const uint32_t rows = slice.rows();
  if (rows == 0) return;
  total_rows_ += rows;
  if (!sections_.empty() && sections_.back().kept) {
    Section& last = sections_.back();
    if (last.slice.group == slice.group && last.slice.overlay == slice.overlay &&
        last.slice.end == slice.begin) {
      last.slice.end = slice.end;
      last.max = max;
      last.rows += rows;
      return;
    }
  }
  Section section;
  section.kept = true;
  section.slice = std::move(slice);
  section.min = min;
  section.max = max;
  section.rows = rows;
  section.first_piece = section.end_piece = pieces_.size();
  sections_.push_back(std::move(section));
}

void PartitionBuilder::copy(const Slice& slice, uint32_t first, uint32_t count) {
  if (count == 0) return;
  const bool known = !slices_.empty() && slices_.back().group == slice.group &&
                     slices_.back().overlay == slice.overlay && slices_.back().begin == slice.begin;
  if (!known) slices_.push_back(slice);
  total_rows_ += count;
  add_piece({Source::kStored, static_cast<uint32_t>(slices_.size() - 1), first, count});
}

bool PartitionBuilder::ends_with(const Slice& slice) const {
  if (sections_.empty()) return false;
  const Section& last = sections_.back();
  if (!last.kept || last.slice.group != slice.group || last.slice.end != slice.end) return false;
  return last.rows >= kVectorSize || sections_.size() == 1 || sections_[sections_.size() - 2].kept;
}

void PartitionBuilder::place(const EncodedRows& rows) {
  Section section;
  section.kept = true;
  section.slice = {rows.group, rows.first, rows.first + rows.count, nullptr};
  section.rows = rows.count;
  std::tie(section.min, section.max) = known_bounds(rows, *context_.schema);
  section.first_piece = section.end_piece = pieces_.size();
  total_rows_ += rows.count;
  sections_.push_back(std::move(section));
}

void PartitionBuilder::replaced_row(size_t index) {
  ++total_rows_;
  add_piece({Source::kReplaced, 0, index, 1});
}

void PartitionBuilder::inserted_rows(uint64_t first, uint64_t count) {
  if (!change_->encoded.empty() && count >= kVectorSize) {
    for (const EncodedRows& rows : change_->encoded_part(first, count)) place(rows);
    return;
  }
  total_rows_ += count;
  while (count > 0) {
    const auto part = static_cast<uint32_t>(std::min<uint64_t>(count, UINT32_MAX / 2));
    add_piece({Source::kInserted, 0, first, part});
    first += part;
    count -= part;
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
      slices_.push_back(section.slice);
      pieces_.push_back({Source::kStored, static_cast<uint32_t>(slices_.size() - 1), 0,
                         static_cast<uint32_t>(section.rows)});
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
  SliceReader reader;
  uint32_t open_slice = UINT32_MAX;
  EncodedRows encoded;  // of inserted rows: what `encoded_block` holds, one vector of it
  Vector encoded_block;
  SliceReader::Piece in_block;  // what `block` holds
  Vector block;
  for (size_t p = section.first_piece; p < section.end_piece; ++p) {
    Piece piece = pieces_[p];
    while (piece.count > 0) {
      MemoryRowGroup& group = *groups[at / kRowGroupSize];
      const auto row = static_cast<uint32_t>(at % kRowGroupSize);
      uint32_t count = std::min(piece.count, kRowGroupSize - row);
      if (piece.source == Source::kStored) {
        const auto first = static_cast<uint32_t>(piece.first);
        if (open_slice != piece.slice) {
          reader.open(slices_[piece.slice]);
          open_slice = piece.slice;
          in_block = {};
        }
        if (first < in_block.begin || first >= in_block.end) {
          in_block = reader.piece_at(first);
          reader.read(schema, in_block.begin, in_block.size(), &block);
          if (block.form == Vector::Form::kConstant || block.form == Vector::Form::kSequence) {
            block = flatten(block, in_block.size(), {nullptr, in_block.size()}, false);
          }
        }
        count = std::min(count, in_block.end - first);
      }
      if (piece.source == Source::kInserted && !change_->encoded.empty()) {
        const EncodedRows run = change_->encoded_part(piece.first, count).at(0);
        if (encoded.group != run.group || run.first < encoded.first ||
            run.first >= encoded.first + encoded.count) {
          const uint32_t begin = run.first - run.first % kVectorSize;
          encoded = {run.group, begin, std::min(kVectorSize, run.group->row_count() - begin)};
          run.group->read(schema, begin, encoded.count, &encoded_block);
          if (encoded_block.form == Vector::Form::kConstant ||
              encoded_block.form == Vector::Form::kSequence) {
            encoded_block = flatten(encoded_block, encoded.count, {nullptr, encoded.count}, false);
          }
        }
        count = std::min(run.count, encoded.first + encoded.count - run.first);
        group.write_vector(column, row, encoded_block, run.first - encoded.first, count);
        piece.first += count;
        piece.count -= count;
        at += count;
        continue;
      }
      switch (piece.source) {
        case Source::kStored:
          group.write_vector(column, row, block, static_cast<uint32_t>(piece.first) - in_block.begin, count);
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

std::shared_ptr<Partition> PartitionBuilder::finish(int64_t start) {
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
