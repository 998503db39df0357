#include "query/sample_fill.h"

#include <algorithm>
#include <cmath>

#include "common/decimal.h"
#include "query/row_source.h"

namespace idem {

namespace {

double number_at(const RowStore& rows, size_t column, uint32_t id) {
  switch (physical_type(rows.type(column))) {
    case PhysicalType::kInt16: return rows.value<int16_t>(column, id);
    case PhysicalType::kInt32: return rows.value<int32_t>(column, id);
    case PhysicalType::kInt64: return static_cast<double>(rows.value<int64_t>(column, id));
    case PhysicalType::kFloat: return static_cast<double>(rows.value<float>(column, id));
    case PhysicalType::kDouble: return rows.value<double>(column, id);
    case PhysicalType::kDecimal: return decimal_to_double(rows.value<Decimal>(column, id));
    default: return 0;
  }
}

bool can_interpolate(SqlType type) {
  if (type.id == TypeId::kSymbol) return false;
  switch (physical_type(type)) {
    case PhysicalType::kInt16:
    case PhysicalType::kInt32:
    case PhysicalType::kInt64:
    case PhysicalType::kFloat:
    case PhysicalType::kDouble:
    case PhysicalType::kDecimal: return true;
    default: return false;
  }
}

void put_number(SqlType type, void* elements, uint32_t at, double value) {
  switch (physical_type(type)) {
    case PhysicalType::kInt16:
      static_cast<int16_t*>(elements)[at] = static_cast<int16_t>(std::llround(value));
      break;
    case PhysicalType::kInt32:
      static_cast<int32_t*>(elements)[at] = static_cast<int32_t>(std::llround(value));
      break;
    case PhysicalType::kInt64: static_cast<int64_t*>(elements)[at] = std::llround(value); break;
    case PhysicalType::kFloat: static_cast<float*>(elements)[at] = static_cast<float>(value); break;
    case PhysicalType::kDouble: static_cast<double*>(elements)[at] = value; break;
    case PhysicalType::kDecimal: static_cast<Decimal*>(elements)[at] = decimal_from_double(value); break;
    default: break;
  }
}

}  // namespace

bool SampleFill::fills() const {
  return std::any_of(plan_.sample.fill.begin(), plan_.sample.fill.end(),
                     [](SampleSpec::Fill fill) { return fill != SampleSpec::Fill::kNone; });
}

SampleSpec::Fill SampleFill::fill_of(size_t aggregate) const {
  const auto& fill = plan_.sample.fill;
  return fill.size() == 1 ? fill[0] : aggregate < fill.size() ? fill[aggregate] : SampleSpec::Fill::kNull;
}

std::shared_ptr<RowStore> SampleFill::run(const std::vector<SampleGroup>& groups, const RowStore* keys,
                                          RowStore& values, EvaluationState& state) {
  const SampleSpec& spec = plan_.sample;
  const auto key_count = static_cast<uint32_t>(keys ? keys->rows() : 1);
  auto out = RowStore::make(column_types(plan_), state.context->memory);
  const bool has_range = spec.from && spec.to;
  if (groups.empty() && !(has_range && !keys)) return out;

  // The given values become one more row, so that every fill but the line is a choice of rows.
  std::vector<Vector> given;
  const size_t first_aggregate = 1 + plan_.groups.size();
  for (size_t c = 0; c < plan_.columns.size(); ++c) {
    const size_t a = c - first_aggregate;
    const bool has_value = c >= first_aggregate && fill_of(a) == SampleSpec::Fill::kValue;
    const size_t v = spec.fill_values.size() == 1 ? 0 : a;
    given.push_back(has_value && v < spec.fill_values.size() ? Vector::constant(spec.fill_values[v])
                                                             : Vector::constant_null(plan_.columns[c].type));
  }
  given_row_ = values.next_id();
  values.append(given, {nullptr, 1});
  values.seal();

  next_of_.assign(groups.size(), RowStore::kNoRow);
  std::vector<uint32_t> last(key_count, RowStore::kNoRow);
  for (uint32_t g = 0; g < groups.size(); ++g) {
    if (last[groups[g].key] != RowStore::kNoRow) next_of_[last[groups[g].key]] = g;
    last[groups[g].key] = g;
  }

  const SampleBuckets buckets(spec, groups.empty() ? 0 : groups.front().bucket);
  const int64_t begin = spec.from ? buckets.start_of(*spec.from) : groups.front().bucket;
  std::fill(last.begin(), last.end(), RowStore::kNoRow);
  std::vector<uint32_t> here(key_count);
  std::vector<Slot> slots;
  size_t g = 0;
  for (int64_t bucket = begin; spec.to ? bucket < *spec.to : bucket <= groups.back().bucket;
       bucket = buckets.next(bucket)) {
    std::fill(here.begin(), here.end(), RowStore::kNoRow);
    for (; g < groups.size() && groups[g].bucket <= bucket; ++g)
      here[groups[g].key] = static_cast<uint32_t>(g);
    for (uint32_t key = 0; key < key_count; ++key) {
      slots.push_back({bucket, key, here[key], last[key]});
      if (here[key] != RowStore::kNoRow) last[key] = here[key];
      if (slots.size() < kVectorSize) continue;
      if (state.context->cancel) state.context->cancel->check();
      write(slots, groups, keys, values, *out);
      slots.clear();
    }
  }
  write(slots, groups, keys, values, *out);
  return out;
}

void SampleFill::write(const std::vector<Slot>& slots, const std::vector<SampleGroup>& groups,
                       const RowStore* keys, const RowStore& values, RowStore& out) const {
  if (slots.empty()) return;
  const auto count = static_cast<uint32_t>(slots.size());
  DataChunk chunk;
  chunk.columns.resize(plan_.columns.size());
  std::vector<uint32_t> ids(count);
  auto* times = chunk.columns[0].allocate_as<int64_t>(plan_.columns[0].type);
  for (uint32_t i = 0; i < count; ++i) {
    times[i] = slots[i].bucket;
    ids[i] = slots[i].key;
  }
  for (size_t k = 0; k < plan_.groups.size(); ++k)
    keys->gather(k, ids.data(), count, false, &chunk.columns[1 + k]);
  for (size_t a = 0; a < plan_.aggregates.size(); ++a) {
    const size_t column = 1 + plan_.groups.size() + a;
    const SampleSpec::Fill fill = fill_of(a);
    for (uint32_t i = 0; i < count; ++i) {
      ids[i] = slots[i].group;
      if (ids[i] != RowStore::kNoRow) continue;
      if (fill == SampleSpec::Fill::kPrev) ids[i] = slots[i].previous;
      if (fill == SampleSpec::Fill::kValue) ids[i] = given_row_;
    }
    values.gather(column, ids.data(), count, true, &chunk.columns[column]);
    if (fill == SampleSpec::Fill::kLinear && can_interpolate(plan_.columns[column].type)) {
      interpolate(column, slots, groups, values, &chunk.columns[column]);
    }
  }
  chunk.set_size(count);
  out.append(chunk);
}

void SampleFill::interpolate(size_t column, const std::vector<Slot>& slots,
                             const std::vector<SampleGroup>& groups, const RowStore& values,
                             Vector* out) const {
  if (!out->validity) return;
  // gather() has just written both: this thread's own memory.
  void* elements = const_cast<void*>(out->data);
  auto* validity = const_cast<uint64_t*>(out->validity);
  for (uint32_t i = 0; i < slots.size(); ++i) {
    const Slot& slot = slots[i];
    if (slot.group != RowStore::kNoRow || slot.previous == RowStore::kNoRow) continue;
    const uint32_t before = slot.previous, after = next_of_[before];
    if (after == RowStore::kNoRow || !values.is_valid(column, before) || !values.is_valid(column, after))
      continue;
    const double from = number_at(values, column, before), to = number_at(values, column, after);
    const auto whole = static_cast<double>(groups[after].bucket - groups[before].bucket);
    const auto part = static_cast<double>(slot.bucket - groups[before].bucket);
    put_number(out->type, elements, i, from + (to - from) * part / whole);
    validity[i >> 6] |= uint64_t{1} << (i & 63);
  }
}

}  // namespace idem
