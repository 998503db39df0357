#include "query/top_bound.h"

#include "common/string_order.h"
#include "query/sort_threshold.h"
#include "storage/element_type.h"
#include "storage/symbol_dictionary.h"

namespace idem {

namespace {

template <class T>
uint64_t bits_of(T value) {
  if constexpr (std::is_floating_point_v<T>) return ordered_bits(static_cast<double>(value));
  return ordered_bits(static_cast<int64_t>(value));
}

bool orders_by_number(SqlType type) {
  return can_be_threshold(type) || physical_type(type) == PhysicalType::kBool;
}

int three_way(auto a, auto b) { return a < b ? -1 : b < a ? 1 : 0; }

}  // namespace

TopBound::TopBound(const std::vector<SortColumn>& columns) {
  for (const SortColumn& column : columns) keys_.push_back({column});
}

void TopBound::set(const RowStore& rows, uint32_t id) {
  is_set_ = true;
  for (size_t k = 0; k < keys_.size(); ++k) {
    Key& key = keys_[k];
    const uint32_t column = key.order.column;
    const SqlType type = rows.type(column);
    key.is_null = !rows.is_valid(column, id);
    if (orders_by_number(type)) {
      key.kind = Kind::kNumber;
      with_element_type(physical_type(type), [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        if constexpr (std::is_arithmetic_v<T>) key.bits = bits_of(rows.value<T>(column, id));
      });
    } else if (physical_type(type) == PhysicalType::kDecimal) {
      key.kind = Kind::kNumeric;
      key.decimal = rows.value<Decimal>(column, id);
    } else if (physical_type(type) == PhysicalType::kUuid) {
      key.kind = Kind::kIdentifier;
      key.uuid = rows.value<Uuid>(column, id);
    } else if (physical_type(type) == PhysicalType::kString && compares_by_bytes(type.id)) {
      key.kind = Kind::kCharacters;
      key.text = rows.value<std::string_view>(column, id);
    } else if (type.id == TypeId::kSymbol) {
      key.kind = Kind::kCharacters;
      if (!key.is_null) key.text = rows.dictionary(column)->at(rows.value<int32_t>(column, id));
    } else {
      keys_.erase(keys_.begin() + static_cast<ptrdiff_t>(k), keys_.end());
      decides_ties_ = false;
    }
  }
}

template <class Compare>
void TopBound::divide_by(const Key& key, const Vector& values, Compare&& compare) {
  const bool may_have_nulls = values.may_have_nulls() || key.is_null;
  uint32_t ties = 0;
  for (uint32_t i = 0; i < tie_count_; ++i) {
    const uint16_t row = ties_[i];
    int order = 0;
    if (may_have_nulls && (key.is_null || !values.is_valid(row))) {
      order = three_way(values.is_valid(row), !key.is_null);  // NULL is the lesser one
      if (!key.order.nulls_first) order = -order;
    } else {
      order = compare(row);
      if (key.order.descending) order = -order;
    }
    is_kept_[row] = order < 0 ? 1 : 0;
    ties_[ties] = row;
    ties += order == 0 ? 1 : 0;
  }
  tie_count_ = ties;
}

void TopBound::divide(const Key& key, const Vector& values) {
  switch (key.kind) {
    case Kind::kNumber:
      return with_element_type(physical_type(values.type), [&](auto* tag) {
        using T = std::remove_pointer_t<decltype(tag)>;
        if constexpr (std::is_arithmetic_v<T>) {
          const T* numbers = values.values<T>();
          divide_by(key, values, [&](uint16_t row) { return three_way(bits_of(numbers[row]), key.bits); });
        }
      });
    case Kind::kNumeric:
      return divide_by(key, values, [&, decimals = values.values<Decimal>()](uint16_t row) {
        return idem::compare(decimals[row], key.decimal);
      });
    case Kind::kIdentifier:
      return divide_by(key, values, [&, uuids = values.values<Uuid>()](uint16_t row) {
        return three_way(uuids[row], key.uuid);
      });
    case Kind::kCharacters:
      return divide_by(key, values,
                       [&, texts = values.values<std::string_view>(), bound = std::string_view(key.text)](
                           uint16_t row) { return three_way(texts[row].compare(bound), 0); });
  }
}

uint32_t TopBound::select(const DataChunk& chunk, Selection rows, uint16_t* out) {
  for (uint32_t i = 0; i < rows.count; ++i) out[i] = static_cast<uint16_t>(rows[i]);
  if (!is_set_) return rows.count;
  std::copy_n(out, rows.count, ties_.data());
  tie_count_ = rows.count;
  for (const Key& key : keys_) {
    if (tie_count_ == 0) break;
    const Vector& values = chunk.columns[key.order.column];
    divide(key, flatten(values, chunk.size, {ties_.data(), tie_count_}, true));
  }
  if (keys_.empty()) std::fill_n(is_kept_.begin(), chunk.size, 1);
  if (!decides_ties_) {
    for (uint32_t i = 0; i < tie_count_; ++i) is_kept_[ties_[i]] = 1;
  }
  uint32_t count = 0;
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint16_t row = out[i];
    out[count] = row;
    count += is_kept_[row];
  }
  return count;
}

}  // namespace idem
