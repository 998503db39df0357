#include "storage/attached_row_group.h"

#include <algorithm>

namespace idem {

AttachedRowGroup::AttachedRowGroup(std::shared_ptr<const SegmentRowGroup> stored,
                                   std::shared_ptr<const Attachment> attachment)
    : SegmentRowGroup(stored->file(), stored->index(), stored->size()),
      stored_(std::move(stored)),
      attachment_(std::move(attachment)) {}

bool AttachedRowGroup::has_column(ColumnId column) const {
  const Attachment::Column* known = attachment_->find(column);
  return known && stored_->has_column(known->stored);
}

VectorStatistics AttachedRowGroup::statistics(ColumnId column, uint32_t vector_index) const {
  const Attachment::Column* known = attachment_->find(column);
  if (!known) return {};
  VectorStatistics statistics = stored_->statistics(known->stored, vector_index);
  if (statistics.has_bounds && !known->codes.empty()) {
    statistics.min = 0;
    statistics.max = known->highest_code;
  }
  return statistics;
}

void AttachedRowGroup::read(const ColumnSchema& column, uint32_t first, uint32_t count, Vector* out) const {
  const Attachment::Column* known = attachment_->find(column.id);
  if (!known || !stored_->has_column(known->stored)) return read_initial(column, out);
  const auto codes_there = static_cast<uint32_t>(known->codes.size());
  if (column.type.id != TypeId::kSymbol)
    return stored_->decode_column(column, known->stored, 0, first, count, out);
  Vector stored;
  stored_->decode_column(column, known->stored, codes_there, first, count, &stored);
  const uint32_t values = stored.form == Vector::Form::kConstant ? 1 : count;
  const auto* codes = static_cast<const int32_t*>(stored.data);
  int32_t* mapped = out->allocate_as<int32_t>(column.type, values);
  for (uint32_t i = 0; i < values; ++i)
    mapped[i] = codes[i] < 0 ? -1 : known->codes[static_cast<size_t>(codes[i])];
  if (stored.validity) std::copy_n(stored.validity, (values + 63) / 64, out->allocate_validity(values));
  out->form = stored.form;
  out->dictionary = column.dictionary.get();
  out->string_owner = column.dictionary;
}

std::shared_ptr<const SegmentRowGroup> attach_row_group(const std::shared_ptr<const SegmentRowGroup>& group,
                                                        std::shared_ptr<const Attachment> attachment) {
  const auto* attached = dynamic_cast<const AttachedRowGroup*>(group.get());
  return std::make_shared<const AttachedRowGroup>(attached ? attached->stored() : group,
                                                  std::move(attachment));
}

}  // namespace idem
