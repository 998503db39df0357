#include <bit>
#include <cmath>

#include "common/decimal.h"
#include "common/error.h"
#include "common/interval.h"
#include "query/aggregate_kernels.h"
#include "query/dense_aggregate.h"
#include "query/number_kernels.h"

namespace idem {

namespace {

using namespace aggregate_detail;

// ---- count

struct CountState {
  int64_t count = 0;
};

void update_count_all(char* states, uint32_t stride, const uint32_t* groups, const CallTypes&,
                      std::span<const Vector>, uint32_t, Selection selection, AggregateArena&) {
  if (groups == nullptr) {
    reinterpret_cast<CountState*>(states)->count += selection.count;
    return;
  }
  for (uint32_t i = 0; i < selection.count; ++i) ++state_at<CountState>(states, stride, groups, i).count;
}

int64_t count_valid(const Vector& v, Selection selection) {
  if (v.is_constant()) return v.is_valid(0) ? selection.count : 0;
  if (!v.may_have_nulls()) return selection.count;
  int64_t count = 0;
  if (!selection.is_all()) {
    for (uint32_t i = 0; i < selection.count; ++i) count += v.is_valid(selection.rows[i]);
    return count;
  }
  const uint32_t whole = selection.count / 64, rest = selection.count % 64;
  for (uint32_t w = 0; w < whole; ++w) count += std::popcount(v.validity[w]);
  if (rest != 0) count += std::popcount(v.validity[whole] & ((uint64_t{1} << rest) - 1));
  return count;
}

void update_count(char* states, uint32_t stride, const uint32_t* groups, const CallTypes& types,
                  std::span<const Vector> arguments, uint32_t size, Selection selection,
                  AggregateArena& arena) {
  const Vector& v = arguments[0];
  if (groups == nullptr) {
    reinterpret_cast<CountState*>(states)->count += count_valid(v, selection);
    return;
  }
  if (!v.may_have_nulls()) return update_count_all(states, stride, groups, types, {}, size, selection, arena);
  for (uint32_t i = 0; i < selection.count; ++i) {
    state_at<CountState>(states, stride, groups, i).count += v.is_valid(selection[i]);
  }
}

void combine_count(char* into, const char* from, const CallTypes&, AggregateArena&) {
  reinterpret_cast<CountState*>(into)->count += reinterpret_cast<const CountState*>(from)->count;
}

void finalize_count(const char* states, uint32_t stride, uint32_t count, const CallTypes&, Vector* result,
                    uint32_t first) {
  finalize_states<CountState>(
      states, stride, count, result, first,
      [](ResultWriter& out, uint32_t i, const CountState& s) { out.set<int64_t>(i, s.count); });
}

bool bind_star(std::span<const SqlType> arguments, CallTypes* types) {
  types->result = TypeId::kBigInt;
  return arguments.empty();
}
bool bind_count(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 1) return false;
  types->arguments = {arguments[0].id == TypeId::kUnknown ? SqlType(TypeId::kText) : arguments[0]};
  types->result = TypeId::kBigInt;
  return true;
}

// ---- sums of floating point numbers

struct FloatState {
  double sum = 0;
  int64_t count = 0;
};

// Eight partial sums in a fixed order: the same rows give the same bits, and the loop vectorizes.
template <class T>
double dense_sum(const T* values, uint32_t count) {
  if constexpr (std::is_same_v<T, double>) {
    return number_kernels().sum(values, count);
  } else {
    double lanes[8] = {};
    uint32_t i = 0;
    for (; i + 8 <= count; i += 8) {
      for (uint32_t k = 0; k < 8; ++k) lanes[k] += static_cast<double>(values[i + k]);
    }
    double rest = 0;
    for (; i < count; ++i) rest += static_cast<double>(values[i]);
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7])) +
           rest;
  }
}

template <class T>
void update_float_sum(char* states, uint32_t stride, const uint32_t* groups, const CallTypes&,
                      std::span<const Vector> arguments, uint32_t size, Selection selection,
                      AggregateArena&) {
  if (groups == nullptr && is_dense(arguments[0], selection)) {
    auto& state = *reinterpret_cast<FloatState*>(states);
    state.sum += dense_sum(arguments[0].values<T>(), selection.count);
    state.count += selection.count;
    return;
  }
  fold_rows<FloatState, T>(states, stride, groups, arguments[0], size, selection, [](FloatState& s, T value) {
    s.sum += static_cast<double>(value);
    ++s.count;
  });
}

void combine_float_sum(char* into, const char* from, const CallTypes&, AggregateArena&) {
  auto& a = *reinterpret_cast<FloatState*>(into);
  const auto& b = *reinterpret_cast<const FloatState*>(from);
  a.sum += b.sum;
  a.count += b.count;
}

void finalize_float_sum(const char* states, uint32_t stride, uint32_t count, const CallTypes& types,
                        Vector* result, uint32_t first) {
  const bool is_real = types.result.id == TypeId::kReal;
  finalize_states<FloatState>(states, stride, count, result, first,
                              [&](ResultWriter& out, uint32_t i, const FloatState& s) {
                                if (s.count == 0) return out.set_null(i);
                                if (is_real) return out.set<float>(i, static_cast<float>(s.sum));
                                out.set<double>(i, s.sum);
                              });
}

void finalize_float_average(const char* states, uint32_t stride, uint32_t count, const CallTypes&,
                            Vector* result, uint32_t first) {
  finalize_states<FloatState>(states, stride, count, result, first,
                              [](ResultWriter& out, uint32_t i, const FloatState& s) {
                                if (s.count == 0) return out.set_null(i);
                                out.set<double>(i, s.sum / static_cast<double>(s.count));
                              });
}

// ksum: Kahan; nsum: Neumaier, which also keeps what a larger addend pushes out.
struct CompensatedState {
  double sum = 0, compensation = 0;
  int64_t count = 0;
};

void add_kahan(CompensatedState& s, double value) {
  const double y = value - s.compensation;
  const double t = s.sum + y;
  s.compensation = (t - s.sum) - y;
  s.sum = t;
  ++s.count;
}
void add_neumaier(CompensatedState& s, double value) {
  const double t = s.sum + value;
  s.compensation += std::fabs(s.sum) >= std::fabs(value) ? (s.sum - t) + value : (value - t) + s.sum;
  s.sum = t;
  ++s.count;
}

template <auto Add>
void update_compensated(char* states, uint32_t stride, const uint32_t* groups, const CallTypes&,
                        std::span<const Vector> arguments, uint32_t size, Selection selection,
                        AggregateArena&) {
  fold_rows<CompensatedState, double>(states, stride, groups, arguments[0], size, selection,
                                      [](CompensatedState& s, double value) { Add(s, value); });
}

template <auto Add, int kSign>
void combine_compensated(char* into, const char* from, const CallTypes&, AggregateArena&) {
  auto& a = *reinterpret_cast<CompensatedState*>(into);
  const auto& b = *reinterpret_cast<const CompensatedState*>(from);
  if (b.count == 0) return;
  const int64_t count = a.count + b.count;
  Add(a, b.sum);
  Add(a, kSign * b.compensation);
  a.count = count;
}

template <int kSign>
void finalize_compensated(const char* states, uint32_t stride, uint32_t count, const CallTypes&,
                          Vector* result, uint32_t first) {
  finalize_states<CompensatedState>(states, stride, count, result, first,
                                    [](ResultWriter& out, uint32_t i, const CompensatedState& s) {
                                      if (s.count == 0) return out.set_null(i);
                                      out.set<double>(i, kSign > 0 ? s.sum + s.compensation : s.sum);
                                    });
}

struct WeightedState {
  double weighted = 0, weights = 0;
};
void update_vwap(char* states, uint32_t stride, const uint32_t* groups, const CallTypes&,
                 std::span<const Vector> arguments, uint32_t size, Selection selection, AggregateArena&) {
  fold_pairs<WeightedState, double, double>(states, stride, groups, arguments, size, selection,
                                            [](WeightedState& s, double price, double quantity) {
                                              s.weighted += price * quantity;
                                              s.weights += quantity;
                                            });
}
void combine_vwap(char* into, const char* from, const CallTypes&, AggregateArena&) {
  auto& a = *reinterpret_cast<WeightedState*>(into);
  const auto& b = *reinterpret_cast<const WeightedState*>(from);
  a.weighted += b.weighted;
  a.weights += b.weights;
}
void finalize_vwap(const char* states, uint32_t stride, uint32_t count, const CallTypes&, Vector* result,
                   uint32_t first) {
  finalize_states<WeightedState>(states, stride, count, result, first,
                                 [](ResultWriter& out, uint32_t i, const WeightedState& s) {
                                   if (s.weights == 0) return out.set_null(i);
                                   out.set<double>(i, s.weighted / s.weights);
                                 });
}

// ---- sums of integers: in 128 bits, which no number of rows overflows

struct WideState {
  int64_t count = 0;
  uint64_t low = 0;
  int64_t high = 0;

  int128_t sum() const {
    return static_cast<int128_t>(static_cast<uint128_t>(static_cast<uint64_t>(high)) << 64 | low);
  }
  void add(int128_t value) {
    const int128_t total = sum() + value;
    low = static_cast<uint64_t>(total);
    high = static_cast<int64_t>(total >> 64);
  }
};

template <class T>
int128_t dense_integer_sum(const T* values, uint32_t count) {
  if constexpr (sizeof(T) < 8) {
    int64_t sum = 0;  // 2,048 of them fit
    for (uint32_t i = 0; i < count; ++i) sum += values[i];
    return sum;
  } else {
    // Halves apart: loops of 64 bits vectorize, 128 bits do not.
    uint64_t low = 0;
    int64_t high = 0;
    for (uint32_t i = 0; i < count; ++i) {
      low += static_cast<uint64_t>(values[i]) & 0xffffffffU;
      high += values[i] >> 32;
    }
    return (static_cast<int128_t>(high) << 32) + static_cast<int128_t>(low);
  }
}

template <class T>
void update_integer_sum(char* states, uint32_t stride, const uint32_t* groups, const CallTypes&,
                        std::span<const Vector> arguments, uint32_t size, Selection selection,
                        AggregateArena&) {
  if (groups == nullptr && is_dense(arguments[0], selection)) {
    auto& state = *reinterpret_cast<WideState*>(states);
    state.add(dense_integer_sum(arguments[0].values<T>(), selection.count));
    state.count += selection.count;
    return;
  }
  fold_rows<WideState, T>(states, stride, groups, arguments[0], size, selection, [](WideState& s, T value) {
    const auto wide = static_cast<int64_t>(value);
    const uint64_t low = s.low + static_cast<uint64_t>(wide);
    s.high += (wide >> 63) + static_cast<int64_t>(low < s.low);
    s.low = low;
    ++s.count;
  });
}

void combine_integer_sum(char* into, const char* from, const CallTypes&, AggregateArena&) {
  auto& a = *reinterpret_cast<WideState*>(into);
  const auto& b = *reinterpret_cast<const WideState*>(from);
  a.add(b.sum());
  a.count += b.count;
}

void finalize_integer_sum(const char* states, uint32_t stride, uint32_t count, const CallTypes& types,
                          Vector* result, uint32_t first) {
  const bool is_bigint = types.result.id == TypeId::kBigInt;
  finalize_states<WideState>(states, stride, count, result, first,
                             [&](ResultWriter& out, uint32_t i, const WideState& s) {
                               if (s.count == 0) return out.set_null(i);
                               if (!is_bigint) return out.set<Decimal>(i, decimal_from_int128(s.sum()));
                               const auto sum = static_cast<int64_t>(s.sum());
                               if (static_cast<int128_t>(sum) != s.sum())
                                 throw SqlError(sqlstate::kNumericValueOutOfRange, "bigint out of range");
                               out.set<int64_t>(i, sum);
                             });
}

void finalize_integer_average(const char* states, uint32_t stride, uint32_t count, const CallTypes&,
                              Vector* result, uint32_t first) {
  finalize_states<WideState>(
      states, stride, count, result, first, [](ResultWriter& out, uint32_t i, const WideState& s) {
        if (s.count == 0) return out.set_null(i);
        out.set<Decimal>(i, divide(decimal_from_int128(s.sum()), decimal_from_int64(s.count)));
      });
}

// ---- numeric and interval

struct DecimalState {
  PackedDecimal sum;
  int64_t count = 0;
};
void update_decimal_sum(char* states, uint32_t stride, const uint32_t* groups, const CallTypes&,
                        std::span<const Vector> arguments, uint32_t size, Selection selection,
                        AggregateArena&) {
  fold_rows<DecimalState, Decimal>(
      states, stride, groups, arguments[0], size, selection, [](DecimalState& s, const Decimal& value) {
        const Decimal sum = s.sum.get();
        int128_t total = 0;
        if (sum.scale == value.scale && !__builtin_add_overflow(sum.value, value.value, &total) &&
            total < power_of_ten(kMaxDecimalDigits) && -total < power_of_ten(kMaxDecimalDigits)) {
          s.sum = Decimal{total, sum.scale};
        } else {
          s.sum = add(sum, value);
        }
        ++s.count;
      });
}
void combine_decimal_sum(char* into, const char* from, const CallTypes&, AggregateArena&) {
  auto& a = *reinterpret_cast<DecimalState*>(into);
  const auto& b = *reinterpret_cast<const DecimalState*>(from);
  if (b.count == 0) return;
  a.sum = add(a.sum.get(), b.sum.get());
  a.count += b.count;
}
template <bool kAverage>
void finalize_decimal_sum(const char* states, uint32_t stride, uint32_t count, const CallTypes&,
                          Vector* result, uint32_t first) {
  finalize_states<DecimalState>(
      states, stride, count, result, first, [](ResultWriter& out, uint32_t i, const DecimalState& s) {
        if (s.count == 0) return out.set_null(i);
        out.set<Decimal>(i, kAverage ? divide(s.sum.get(), decimal_from_int64(s.count)) : s.sum.get());
      });
}

struct IntervalState {
  Interval sum;
  int64_t count = 0;
};
void update_interval_sum(char* states, uint32_t stride, const uint32_t* groups, const CallTypes&,
                         std::span<const Vector> arguments, uint32_t size, Selection selection,
                         AggregateArena&) {
  fold_rows<IntervalState, Interval>(states, stride, groups, arguments[0], size, selection,
                                     [](IntervalState& s, const Interval& value) {
                                       s.sum = add(s.sum, value);
                                       ++s.count;
                                     });
}
void combine_interval_sum(char* into, const char* from, const CallTypes&, AggregateArena&) {
  auto& a = *reinterpret_cast<IntervalState*>(into);
  const auto& b = *reinterpret_cast<const IntervalState*>(from);
  a.sum = add(a.sum, b.sum);
  a.count += b.count;
}
template <bool kAverage>
void finalize_interval_sum(const char* states, uint32_t stride, uint32_t count, const CallTypes&,
                           Vector* result, uint32_t first) {
  finalize_states<IntervalState>(
      states, stride, count, result, first, [](ResultWriter& out, uint32_t i, const IntervalState& s) {
        if (s.count == 0) return out.set_null(i);
        out.set<Interval>(i, kAverage ? divide(s.sum, static_cast<double>(s.count)) : s.sum);
      });
}

// ---- registration

using Bind = bool (*)(std::span<const SqlType>, CallTypes*);

template <class State>
AggregateFunction make(std::string_view name, Bind bind, decltype(AggregateFunction::update) update,
                       decltype(AggregateFunction::combine) combine,
                       decltype(AggregateFunction::finalize) finalize) {
  AggregateFunction f;
  f.name = name;
  f.state_size = sizeof(State);
  f.init = init_state<State>;
  f.update = update;
  f.combine = combine;
  f.finalize = finalize;
  f.bind = bind;
  return f;
}

template <class T, TypeId A, TypeId Sum>
void add_integer(FunctionRegistry& r) {
  r.add_aggregate(make<WideState>("sum", bind_one<A, Sum>, update_integer_sum<T>, combine_integer_sum,
                                  finalize_integer_sum));
  r.add_aggregate(make<WideState>("avg", bind_one<A, TypeId::kDecimal>, update_integer_sum<T>,
                                  combine_integer_sum, finalize_integer_average));
}
template <class T, TypeId A>
void add_float(FunctionRegistry& r) {
  r.add_aggregate(
      make<FloatState>("sum", bind_one<A, A>, update_float_sum<T>, combine_float_sum, finalize_float_sum));
  r.add_aggregate(make<FloatState>("avg", bind_one<A, TypeId::kDouble>, update_float_sum<T>,
                                   combine_float_sum, finalize_float_average));
}

bool bind_one_double(std::span<const SqlType> arguments, CallTypes* types) {
  return bind_doubles(arguments, types, 1, TypeId::kDouble);
}
bool bind_two_doubles(std::span<const SqlType> arguments, CallTypes* types) {
  return bind_doubles(arguments, types, 2, TypeId::kDouble);
}

}  // namespace

DenseState dense_sum_state(const AggregateFunction& function) {
  if (function.update == update_count || function.update == update_count_all) return DenseState::kCount;
  return function.update == update_float_sum<double> ? DenseState::kSum : DenseState::kNone;
}

void make_count_state(int64_t rows, char* state) { new (state) CountState{rows}; }
void make_sum_state(double sum, int64_t rows, char* state) { new (state) FloatState{sum, rows}; }

void register_sum_aggregates(FunctionRegistry& r) {
  AggregateFunction star =
      make<CountState>("count", bind_star, update_count_all, combine_count, finalize_count);
  star.star_allowed = true;
  r.add_aggregate(std::move(star));
  r.add_aggregate(make<CountState>("count", bind_count, update_count, combine_count, finalize_count));

  add_integer<int16_t, TypeId::kSmallInt, TypeId::kBigInt>(r);
  add_integer<int32_t, TypeId::kInteger, TypeId::kBigInt>(r);
  add_integer<int64_t, TypeId::kBigInt, TypeId::kDecimal>(r);
  add_float<float, TypeId::kReal>(r);
  add_float<double, TypeId::kDouble>(r);
  r.add_aggregate(make<DecimalState>("sum", bind_one<TypeId::kDecimal, TypeId::kDecimal>, update_decimal_sum,
                                     combine_decimal_sum, finalize_decimal_sum<false>));
  r.add_aggregate(make<DecimalState>("avg", bind_one<TypeId::kDecimal, TypeId::kDecimal>, update_decimal_sum,
                                     combine_decimal_sum, finalize_decimal_sum<true>));
  r.add_aggregate(make<IntervalState>("sum", bind_one<TypeId::kInterval, TypeId::kInterval>,
                                      update_interval_sum, combine_interval_sum,
                                      finalize_interval_sum<false>));
  r.add_aggregate(make<IntervalState>("avg", bind_one<TypeId::kInterval, TypeId::kInterval>,
                                      update_interval_sum, combine_interval_sum,
                                      finalize_interval_sum<true>));

  r.add_aggregate(make<CompensatedState>("ksum", bind_one_double, update_compensated<add_kahan>,
                                         combine_compensated<add_kahan, -1>, finalize_compensated<-1>));
  r.add_aggregate(make<CompensatedState>("nsum", bind_one_double, update_compensated<add_neumaier>,
                                         combine_compensated<add_neumaier, 1>, finalize_compensated<1>));
  r.add_aggregate(make<WeightedState>("vwap", bind_two_doubles, update_vwap, combine_vwap, finalize_vwap));
}

}  // namespace idem
