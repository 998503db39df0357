#pragma once

#include <cstring>
#include <string_view>
#include <type_traits>

#include "common/decimal.h"
#include "common/interval.h"
#include "common/uuid.h"
#include "query/aggregate.h"
#include "query/function_registry.h"

namespace idem {

// Means to write aggregates: loops over rows that are selected and not NULL, and results.
namespace aggregate_detail {

inline bool is_dense(const Vector& v, Selection selection) {
  return selection.is_all() && v.form == Vector::Form::kFlat && !v.may_have_nulls();
}

// A sequence as a flat vector; anything else unchanged.
inline Vector plain(const Vector& v, uint32_t size, Selection selection) {
  return v.form == Vector::Form::kSequence ? flatten(v, size, selection, false) : v;
}

template <class State>
State& state_at(char* states, uint32_t stride, const uint32_t* groups, uint32_t i) {
  return *reinterpret_cast<State*>(states +
                                   (groups != nullptr ? static_cast<size_t>(stride) * groups[i] : 0));
}

// fold(state, value) for the rows at which the argument is not NULL.
template <class State, class T, class Fold>
void fold_rows(char* states, uint32_t stride, const uint32_t* groups, const Vector& argument, uint32_t size,
               Selection selection, Fold&& fold) {
  const Vector v = plain(argument, size, selection);
  const T* values = v.values<T>();
  const uint32_t mask = v.is_constant() ? 0 : ~0U;
  if (v.is_constant() && !v.is_valid(0)) return;
  if (!v.may_have_nulls() || v.is_constant()) {
    for (uint32_t i = 0; i < selection.count; ++i)
      fold(state_at<State>(states, stride, groups, i), values[selection[i] & mask]);
    return;
  }
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    if (v.is_valid(row)) fold(state_at<State>(states, stride, groups, i), values[row]);
  }
}

// Two arguments, rows at which neither is NULL.
template <class State, class A, class B, class Fold>
void fold_pairs(char* states, uint32_t stride, const uint32_t* groups, std::span<const Vector> arguments,
                uint32_t size, Selection selection, Fold&& fold) {
  const Vector a = plain(arguments[0], size, selection), b = plain(arguments[1], size, selection);
  const A* left = a.values<A>();
  const B* right = b.values<B>();
  const uint32_t left_mask = a.is_constant() ? 0 : ~0U, right_mask = b.is_constant() ? 0 : ~0U;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    if (a.is_valid(row) && b.is_valid(row)) {
      fold(state_at<State>(states, stride, groups, i), left[row & left_mask], right[row & right_mask]);
    }
  }
}

// Writes results of one call of finalize().
class ResultWriter {
 public:
  ResultWriter(Vector* result, uint32_t first, uint32_t count)
      : result_(result), first_(first), end_(first + count) {}

  template <class T>
  void set(uint32_t i, const T& value) {
    // The operator has made the elements and gives them to nobody before it is done.
    static_cast<T*>(const_cast<void*>(result_->data))[first_ + i] = value;
  }
  void set_text(uint32_t i, std::string_view text) { set(i, result_->store_string(text)); }
  void set_null(uint32_t i) {
    if (result_->validity == nullptr) {
      words_ = result_->allocate_validity(end_);
    } else if (words_ == nullptr) {
      words_ = const_cast<uint64_t*>(result_->validity);
    }
    const uint32_t row = first_ + i;
    words_[row >> 6] &= ~(uint64_t{1} << (row & 63));
    const size_t width = physical_size(physical_type(result_->type));
    std::memset(static_cast<char*>(const_cast<void*>(result_->data)) + width * row, 0, width);
  }

 private:
  Vector* result_;
  uint32_t first_, end_;
  uint64_t* words_ = nullptr;
};

// States are aligned to 8 bytes, a Decimal wants 16.
class PackedDecimal {
 public:
  PackedDecimal() = default;
  PackedDecimal(const Decimal& d)  // NOLINT: implicit on purpose
      : low_(static_cast<uint64_t>(d.value)), high_(static_cast<int64_t>(d.value >> 64)), scale_(d.scale) {}
  Decimal get() const {
    return {static_cast<int128_t>(static_cast<uint128_t>(static_cast<uint64_t>(high_)) << 64 | low_),
            static_cast<int32_t>(scale_)};
  }

 private:
  uint64_t low_ = 0;
  int64_t high_ = 0, scale_ = 0;
};

// A string in the arena that may be replaced by others.
class ArenaString {
 public:
  std::string_view get() const { return {data_, size_}; }
  void set(std::string_view text, AggregateArena& arena) {
    if (text.size() > capacity_) {
      capacity_ = static_cast<uint32_t>(text.size() + text.size() / 2 + 8);
      data_ = static_cast<char*>(arena.allocate(capacity_));
    }
    if (!text.empty()) std::memmove(data_, text.data(), text.size());
    size_ = static_cast<uint32_t>(text.size());
  }

 private:
  char* data_ = nullptr;
  uint32_t size_ = 0, capacity_ = 0;
};

// A value of a vector's element type T as a state keeps it.
template <class T>
struct Kept {
  T value{};
  T get() const { return value; }
  void set(const T& v, AggregateArena&) { value = v; }
};
template <>
struct Kept<Decimal> {
  PackedDecimal value;
  Decimal get() const { return value.get(); }
  void set(const Decimal& v, AggregateArena&) { value = v; }
};
template <>
struct Kept<std::string_view> : ArenaString {};

template <class T>
void write_kept(ResultWriter& out, uint32_t i, const Kept<T>& kept) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    out.set_text(i, kept.get());
  } else {
    out.set<T>(i, kept.get());
  }
}

template <class State>
void init_state(char* state) {
  new (state) State();
}

template <class State, class Write>
void finalize_states(const char* states, uint32_t stride, uint32_t count, Vector* result, uint32_t first,
                     Write&& write) {
  ResultWriter out(result, first, count);
  for (uint32_t i = 0; i < count; ++i)
    write(out, i, *reinterpret_cast<const State*>(states + static_cast<size_t>(stride) * i));
}

// Calls visit.operator()<T, P>() for each type of elements.
template <class Visit>
void for_each_element_type(Visit&& visit) {
  visit.template operator()<uint8_t, PhysicalType::kBool>();
  visit.template operator()<int16_t, PhysicalType::kInt16>();
  visit.template operator()<int32_t, PhysicalType::kInt32>();
  visit.template operator()<int64_t, PhysicalType::kInt64>();
  visit.template operator()<float, PhysicalType::kFloat>();
  visit.template operator()<double, PhysicalType::kDouble>();
  visit.template operator()<Decimal, PhysicalType::kDecimal>();
  visit.template operator()<Interval, PhysicalType::kInterval>();
  visit.template operator()<Uuid, PhysicalType::kUuid>();
  visit.template operator()<std::string_view, PhysicalType::kString>();
}

// One argument of exactly this type.
template <TypeId A, TypeId R>
bool bind_one(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 1 || arguments[0].id != A) return false;
  types->arguments = {SqlType(A)};
  types->result = R;
  return true;
}

// Two numbers, computed as doubles.
inline bool bind_doubles(std::span<const SqlType> arguments, CallTypes* types, size_t count, SqlType result) {
  if (arguments.size() != count) return false;
  for (const SqlType type : arguments) {
    if (!is_numeric(type.id) && type.id != TypeId::kUnknown) return false;
  }
  types->arguments.assign(count, SqlType(TypeId::kDouble));
  types->result = result;
  return true;
}

}  // namespace aggregate_detail

void register_sum_aggregates(FunctionRegistry& registry);
void register_extreme_aggregates(FunctionRegistry& registry);
void register_position_aggregates(FunctionRegistry& registry);
void register_statistic_aggregates(FunctionRegistry& registry);
void register_logical_aggregates(FunctionRegistry& registry);
void register_distinct_aggregates(FunctionRegistry& registry);
void register_percentile_aggregates(FunctionRegistry& registry);
void register_collecting_aggregates(FunctionRegistry& registry);

}  // namespace idem
