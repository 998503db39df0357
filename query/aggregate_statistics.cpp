#include <cmath>

#include "common/decimal.h"
#include "common/error.h"
#include "query/aggregate_kernels.h"

namespace idem {

namespace {

using namespace aggregate_detail;

// ---- variance of floating point numbers: Youngs and Cramer's updates, as PostgreSQL

struct MomentState {
  double n = 0, sum = 0, squares = 0;  // squares of the distances from the mean

  void add(double x) {
    n += 1;
    sum += x;
    if (n > 1) {
      const double t = x * n - sum;
      squares += t * t / (n * (n - 1));
    } else if (!std::isfinite(x)) {
      squares = std::nan("");
    }
  }
  void merge(const MomentState& b) {
    if (b.n == 0) return;
    if (n == 0) {
      *this = b;
      return;
    }
    const double t = sum / n - b.sum / b.n;
    const double total = n + b.n;
    squares += b.squares + n * b.n * t * t / total;
    n = total;
    sum += b.sum;
  }
};

void update_moments(char* states, uint32_t stride, const uint32_t* groups, const CallTypes&,
                    std::span<const Vector> arguments, uint32_t size, Selection selection, AggregateArena&) {
  fold_rows<MomentState, double>(states, stride, groups, arguments[0], size, selection,
                                 [](MomentState& s, double x) { s.add(x); });
}
void combine_moments(char* into, const char* from, const CallTypes&, AggregateArena&) {
  reinterpret_cast<MomentState*>(into)->merge(*reinterpret_cast<const MomentState*>(from));
}

enum class Spread : uint8_t { kVariance, kDeviation };

template <Spread kSpread, bool kSample>
void finalize_moments(const char* states, uint32_t stride, uint32_t count, const CallTypes&, Vector* result,
                      uint32_t first) {
  finalize_states<MomentState>(
      states, stride, count, result, first, [](ResultWriter& out, uint32_t i, const MomentState& s) {
        const double divisor = kSample ? s.n - 1 : s.n;
        if (divisor <= 0) return out.set_null(i);
        const double variance = s.squares / divisor;
        out.set<double>(i, kSpread == Spread::kDeviation ? std::sqrt(variance) : variance);
      });
}

// ---- variance of exact numbers

struct ExactMomentState {
  int64_t n = 0;
  PackedDecimal sum, squares;

  void add_value(const Decimal& x) {
    ++n;
    sum = add(sum.get(), x);
    squares = add(squares.get(), multiply(x, x));
  }
};

template <class T>
Decimal decimal_of(const T& value) {
  if constexpr (std::is_same_v<T, Decimal>) {
    return value;
  } else {
    return decimal_from_int64(value);
  }
}

template <class T>
void update_exact(char* states, uint32_t stride, const uint32_t* groups, const CallTypes&,
                  std::span<const Vector> arguments, uint32_t size, Selection selection, AggregateArena&) {
  fold_rows<ExactMomentState, T>(states, stride, groups, arguments[0], size, selection,
                                 [](ExactMomentState& s, const T& x) { s.add_value(decimal_of(x)); });
}
void combine_exact(char* into, const char* from, const CallTypes&, AggregateArena&) {
  auto& a = *reinterpret_cast<ExactMomentState*>(into);
  const auto& b = *reinterpret_cast<const ExactMomentState*>(from);
  if (b.n == 0) return;
  a.n += b.n;
  a.sum = add(a.sum.get(), b.sum.get());
  a.squares = add(a.squares.get(), b.squares.get());
}

template <Spread kSpread, bool kSample>
void finalize_exact(const char* states, uint32_t stride, uint32_t count, const CallTypes&, Vector* result,
                    uint32_t first) {
  finalize_states<ExactMomentState>(
      states, stride, count, result, first, [](ResultWriter& out, uint32_t i, const ExactMomentState& s) {
        if (s.n == 0 || (kSample && s.n == 1)) return out.set_null(i);
        const Decimal n = decimal_from_int64(s.n);
        Decimal numerator = subtract(multiply(n, s.squares.get()), multiply(s.sum.get(), s.sum.get()));
        if (sign(numerator) <= 0) return out.set<Decimal>(i, decimal_from_int64(0));
        const Decimal variance = divide(numerator, multiply(n, kSample ? decimal_from_int64(s.n - 1) : n));
        out.set<Decimal>(i, kSpread == Spread::kDeviation ? square_root(variance) : variance);
      });
}

// ---- two variables

struct PairState {
  double n = 0, sum_x = 0, sxx = 0, sum_y = 0, syy = 0, sxy = 0;

  void add(double y, double x) {
    n += 1;
    sum_x += x;
    sum_y += y;
    if (n > 1) {
      const double tx = x * n - sum_x, ty = y * n - sum_y;
      const double scale = 1.0 / (n * (n - 1));
      sxx += tx * tx * scale;
      syy += ty * ty * scale;
      sxy += tx * ty * scale;
    } else {
      if (!std::isfinite(x)) sxx = sxy = std::nan("");
      if (!std::isfinite(y)) syy = sxy = std::nan("");
    }
  }
  void merge(const PairState& b) {
    if (b.n == 0) return;
    if (n == 0) {
      *this = b;
      return;
    }
    const double tx = sum_x / n - b.sum_x / b.n, ty = sum_y / n - b.sum_y / b.n;
    const double total = n + b.n;
    sxx += b.sxx + n * b.n * tx * tx / total;
    syy += b.syy + n * b.n * ty * ty / total;
    sxy += b.sxy + n * b.n * tx * ty / total;
    n = total;
    sum_x += b.sum_x;
    sum_y += b.sum_y;
  }
};

void update_pairs(char* states, uint32_t stride, const uint32_t* groups, const CallTypes&,
                  std::span<const Vector> arguments, uint32_t size, Selection selection, AggregateArena&) {
  fold_pairs<PairState, double, double>(states, stride, groups, arguments, size, selection,
                                        [](PairState& s, double y, double x) { s.add(y, x); });
}
void combine_pairs(char* into, const char* from, const CallTypes&, AggregateArena&) {
  reinterpret_cast<PairState*>(into)->merge(*reinterpret_cast<const PairState*>(from));
}

// A result of the state, or NULL.
using PairResult = std::optional<double> (*)(const PairState&);

template <PairResult kResult>
void finalize_pairs(const char* states, uint32_t stride, uint32_t count, const CallTypes& types,
                    Vector* result, uint32_t first) {
  const bool is_count = types.result.id == TypeId::kBigInt;
  finalize_states<PairState>(states, stride, count, result, first,
                             [&](ResultWriter& out, uint32_t i, const PairState& s) {
                               const std::optional<double> value = kResult(s);
                               if (!value) return out.set_null(i);
                               if (is_count) return out.set<int64_t>(i, static_cast<int64_t>(*value));
                               out.set<double>(i, *value);
                             });
}

std::optional<double> correlation(const PairState& s) {
  if (s.n < 1 || s.sxx == 0 || s.syy == 0) return std::nullopt;
  return s.sxy / std::sqrt(s.sxx * s.syy);
}
std::optional<double> population_covariance(const PairState& s) {
  if (s.n < 1) return std::nullopt;
  return s.sxy / s.n;
}
std::optional<double> sample_covariance(const PairState& s) {
  if (s.n < 2) return std::nullopt;
  return s.sxy / (s.n - 1);
}
std::optional<double> slope(const PairState& s) {
  if (s.n < 1 || s.sxx == 0) return std::nullopt;
  return s.sxy / s.sxx;
}
std::optional<double> intercept(const PairState& s) {
  if (s.n < 1 || s.sxx == 0) return std::nullopt;
  return (s.sum_y - s.sum_x * s.sxy / s.sxx) / s.n;
}
std::optional<double> determination(const PairState& s) {
  if (s.n < 1 || s.sxx == 0) return std::nullopt;
  if (s.syy == 0) return 1.0;
  return s.sxy * s.sxy / (s.sxx * s.syy);
}
std::optional<double> pair_count(const PairState& s) { return s.n; }
std::optional<double> mean_x(const PairState& s) {
  return s.n < 1 ? std::nullopt : std::optional(s.sum_x / s.n);
}
std::optional<double> mean_y(const PairState& s) {
  return s.n < 1 ? std::nullopt : std::optional(s.sum_y / s.n);
}
std::optional<double> squares_x(const PairState& s) { return s.n < 1 ? std::nullopt : std::optional(s.sxx); }
std::optional<double> squares_y(const PairState& s) { return s.n < 1 ? std::nullopt : std::optional(s.syy); }
std::optional<double> products(const PairState& s) { return s.n < 1 ? std::nullopt : std::optional(s.sxy); }

// ---- registration

bool bind_pair(std::span<const SqlType> arguments, CallTypes* types) {
  return bind_doubles(arguments, types, 2, TypeId::kDouble);
}
bool bind_pair_count(std::span<const SqlType> arguments, CallTypes* types) {
  return bind_doubles(arguments, types, 2, TypeId::kBigInt);
}
bool bind_float(std::span<const SqlType> arguments, CallTypes* types) {
  const bool exact =
      arguments.size() == 1 && (is_integer(arguments[0].id) || arguments[0].id == TypeId::kDecimal);
  return !exact && bind_doubles(arguments, types, 1, TypeId::kDouble);
}

template <PairResult kResult>
void add_pair(FunctionRegistry& r, std::string_view name,
              bool (*bind)(std::span<const SqlType>, CallTypes*) = bind_pair) {
  AggregateFunction f;
  f.name = name;
  f.state_size = sizeof(PairState);
  f.init = init_state<PairState>;
  f.update = update_pairs;
  f.combine = combine_pairs;
  f.finalize = finalize_pairs<kResult>;
  f.bind = bind;
  r.add_aggregate(std::move(f));
}

template <Spread kSpread, bool kSample>
void add_spread(FunctionRegistry& r, std::string_view name) {
  AggregateFunction exact;
  exact.name = name;
  exact.state_size = sizeof(ExactMomentState);
  exact.init = init_state<ExactMomentState>;
  exact.combine = combine_exact;
  exact.finalize = finalize_exact<kSpread, kSample>;
  exact.update = update_exact<int16_t>;
  exact.bind = bind_one<TypeId::kSmallInt, TypeId::kDecimal>;
  r.add_aggregate(exact);
  exact.update = update_exact<int32_t>;
  exact.bind = bind_one<TypeId::kInteger, TypeId::kDecimal>;
  r.add_aggregate(exact);
  exact.update = update_exact<int64_t>;
  exact.bind = bind_one<TypeId::kBigInt, TypeId::kDecimal>;
  r.add_aggregate(exact);
  exact.update = update_exact<Decimal>;
  exact.bind = bind_one<TypeId::kDecimal, TypeId::kDecimal>;
  r.add_aggregate(exact);

  AggregateFunction f;
  f.name = name;
  f.state_size = sizeof(MomentState);
  f.init = init_state<MomentState>;
  f.update = update_moments;
  f.combine = combine_moments;
  f.finalize = finalize_moments<kSpread, kSample>;
  f.bind = bind_float;
  r.add_aggregate(std::move(f));
}

}  // namespace

void register_statistic_aggregates(FunctionRegistry& r) {
  add_spread<Spread::kVariance, true>(r, "variance");
  add_spread<Spread::kVariance, true>(r, "var_samp");
  add_spread<Spread::kVariance, false>(r, "var_pop");
  add_spread<Spread::kDeviation, true>(r, "stddev");
  add_spread<Spread::kDeviation, true>(r, "stddev_samp");
  add_spread<Spread::kDeviation, false>(r, "stddev_pop");
  add_pair<correlation>(r, "corr");
  add_pair<population_covariance>(r, "covar_pop");
  add_pair<sample_covariance>(r, "covar_samp");
  add_pair<slope>(r, "regr_slope");
  add_pair<intercept>(r, "regr_intercept");
  add_pair<determination>(r, "regr_r2");
  add_pair<pair_count>(r, "regr_count", bind_pair_count);
  add_pair<mean_x>(r, "regr_avgx");
  add_pair<mean_y>(r, "regr_avgy");
  add_pair<squares_x>(r, "regr_sxx");
  add_pair<squares_y>(r, "regr_syy");
  add_pair<products>(r, "regr_sxy");
}

}  // namespace idem
