#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <random>

#include "common/decimal.h"
#include "common/error.h"
#include "common/hash.h"
#include "query/angles.h"
#include "query/array_elements.h"
#include "query/function_registry.h"
#include "query/kernel.h"
#include "query/signature_types.h"
#include "query/value_functions.h"

namespace idem {

namespace {

[[noreturn]] void throw_overflow() {
  throw SqlError(sqlstate::kNumericValueOutOfRange, "value out of range: overflow");
}

double checked(double result, double a, double b = 0) {
  if (std::isinf(result) && !std::isinf(a) && !std::isinf(b)) throw_overflow();
  return result;
}

double square_root(double x) {
  if (x < 0)
    throw SqlError(sqlstate::kInvalidArgumentForPower, "cannot take square root of a negative number");
  return std::sqrt(x);
}

void check_logarithm(bool is_zero, bool is_negative) {
  if (is_zero) throw SqlError(sqlstate::kInvalidArgumentForLogarithm, "cannot take logarithm of zero");
  if (is_negative)
    throw SqlError(sqlstate::kInvalidArgumentForLogarithm, "cannot take logarithm of a negative number");
}
double logarithm(double x) {
  check_logarithm(x == 0, x < 0);
  return std::log(x);
}
double logarithm10(double x) {
  check_logarithm(x == 0, x < 0);
  return std::log10(x);
}

double power_of(double a, double b) {
  if (a == 0 && b < 0)
    throw SqlError(sqlstate::kInvalidArgumentForPower, "zero raised to a negative power is undefined");
  if (a < 0 && std::isfinite(b) && std::floor(b) != b) {
    throw SqlError(sqlstate::kInvalidArgumentForPower,
                   "a negative number raised to a non-integer power yields a complex result");
  }
  const double result = std::pow(a, b);
  if (result == 0 && a != 0 && std::isfinite(a) && std::isfinite(b)) {
    throw SqlError(sqlstate::kNumericValueOutOfRange, "value out of range: underflow");
  }
  return checked(result, a, b);
}

// Transcendental functions of numeric, in long double, with PostgreSQL's scales: at least 16 significant
// digits.
Decimal decimal_of_long_double(long double x, int scale) {
  scale = std::clamp(scale, 0, kMaxDecimalDigits);
  const long double magnitude = std::fabs(x);
  const int digits = magnitude < 1 ? 1 : static_cast<int>(std::floor(std::log10(magnitude))) + 1;
  if (digits > kMaxDecimalDigits)
    throw SqlError(sqlstate::kNumericValueOutOfRange, "value overflows numeric format");
  return decimal_from_text(fmt::format("{:.{}f}", x, std::min(scale, kMaxDecimalDigits - digits)));
}
long double long_double_of(const Decimal& d) {
  return static_cast<long double>(d.value) / static_cast<long double>(power_of_ten(d.scale));
}
// The decimal weight of a natural logarithm as PostgreSQL estimates it; scales of results follow from it.
int logarithm_weight(const Decimal& x) {
  const long double value = long_double_of(x);
  if (0.9L <= value && value <= 1.1L) {
    const long double distance = std::fabs(value - 1);
    return distance == 0 ? 0 : static_cast<int>(std::floor(std::log10(distance)));
  }
  return static_cast<int>(std::log10(std::fabs(std::log(value))));
}
Decimal natural_logarithm(const Decimal& x) {
  check_logarithm(x.value == 0, x.value < 0);
  return decimal_of_long_double(std::log(long_double_of(x)), std::max(x.scale, 16 - logarithm_weight(x)));
}
Decimal logarithm_base(const Decimal& base, const Decimal& x) {
  check_logarithm(x.value == 0 || base.value == 0, x.value < 0 || base.value < 0);
  const long double divisor = std::log(long_double_of(base));
  if (divisor == 0) throw SqlError(sqlstate::kDivisionByZero, "division by zero");
  const bool is_ten = base.scale == 0 && base.value == 10;
  const long double r = is_ten ? std::log10(long_double_of(x)) : std::log(long_double_of(x)) / divisor;
  const int scale = 16 - (logarithm_weight(x) - logarithm_weight(base));
  return decimal_of_long_double(r, std::max({base.scale, x.scale, scale}));
}
Decimal exponential(const Decimal& x) {
  const long double exponent = long_double_of(x);
  const long double r = std::exp(exponent);
  if (!std::isfinite(r)) throw SqlError(sqlstate::kNumericValueOutOfRange, "value overflows numeric format");
  return decimal_of_long_double(r, std::max(x.scale, 16 - static_cast<int>(exponent * 0.434294481903252L)));
}

double check_finite_angle(double x) {
  if (std::isinf(x)) throw SqlError(sqlstate::kNumericValueOutOfRange, "input is out of range");
  return x;
}
double check_at_least(double x, double low) {
  if (x < low) throw SqlError(sqlstate::kNumericValueOutOfRange, "input is out of range");
  return x;
}

template <class T>
T greatest_common_divisor(T a, T b) {
  using U = std::make_unsigned_t<T>;
  const auto magnitude = [](T v) {
    return v < 0 ? static_cast<U>(0) - static_cast<U>(v) : static_cast<U>(v);
  };
  const U r = std::gcd(magnitude(a), magnitude(b));
  if (r > static_cast<U>(std::numeric_limits<T>::max())) {
    throw sql_error(sqlstate::kNumericValueOutOfRange, "{} out of range",
                    sizeof(T) == 4 ? "integer" : "bigint");
  }
  return static_cast<T>(r);
}
template <class T>
T least_common_multiple(T a, T b) {
  if (a == 0 || b == 0) return 0;
  T r = 0;
  const T divisor = greatest_common_divisor(a, b);
  const bool overflow = __builtin_mul_overflow(static_cast<T>(a / divisor), b, &r);
  if (overflow || r == std::numeric_limits<T>::min()) {
    throw sql_error(sqlstate::kNumericValueOutOfRange, "{} out of range",
                    sizeof(T) == 4 ? "integer" : "bigint");
  }
  return r < 0 ? -r : r;
}
Decimal greatest_common_divisor(Decimal a, Decimal b) {
  while (b.value != 0) {
    const Decimal rest = modulo(a, b);
    a = b;
    b = rest;
  }
  return absolute(a);
}

int32_t bucket_of(double x, double low, double high, int32_t count) {
  if (count <= 0) throw SqlError("2201G", "count must be greater than zero");
  if (std::isnan(x) || std::isnan(low) || std::isnan(high))
    throw SqlError("2201G", "operand, lower bound, and upper bound cannot be NaN");
  if (!std::isfinite(low) || !std::isfinite(high))
    throw SqlError("2201G", "lower and upper bounds must be finite");
  if (low == high) throw SqlError("2201G", "lower bound cannot equal upper bound");
  if (low < high) {
    if (x < low) return 0;
    if (!(x < high)) return count + 1;
    return std::min(static_cast<int32_t>((x - low) / (high - low) * count), count - 1) + 1;
  }
  if (low < x) return 0;
  if (!(high < x)) return count + 1;
  return std::min(static_cast<int32_t>((low - x) / (low - high) * count), count - 1) + 1;
}

Decimal factorial(int64_t n) {
  if (n < 0) throw SqlError(sqlstate::kNumericValueOutOfRange, "factorial of a negative number is undefined");
  Decimal r = decimal_from_int64(1);
  for (int64_t i = 2; i <= n; ++i) r = multiply(r, decimal_from_int64(i));
  return r;
}

// A stream for each thread, seeded by the system.
std::mt19937_64& random_generator() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return generator;
}
double random_fraction() { return static_cast<double>(random_generator()() >> 11) * 0x1p-53; }

void add_double(FunctionRegistry& r, std::string_view name, ScalarKernel kernel) {
  r.add(name, {kDouble}, kDouble, kernel);
}

void register_rounding(FunctionRegistry& r) {
  for (const std::string_view name : {"ceil", "ceiling"}) {
    add_double(r, name, row_kernel<[](double x) { return std::ceil(x); }>);
    r.add(name, {kDecimal}, kDecimal, row_kernel<[](const Decimal& x) { return ceiling(x); }>);
  }
  add_double(r, "floor", row_kernel<[](double x) { return std::floor(x); }>);
  r.add("floor", {kDecimal}, kDecimal, row_kernel<[](const Decimal& x) { return floor(x); }>);
  add_double(r, "round", row_kernel<[](double x) { return std::nearbyint(x); }>);
  r.add("round", {kDecimal}, kDecimal, row_kernel<[](const Decimal& x) { return round(x); }>);
  r.add("round", {kDecimal, kInt4}, kDecimal,
        row_kernel<[](const Decimal& x, int32_t n) { return round(x, n); }>);
  // QuestDB's; PostgreSQL has none of double and integer.
  r.add("round", {kDouble, kInt4}, kDouble, row_kernel<[](double x, int32_t n) {
          const double unit = std::pow(10.0, std::clamp(n, -300, 300));
          const double scaled = x * unit;
          return std::isfinite(scaled) ? std::round(scaled) / unit : x;
        }>);
  add_double(r, "trunc", row_kernel<[](double x) { return std::trunc(x); }>);
  r.add("trunc", {kDecimal}, kDecimal, row_kernel<[](const Decimal& x) { return truncate(x); }>);
  r.add("trunc", {kDecimal, kInt4}, kDecimal,
        row_kernel<[](const Decimal& x, int32_t n) { return truncate(x, n); }>);
  add_double(r, "sign",
             row_kernel<[](double x) { return std::isnan(x) ? x : static_cast<double>((0 < x) - (x < 0)); }>);
  r.add("sign", {kDecimal}, kDecimal,
        row_kernel<[](const Decimal& x) { return decimal_from_int64(sign(x)); }>);
  r.add("scale", {kDecimal}, kInt4, row_kernel<[](const Decimal& x) { return x.scale; }>);
  r.add("min_scale", {kDecimal}, kInt4, row_kernel<[](const Decimal& x) { return trim_scale(x).scale; }>);
  r.add("trim_scale", {kDecimal}, kDecimal, row_kernel<[](const Decimal& x) { return trim_scale(x); }>);
}

void register_powers(FunctionRegistry& r) {
  for (const std::string_view name : {"sqrt", "|/", "dsqrt"})
    add_double(r, name, row_kernel<[](double x) { return square_root(x); }>);
  r.add("sqrt", {kDecimal}, kDecimal, row_kernel<[](const Decimal& x) { return square_root(x); }>);
  for (const std::string_view name : {"cbrt", "||/", "dcbrt"})
    add_double(r, name, row_kernel<[](double x) { return std::cbrt(x); }>);
  add_double(r, "exp", row_kernel<[](double x) { return checked(std::exp(x), x); }>);
  r.add("exp", {kDecimal}, kDecimal, row_kernel<[](const Decimal& x) { return exponential(x); }>);
  add_double(r, "ln", row_kernel<[](double x) { return logarithm(x); }>);
  r.add("ln", {kDecimal}, kDecimal, row_kernel<[](const Decimal& x) { return natural_logarithm(x); }>);
  for (const std::string_view name : {"log", "log10"}) {
    add_double(r, name, row_kernel<[](double x) { return logarithm10(x); }>);
    r.add(name, {kDecimal}, kDecimal,
          row_kernel<[](const Decimal& x) { return logarithm_base(decimal_from_int64(10), x); }>);
  }
  r.add("log", {kDecimal, kDecimal}, kDecimal,
        row_kernel<[](const Decimal& b, const Decimal& x) { return logarithm_base(b, x); }>);
  for (const std::string_view name : {"power", "pow", "^"}) {
    r.add(name, {kDouble, kDouble}, kDouble, row_kernel<[](double a, double b) { return power_of(a, b); }>);
  }
  for (const std::string_view name : {"power", "pow"}) {
    r.add(name, {kDecimal, kDecimal}, kDecimal,
          row_kernel<[](const Decimal& a, const Decimal& b) { return power(a, b); }>);
  }
  r.add("div", {kDecimal, kDecimal}, kDecimal,
        row_kernel<[](const Decimal& a, const Decimal& b) { return integer_divide(a, b); }>);
  r.add("factorial", {kInt8}, kDecimal, row_kernel<[](int64_t n) { return factorial(n); }>);
  r.add("gcd", {kInt4, kInt4}, kInt4,
        row_kernel<[](int32_t a, int32_t b) { return greatest_common_divisor(a, b); }>);
  r.add("gcd", {kInt8, kInt8}, kInt8,
        row_kernel<[](int64_t a, int64_t b) { return greatest_common_divisor(a, b); }>);
  r.add("gcd", {kDecimal, kDecimal}, kDecimal,
        row_kernel<[](const Decimal& a, const Decimal& b) { return greatest_common_divisor(a, b); }>);
  r.add("lcm", {kInt4, kInt4}, kInt4,
        row_kernel<[](int32_t a, int32_t b) { return least_common_multiple(a, b); }>);
  r.add("lcm", {kInt8, kInt8}, kInt8,
        row_kernel<[](int64_t a, int64_t b) { return least_common_multiple(a, b); }>);
}

void register_trigonometry(FunctionRegistry& r) {
  register_degree_functions(r);
  add_double(r, "sin", row_kernel<[](double x) { return std::sin(check_finite_angle(x)); }>);
  add_double(r, "cos", row_kernel<[](double x) { return std::cos(check_finite_angle(x)); }>);
  add_double(r, "tan", row_kernel<[](double x) { return std::tan(check_finite_angle(x)); }>);
  add_double(r, "cot", row_kernel<[](double x) { return 1 / std::tan(check_finite_angle(x)); }>);
  add_double(r, "asin", row_kernel<[](double x) { return std::asin(check_unit(x)); }>);
  add_double(r, "acos", row_kernel<[](double x) { return std::acos(check_unit(x)); }>);
  add_double(r, "atan", row_kernel<[](double x) { return std::atan(x); }>);
  r.add("atan2", {kDouble, kDouble}, kDouble,
        row_kernel<[](double y, double x) { return std::atan2(y, x); }>);
  add_double(r, "sinh", row_kernel<[](double x) { return checked(std::sinh(x), x); }>);
  add_double(r, "cosh", row_kernel<[](double x) { return checked(std::cosh(x), x); }>);
  add_double(r, "tanh", row_kernel<[](double x) { return std::tanh(x); }>);
  add_double(r, "asinh", row_kernel<[](double x) { return std::asinh(x); }>);
  add_double(r, "acosh", row_kernel<[](double x) { return std::acosh(check_at_least(x, 1)); }>);
  add_double(r, "atanh", row_kernel<[](double x) { return std::atanh(check_unit(x)); }>);
  add_double(r, "degrees", row_kernel<[](double x) { return checked(x / kDegree, x); }>);
  add_double(r, "radians", row_kernel<[](double x) { return x * kDegree; }>);
  r.add("pi", {}, kDouble, row_kernel<[](KernelCall&) { return std::numbers::pi; }>);
}

bool bind_bucket_array(std::span<const SqlType> arguments, CallTypes* types) {
  if (arguments.size() != 2 || arguments[1].id != TypeId::kArray) return false;
  types->arguments = {SqlType(arguments[1].element), arguments[1]};
  types->result = kInt4;
  return true;
}

int32_t bucket_of_thresholds(KernelCall& call) {
  const ArrayView thresholds(call.at<std::string_view>(1));
  ElementBuffer element;
  uint32_t low = 0, high = thresholds.size();
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    thresholds.element_at(middle, element.bytes);
    if (compare_elements(call.types.arguments[0].id, call.element(0), element.bytes) < 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return static_cast<int32_t>(low);
}

}  // namespace

void register_math_functions(FunctionRegistry& r) {
  register_rounding(r);
  register_powers(r);
  register_trigonometry(r);
  r.add("width_bucket", {kDouble, kDouble, kDouble, kInt4}, kInt4,
        row_kernel<[](double x, double low, double high, int32_t n) { return bucket_of(x, low, high, n); }>);
  r.add("width_bucket", {kDecimal, kDecimal, kDecimal, kInt4}, kInt4,
        row_kernel<[](const Decimal& x, const Decimal& low, const Decimal& high, int32_t n) {
          return bucket_of(decimal_to_double(x), decimal_to_double(low), decimal_to_double(high), n);
        }>);
  r.add_polymorphic("width_bucket", bind_bucket_array,
                    row_kernel<[](KernelCall& call) { return bucket_of_thresholds(call); }>);
  r.add("random", {}, kDouble, row_kernel<[](KernelCall&) { return random_fraction(); }>,
        Volatility::kVolatile);
  r.add("setseed", {kDouble}, TypeId::kVoid, row_kernel<[](std::string&, double seed) {
          if (!(-1 <= seed && seed <= 1)) {
            throw sql_error(sqlstate::kInvalidParameterValue,
                            "setseed parameter {} is out of allowed range [-1,1]", seed);
          }
          random_generator().seed(hash_double(seed));
        }>,
        Volatility::kVolatile);
}

}  // namespace idem
