#include "query/sort_threshold.h"

#include <type_traits>

namespace idem {

namespace {

template <class T>
uint32_t select_values(const Vector& vector, const SortThreshold& threshold, Selection selection,
                       uint16_t* out) {
  const uint64_t bound = threshold.bound.load(std::memory_order_relaxed);
  const uint64_t flip = threshold.descending ? UINT64_MAX : 0;
  const T* values = vector.values<T>();
  uint32_t count = 0;
  if constexpr (std::is_same_v<T, double>) {
    // Comparisons of doubles where the bound is none of the special ones. NaN is the largest number.
    const double limit = double_of_ordered_bits(bound ^ flip);
    if (limit == limit) {
      for (uint32_t i = 0; i < selection.count; ++i) {
        const uint32_t row = selection[i];
        out[count] = static_cast<uint16_t>(row);
        count += (threshold.descending ? !(values[row] < limit) : values[row] <= limit) ? 1 : 0;
      }
      return count;
    }
  }
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    out[count] = static_cast<uint16_t>(row);
    if constexpr (std::is_floating_point_v<T>) {
      count += (ordered_bits(static_cast<double>(values[row])) ^ flip) <= bound ? 1 : 0;
    } else {
      count += (ordered_bits(static_cast<int64_t>(values[row])) ^ flip) <= bound ? 1 : 0;
    }
  }
  return count;
}

}  // namespace

bool can_be_threshold(SqlType type) {
  if (type.id == TypeId::kSymbol || is_oid_like(type.id)) return false;
  switch (physical_type(type)) {
    case PhysicalType::kInt16:
    case PhysicalType::kInt32:
    case PhysicalType::kInt64:
    case PhysicalType::kFloat:
    case PhysicalType::kDouble: return true;
    default: return false;
  }
}

uint32_t select_within(const SortThreshold& threshold, const Vector& vector, uint32_t size,
                       Selection selection, uint16_t* out) {
  const auto keep_all = [&] {
    for (uint32_t i = 0; i < selection.count; ++i) out[i] = static_cast<uint16_t>(selection[i]);
    return selection.count;
  };
  if (vector.may_have_nulls()) return keep_all();
  const Vector flat = flatten(vector, size, selection, false);
  switch (physical_type(vector.type)) {
    case PhysicalType::kInt16: return select_values<int16_t>(flat, threshold, selection, out);
    case PhysicalType::kInt32: return select_values<int32_t>(flat, threshold, selection, out);
    case PhysicalType::kInt64: return select_values<int64_t>(flat, threshold, selection, out);
    case PhysicalType::kFloat: return select_values<float>(flat, threshold, selection, out);
    case PhysicalType::kDouble: return select_values<double>(flat, threshold, selection, out);
    default: return keep_all();
  }
}

}  // namespace idem
