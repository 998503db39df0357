#include <algorithm>
#include <limits>

#include "common/string_order.h"
#include "query/aggregate_kernels.h"
#include "query/dense_aggregate.h"
#include "query/number_kernels.h"

namespace idem {

namespace {

using namespace aggregate_detail;

// PostgreSQL's order; NaN above all numbers.
template <class T>
int order(SqlType type, const T& a, const T& b) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return compare_strings(type.id, a, b);
  } else if constexpr (std::is_floating_point_v<T>) {
    if (a != a || b != b) return static_cast<int>(a != a) - static_cast<int>(b != b);
    return static_cast<int>(a > b) - static_cast<int>(a < b);
  } else if constexpr (std::is_same_v<T, Decimal> || std::is_same_v<T, Interval>) {
    return compare(a, b);
  } else if constexpr (std::is_same_v<T, Uuid>) {
    return std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size());
  } else if constexpr (std::is_same_v<T, int32_t>) {
    if (is_oid_like(type.id)) {
      const auto x = static_cast<uint32_t>(a), y = static_cast<uint32_t>(b);
      return static_cast<int>(x > y) - static_cast<int>(x < y);
    }
    return static_cast<int>(a > b) - static_cast<int>(a < b);
  } else {
    return static_cast<int>(a > b) - static_cast<int>(a < b);
  }
}

template <class T>
struct ExtremeState {
  Kept<T> kept;
  uint64_t found = 0;
};

template <class T, bool kMax>
bool is_better(SqlType type, const T& candidate, const T& best) {
  if constexpr (std::is_floating_point_v<T>) {
    if (kMax ? candidate > best : candidate < best) return true;
    if (candidate == candidate && best == best) return false;
  }
  const int o = order(type, candidate, best);
  return kMax ? o > 0 : o < 0;
}

template <class T, bool kMax>
void offer(ExtremeState<T>& s, SqlType type, const T& value, AggregateArena& arena) {
  if (s.found != 0 && !is_better<T, kMax>(type, value, s.kept.get())) return;
  s.kept.set(value, arena);
  s.found = 1;
}

// Consecutive numbers without NULLs; loops that vectorize. Of floats only when none is NaN.
template <class T, bool kMax>
bool dense_extreme(const T* values, uint32_t count, T* result) {
  if (count == 0) return false;
  if constexpr (std::is_same_v<T, double>) {
    return (kMax ? number_kernels().max : number_kernels().min)(values, count, result);
  }
  constexpr uint32_t kLanes = 8;
  T lanes[kLanes];
  for (T& lane : lanes) lane = values[0];
  bool has_nan = false;
  uint32_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (uint32_t k = 0; k < kLanes; ++k) {
      const T v = values[i + k];
      lanes[k] = kMax ? (v > lanes[k] ? v : lanes[k]) : (v < lanes[k] ? v : lanes[k]);
      if constexpr (std::is_floating_point_v<T>) has_nan |= v != v;
    }
  }
  for (; i < count; ++i) {
    const T v = values[i];
    lanes[0] = kMax ? (v > lanes[0] ? v : lanes[0]) : (v < lanes[0] ? v : lanes[0]);
    if constexpr (std::is_floating_point_v<T>) has_nan |= v != v;
  }
  if (has_nan) return false;
  *result = lanes[0];
  for (const T lane : lanes) *result = kMax ? std::max(*result, lane) : std::min(*result, lane);
  return true;
}

template <class T, bool kMax>
void update_extreme(char* states, uint32_t stride, const uint32_t* groups, const CallTypes& types,
                    std::span<const Vector> arguments, uint32_t size, Selection selection,
                    AggregateArena& arena) {
  const SqlType type = types.result;
  using State = ExtremeState<T>;
  if constexpr (std::is_arithmetic_v<T>) {
    T best{};
    if (groups == nullptr && is_dense(arguments[0], selection) && !is_oid_like(type.id) &&
        dense_extreme<T, kMax>(arguments[0].values<T>(), selection.count, &best)) {
      return offer<T, kMax>(*reinterpret_cast<State*>(states), type, best, arena);
    }
  }
  fold_rows<State, T>(states, stride, groups, arguments[0], size, selection,
                      [&](State& s, const T& value) { offer<T, kMax>(s, type, value, arena); });
}

template <class T, bool kMax>
void combine_extreme(char* into, const char* from, const CallTypes& types, AggregateArena& arena) {
  const auto& b = *reinterpret_cast<const ExtremeState<T>*>(from);
  if (b.found != 0)
    offer<T, kMax>(*reinterpret_cast<ExtremeState<T>*>(into), types.result, b.kept.get(), arena);
}

template <class State, class T>
void finalize_kept(const char* states, uint32_t stride, uint32_t count, const CallTypes&, Vector* result,
                   uint32_t first) {
  finalize_states<State>(states, stride, count, result, first,
                         [](ResultWriter& out, uint32_t i, const State& s) {
                           if (s.found == 0) return out.set_null(i);
                           write_kept<T>(out, i, s.kept);
                         });
}

// ---- arg_min, arg_max: the value beside the smallest or largest key; of equal keys the first

template <class T, class K>
struct BesideState {
  Kept<T> kept;
  Kept<K> key;
  uint64_t found = 0;  // 1: a key; 2: the value beside it is NULL
};

template <class T, class K, bool kMax>
void offer_beside(BesideState<T, K>& s, SqlType key_type, const K& key, const T* value,
                  AggregateArena& arena) {
  if (s.found != 0 && !is_better<K, kMax>(key_type, key, s.key.get())) return;
  s.key.set(key, arena);
  if (value != nullptr) s.kept.set(*value, arena);
  s.found = value != nullptr ? 1 : 2;
}

template <class T, class K, bool kMax>
void update_beside(char* states, uint32_t stride, const uint32_t* groups, const CallTypes& types,
                   std::span<const Vector> arguments, uint32_t size, Selection selection,
                   AggregateArena& arena) {
  const Vector values = plain(arguments[0], size, selection), keys = plain(arguments[1], size, selection);
  using State = BesideState<T, K>;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    if (!keys.is_valid(row)) continue;
    const T* value = values.is_valid(row) ? values.values<T>() + (values.is_constant() ? 0 : row) : nullptr;
    offer_beside<T, K, kMax>(state_at<State>(states, stride, groups, i), types.arguments[1],
                             keys.values<K>()[keys.is_constant() ? 0 : row], value, arena);
  }
}

template <class T, class K, bool kMax>
void combine_beside(char* into, const char* from, const CallTypes& types, AggregateArena& arena) {
  const auto& b = *reinterpret_cast<const BesideState<T, K>*>(from);
  if (b.found == 0) return;
  const T value = b.kept.get();
  offer_beside<T, K, kMax>(*reinterpret_cast<BesideState<T, K>*>(into), types.arguments[1], b.key.get(),
                           b.found == 1 ? &value : nullptr, arena);
}

template <class T, class K>
void finalize_beside(const char* states, uint32_t stride, uint32_t count, const CallTypes&, Vector* result,
                     uint32_t first) {
  using State = BesideState<T, K>;
  finalize_states<State>(states, stride, count, result, first,
                         [](ResultWriter& out, uint32_t i, const State& s) {
                           if (s.found != 1) return out.set_null(i);
                           write_kept<T>(out, i, s.kept);
                         });
}

// Types of one physical type share kernels.
SqlType accepted(SqlType type) {
  if (type.id == TypeId::kSymbol || type.id == TypeId::kVarchar || type.id == TypeId::kUnknown)
    return TypeId::kText;
  return type;
}

bool is_ordered(SqlType type) {
  return type.id != TypeId::kJson && type.id != TypeId::kVoid && type.id != TypeId::kRecord;
}

template <PhysicalType P>
bool bind_extreme(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 1 || !is_ordered(arguments[0])) return false;
  const SqlType type = accepted(arguments[0]);
  if (physical_type(type) != P) return false;
  types->arguments = {type};
  types->result = type;
  return true;
}

// Keys are compared as integers, doubles or strings: others are cast.
enum class KeyKind : uint8_t { kWhole, kFloat, kText };

template <PhysicalType P, KeyKind K>
bool bind_beside(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 2) return false;
  const SqlType type = accepted(arguments[0]);
  SqlType key = accepted(arguments[1]);
  if (physical_type(type) != P) return false;
  switch (physical_type(key)) {
    case PhysicalType::kInt16:
    case PhysicalType::kInt64:
    case PhysicalType::kInt32:
      if (K != KeyKind::kWhole) return false;
      if (key.id == TypeId::kDate) key = TypeId::kTimestamp;
      if (physical_type(key) != PhysicalType::kInt64) key = TypeId::kBigInt;
      break;
    case PhysicalType::kFloat:
    case PhysicalType::kDouble:
    case PhysicalType::kDecimal:
      if (K != KeyKind::kFloat) return false;
      key = TypeId::kDouble;
      break;
    case PhysicalType::kString:
      if (K != KeyKind::kText) return false;
      break;
    default: return false;
  }
  types->arguments = {type, key};
  types->result = type;
  return true;
}

template <class T, PhysicalType P, bool kMax>
void add_extreme(FunctionRegistry& r, std::string_view name) {
  AggregateFunction f;
  f.name = name;
  f.state_size = sizeof(ExtremeState<T>);
  f.init = init_state<ExtremeState<T>>;
  f.update = update_extreme<T, kMax>;
  f.combine = combine_extreme<T, kMax>;
  f.finalize = finalize_kept<ExtremeState<T>, T>;
  f.bind = bind_extreme<P>;
  r.add_aggregate(std::move(f));
}

template <class T, PhysicalType P, class K, KeyKind kKind, bool kMax>
void add_beside(FunctionRegistry& r, std::string_view name) {
  AggregateFunction f;
  f.name = name;
  f.state_size = sizeof(BesideState<T, K>);
  f.init = init_state<BesideState<T, K>>;
  f.update = update_beside<T, K, kMax>;
  f.combine = combine_beside<T, K, kMax>;
  f.finalize = finalize_beside<T, K>;
  f.bind = bind_beside<P, kKind>;
  f.order_sensitive = true;
  r.add_aggregate(std::move(f));
}

template <class T, PhysicalType P>
void add_all(FunctionRegistry& r) {
  add_extreme<T, P, false>(r, "min");
  add_extreme<T, P, true>(r, "max");
  for (const std::string_view name : {"arg_min", "min_by"}) {
    add_beside<T, P, int64_t, KeyKind::kWhole, false>(r, name);
    add_beside<T, P, double, KeyKind::kFloat, false>(r, name);
    add_beside<T, P, std::string_view, KeyKind::kText, false>(r, name);
  }
  for (const std::string_view name : {"arg_max", "max_by"}) {
    add_beside<T, P, int64_t, KeyKind::kWhole, true>(r, name);
    add_beside<T, P, double, KeyKind::kFloat, true>(r, name);
    add_beside<T, P, std::string_view, KeyKind::kText, true>(r, name);
  }
}

}  // namespace

DenseState dense_extreme_state(const AggregateFunction& function) {
  if (function.update == update_extreme<double, false>) return DenseState::kMin;
  return function.update == update_extreme<double, true> ? DenseState::kMax : DenseState::kNone;
}

void make_extreme_state(double value, char* state) {
  auto* made = new (state) ExtremeState<double>();
  made->kept.value = value;
  made->found = 1;
}

void register_extreme_aggregates(FunctionRegistry& r) {
  for_each_element_type([&]<class T, PhysicalType P>() { add_all<T, P>(r); });
}

}  // namespace idem
