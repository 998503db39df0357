#pragma once

#include "query/aggregate_kernels.h"

// For aggregates that keep the values of a group.
namespace idem::aggregate_detail {

// A value that is kept for long: characters are copied into the arena.
template <class T>
T kept(const T& value, AggregateArena& arena) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return arena.copy(value);
  } else {
    return value;
  }
}

// What values of a type are kept as for sorting: symbols and untyped literals as text.
inline SqlType sortable_type(SqlType type) {
  return type.id == TypeId::kSymbol || type.id == TypeId::kUnknown ? SqlType(TypeId::kText) : type;
}

void register_mode_aggregate(FunctionRegistry& registry);

}  // namespace idem::aggregate_detail
