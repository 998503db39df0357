#include <cmath>
#include <limits>

#include "common/decimal.h"
#include "common/error.h"
#include "query/function_registry.h"
#include "query/kernel.h"

namespace idem {

namespace {

template <class T>
constexpr std::string_view kRangeMessage = sizeof(T) == 2   ? "smallint out of range"
                                           : sizeof(T) == 4 ? "integer out of range"
                                                            : "bigint out of range";

template <class T>
[[noreturn]] void throw_out_of_range() {
  throw SqlError(sqlstate::kNumericValueOutOfRange, std::string(kRangeMessage<T>));
}
[[noreturn]] void throw_division_by_zero() { throw SqlError(sqlstate::kDivisionByZero, "division by zero"); }

// Operations for loops that vectorize: apply() always gives something and raises `suspicion` (which may be a
// false alarm); check() then looks at one row and throws if it is real.
template <class T>
struct IntegerOperation {
  using Unsigned = std::make_unsigned_t<T>;
  using Suspicion = T;
  static bool is_raised(T suspicion) { return suspicion < 0; }
};

template <class T>
struct AddIntegers : IntegerOperation<T> {
  static T apply(T a, T b, T& suspicion) {
    using U = std::make_unsigned_t<T>;
    const auto r = static_cast<T>(static_cast<U>(static_cast<U>(a) + static_cast<U>(b)));
    suspicion = static_cast<T>(suspicion | ((a ^ r) & (b ^ r)));
    return r;
  }
  static void check(T a, T b) {
    T r;
    if (__builtin_add_overflow(a, b, &r)) throw_out_of_range<T>();
  }
};

template <class T>
struct SubtractIntegers : IntegerOperation<T> {
  static T apply(T a, T b, T& suspicion) {
    using U = std::make_unsigned_t<T>;
    const auto r = static_cast<T>(static_cast<U>(static_cast<U>(a) - static_cast<U>(b)));
    suspicion = static_cast<T>(suspicion | ((a ^ b) & (a ^ r)));
    return r;
  }
  static void check(T a, T b) {
    T r;
    if (__builtin_sub_overflow(a, b, &r)) throw_out_of_range<T>();
  }
};

template <class T>
struct MultiplyIntegers : IntegerOperation<T> {
  static T apply(T a, T b, T& suspicion) {
    T r;
    const bool overflow = __builtin_mul_overflow(a, b, &r);
    suspicion = static_cast<T>(suspicion | -static_cast<T>(overflow));
    return r;
  }
  static void check(T a, T b) {
    T r;
    if (__builtin_mul_overflow(a, b, &r)) throw_out_of_range<T>();
  }
};

template <class R>
struct FloatOperation {
  using Suspicion = uint32_t;
  static bool is_raised(uint32_t suspicion) { return suspicion != 0; }
  static uint32_t is_not_finite(R r) { return !(std::fabs(r) <= std::numeric_limits<R>::max()); }
  static void check_overflow(R r, R a, R b) {
    if (std::isinf(r) && !std::isinf(a) && !std::isinf(b)) {
      throw SqlError(sqlstate::kNumericValueOutOfRange, "value out of range: overflow");
    }
  }
  static void check_underflow(R r, R a, R b) {
    if (r == 0 && a != 0 && b != 0 && !std::isinf(b)) {
      throw SqlError(sqlstate::kNumericValueOutOfRange, "value out of range: underflow");
    }
  }
};

template <class R>
struct AddFloats : FloatOperation<R> {
  static R apply(R a, R b, uint32_t& suspicion) {
    const R r = a + b;
    suspicion |= FloatOperation<R>::is_not_finite(r);
    return r;
  }
  static void check(R a, R b) { FloatOperation<R>::check_overflow(a + b, a, b); }
};

template <class R>
struct SubtractFloats : FloatOperation<R> {
  static R apply(R a, R b, uint32_t& suspicion) {
    const R r = a - b;
    suspicion |= FloatOperation<R>::is_not_finite(r);
    return r;
  }
  static void check(R a, R b) { FloatOperation<R>::check_overflow(a - b, a, b); }
};

template <class R>
struct MultiplyFloats : FloatOperation<R> {
  static R apply(R a, R b, uint32_t& suspicion) {
    const R r = a * b;
    suspicion |= FloatOperation<R>::is_not_finite(r) | static_cast<uint32_t>(r == 0);
    return r;
  }
  static void check(R a, R b) {
    FloatOperation<R>::check_overflow(a * b, a, b);
    FloatOperation<R>::check_underflow(a * b, a, b);
  }
};

template <class R>
struct DivideFloats : FloatOperation<R> {
  static R apply(R a, R b, uint32_t& suspicion) {
    const R r = a / b;
    suspicion |= FloatOperation<R>::is_not_finite(r) | static_cast<uint32_t>(r == 0);
    return r;
  }
  static void check(R a, R b) {
    if (b == 0 && !std::isnan(a)) throw_division_by_zero();
    FloatOperation<R>::check_overflow(a / b, a, b);
    FloatOperation<R>::check_underflow(a / b, a, b);
  }
};

template <class Operation, class A, class B, class R>
void arithmetic_kernel(EvaluationState&, const CallTypes& types, std::span<const Vector> arguments,
                       uint32_t size, Selection selection, Vector* result) {
  const Vector &left = arguments[0], &right = arguments[1];
  const A* a = left.values<A>();
  const B* b = right.values<B>();
  R* out = result->allocate_as<R>(types.result, size);
  typename Operation::Suspicion suspicion = 0;
  const uint32_t count = selection.count;
  const uint32_t left_mask = left.is_constant() ? 0 : ~0U, right_mask = right.is_constant() ? 0 : ~0U;
  if (!selection.is_all()) {
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t row = selection.rows[i];
      out[row] = Operation::apply(static_cast<R>(a[row & left_mask]), static_cast<R>(b[row & right_mask]),
                                  suspicion);
    }
  } else if (right.is_constant()) {
    const R value = static_cast<R>(*b);
    if (left.is_constant()) {
      for (uint32_t i = 0; i < count; ++i) out[i] = Operation::apply(static_cast<R>(*a), value, suspicion);
    } else {
      for (uint32_t i = 0; i < count; ++i) out[i] = Operation::apply(static_cast<R>(a[i]), value, suspicion);
    }
  } else if (left.is_constant()) {
    const R value = static_cast<R>(*a);
    for (uint32_t i = 0; i < count; ++i) out[i] = Operation::apply(value, static_cast<R>(b[i]), suspicion);
  } else {
    for (uint32_t i = 0; i < count; ++i) {
      out[i] = Operation::apply(static_cast<R>(a[i]), static_cast<R>(b[i]), suspicion);
    }
  }
  if (!Operation::is_raised(suspicion)) return;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t row = selection[i];
    if (left.is_valid(row) && right.is_valid(row)) {
      Operation::check(static_cast<R>(a[row & left_mask]), static_cast<R>(b[row & right_mask]));
    }
  }
}

template <class Operation, class A, class B, class R>
void add_blind(FunctionRegistry& registry, std::string_view symbol, SqlType a, SqlType b, SqlType r) {
  registry.add(symbol, {a, b}, r, arithmetic_kernel<Operation, A, B, R>).blind = true;
}

template <class T>
T divide_integers(T a, T b) {
  if (b == 0) throw_division_by_zero();
  if (b == -1) {
    if (a == std::numeric_limits<T>::min()) throw_out_of_range<T>();
    return static_cast<T>(-a);
  }
  return static_cast<T>(a / b);
}
template <class T>
T modulo_integers(T a, T b) {
  if (b == 0) throw_division_by_zero();
  if (b == -1) return 0;
  return static_cast<T>(a % b);
}
template <class T>
T negate_integer(T a) {
  if (a == std::numeric_limits<T>::min()) throw_out_of_range<T>();
  return static_cast<T>(-a);
}
template <class T>
T shift_left(T a, int32_t n) {
  using U = std::make_unsigned_t<T>;
  constexpr int kBits = sizeof(T) * 8;
  // Small integers are shifted as 32 bits and cut, as C does it in PostgreSQL.
  constexpr int kMask = kBits == 64 ? 63 : 31;
  return static_cast<T>(static_cast<U>(static_cast<uint64_t>(static_cast<U>(a)) << (n & kMask)));
}
template <class T>
T shift_right(T a, int32_t n) {
  constexpr int kMask = sizeof(T) == 8 ? 63 : 31;
  return static_cast<T>(static_cast<int64_t>(a) >> (n & kMask));
}

template <class T>
void add_integer_operators(FunctionRegistry& registry, SqlType type) {
  add_blind<AddIntegers<T>, T, T, T>(registry, "+", type, type, type);
  add_blind<SubtractIntegers<T>, T, T, T>(registry, "-", type, type, type);
  add_blind<MultiplyIntegers<T>, T, T, T>(registry, "*", type, type, type);
  registry.add("/", {type, type}, type, row_kernel<[](T a, T b) { return divide_integers(a, b); }>);
  registry.add("%", {type, type}, type, row_kernel<[](T a, T b) { return modulo_integers(a, b); }>);
  registry.add("mod", {type, type}, type, row_kernel<[](T a, T b) { return modulo_integers(a, b); }>);
  registry.add("-", {type}, type, row_kernel<[](T a) { return negate_integer(a); }>);
  registry.add("+", {type}, type, row_kernel<[](T a) { return a; }>);
  registry.add("@", {type}, type, row_kernel<[](T a) { return a < 0 ? negate_integer(a) : a; }>);
  registry.add("abs", {type}, type, row_kernel<[](T a) { return a < 0 ? negate_integer(a) : a; }>);
  registry.add("&", {type, type}, type, row_kernel<[](T a, T b) { return static_cast<T>(a & b); }>);
  registry.add("|", {type, type}, type, row_kernel<[](T a, T b) { return static_cast<T>(a | b); }>);
  registry.add("#", {type, type}, type, row_kernel<[](T a, T b) { return static_cast<T>(a ^ b); }>);
  registry.add("~", {type}, type, row_kernel<[](T a) { return static_cast<T>(~a); }>);
  registry.add("<<", {type, TypeId::kInteger}, type,
               row_kernel<[](T a, int32_t n) { return shift_left(a, n); }>);
  registry.add(">>", {type, TypeId::kInteger}, type,
               row_kernel<[](T a, int32_t n) { return shift_right(a, n); }>);
}

template <class A, class B, class R>
void add_float_binary(FunctionRegistry& registry, SqlType a, SqlType b, SqlType r) {
  add_blind<AddFloats<R>, A, B, R>(registry, "+", a, b, r);
  add_blind<SubtractFloats<R>, A, B, R>(registry, "-", a, b, r);
  add_blind<MultiplyFloats<R>, A, B, R>(registry, "*", a, b, r);
  // NULL rows hold zeros: the suspicion they raise is looked into and dropped.
  add_blind<DivideFloats<R>, A, B, R>(registry, "/", a, b, r);
}

template <class T>
void add_float_unary(FunctionRegistry& registry, SqlType type) {
  registry.add("-", {type}, type, row_kernel<[](T a) { return -a; }>);
  registry.add("+", {type}, type, row_kernel<[](T a) { return a; }>);
  registry.add("@", {type}, type, row_kernel<[](T a) { return std::fabs(a); }>);
  registry.add("abs", {type}, type, row_kernel<[](T a) { return std::fabs(a); }>);
}

void add_decimal_operators(FunctionRegistry& registry) {
  const SqlType type = TypeId::kDecimal;
  registry.add("+", {type, type}, type,
               row_kernel<[](const Decimal& a, const Decimal& b) { return add(a, b); }>);
  registry.add("-", {type, type}, type,
               row_kernel<[](const Decimal& a, const Decimal& b) { return subtract(a, b); }>);
  registry.add("*", {type, type}, type,
               row_kernel<[](const Decimal& a, const Decimal& b) { return multiply(a, b); }>);
  registry.add("/", {type, type}, type,
               row_kernel<[](const Decimal& a, const Decimal& b) { return divide(a, b); }>);
  registry.add("%", {type, type}, type,
               row_kernel<[](const Decimal& a, const Decimal& b) { return modulo(a, b); }>);
  registry.add("mod", {type, type}, type,
               row_kernel<[](const Decimal& a, const Decimal& b) { return modulo(a, b); }>);
  registry.add("^", {type, type}, type,
               row_kernel<[](const Decimal& a, const Decimal& b) { return power(a, b); }>);
  registry.add("-", {type}, type, row_kernel<[](const Decimal& a) { return negate(a); }>);
  registry.add("+", {type}, type, row_kernel<[](const Decimal& a) { return a; }>);
  registry.add("@", {type}, type, row_kernel<[](const Decimal& a) { return absolute(a); }>);
  registry.add("abs", {type}, type, row_kernel<[](const Decimal& a) { return absolute(a); }>);
}

}  // namespace

void register_arithmetic_operators(FunctionRegistry& registry) {
  add_integer_operators<int16_t>(registry, TypeId::kSmallInt);
  add_integer_operators<int32_t>(registry, TypeId::kInteger);
  add_integer_operators<int64_t>(registry, TypeId::kBigInt);
  const SqlType real = TypeId::kReal, wide = TypeId::kDouble;
  add_float_binary<float, float, float>(registry, real, real, real);
  add_float_binary<float, double, double>(registry, real, wide, wide);
  add_float_binary<double, float, double>(registry, wide, real, wide);
  add_float_binary<double, double, double>(registry, wide, wide, wide);
  add_float_unary<float>(registry, real);
  add_float_unary<double>(registry, wide);
  add_decimal_operators(registry);
}

}  // namespace idem
