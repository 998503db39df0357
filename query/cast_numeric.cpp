#include <cmath>
#include <limits>

#include "common/decimal.h"
#include "common/error.h"
#include "common/json_text.h"
#include "common/number_text.h"
#include "query/cast_registry.h"
#include "query/kernel.h"

namespace idem {

namespace {

template <class T>
constexpr std::string_view kTypeName = sizeof(T) == 2   ? "smallint"
                                       : sizeof(T) == 4 ? "integer"
                                                        : "bigint";

template <class To>
[[noreturn]] void throw_out_of_range() {
  throw sql_error(sqlstate::kNumericValueOutOfRange, "{} out of range", kTypeName<To>);
}

template <class To, class From>
To narrow(From v) {
  const auto r = static_cast<To>(v);
  if (static_cast<From>(r) != v) throw_out_of_range<To>();
  return r;
}

// Half to even, as the processor rounds.
template <class To, class From>
To integer_of_float(From v) {
  const double r = std::nearbyint(static_cast<double>(v));
  constexpr double kLow = static_cast<double>(std::numeric_limits<To>::min());
  if (!(r >= kLow && r < -kLow)) throw_out_of_range<To>();
  return static_cast<To>(r);
}

template <class To>
To integer_of_decimal(const Decimal& v) {
  const Decimal rounded = round(v, 0);
  if (rounded.value < std::numeric_limits<To>::min() || rounded.value > std::numeric_limits<To>::max()) {
    throw_out_of_range<To>();
  }
  return static_cast<To>(rounded.value);
}

float real_of_double(double v) {
  const auto r = static_cast<float>(v);
  if (std::isinf(r) && !std::isinf(v))
    throw SqlError(sqlstate::kNumericValueOutOfRange, "value out of range: overflow");
  if (r == 0 && v != 0) throw SqlError(sqlstate::kNumericValueOutOfRange, "value out of range: underflow");
  return r;
}

Decimal fitted(const KernelCall& call, const Decimal& v) {
  const SqlType type = call.types.result;
  return type.modifier < 0 ? v : rescale(v, type.precision(), type.scale());
}

uint32_t oid_of_int(int64_t v) {
  if (v < std::numeric_limits<int32_t>::min() || v > std::numeric_limits<uint32_t>::max()) {
    throw SqlError(sqlstate::kNumericValueOutOfRange, "OID out of range");
  }
  return static_cast<uint32_t>(v);
}

// NULL rows hold zeros, which convert.
template <class From, class To>
void widen(EvaluationState&, const CallTypes& types, std::span<const Vector> arguments, uint32_t size,
           Selection selection, Vector* result) {
  To* out = result->allocate_as<To>(types.result, size);
  const From* in = arguments[0].values<From>();
  if (arguments[0].is_constant()) {
    const To value = static_cast<To>(*in);
    for (uint32_t i = 0; i < selection.count; ++i) out[selection[i]] = value;
  } else if (selection.is_all()) {
    for (uint32_t i = 0; i < selection.count; ++i) out[i] = static_cast<To>(in[i]);
  } else {
    for (uint32_t i = 0; i < selection.count; ++i)
      out[selection.rows[i]] = static_cast<To>(in[selection.rows[i]]);
  }
}

// A number or boolean out of jsonb: `(j->'price')::float8`.
std::string_view json_scalar(std::string_view json, JsonKind wanted, std::string_view type_name) {
  const JsonKind kind = json_kind(json);
  if (kind != wanted) {
    throw sql_error(sqlstate::kInvalidParameterValue, "cannot cast jsonb {} to type {}", json_kind_name(kind),
                    type_name);
  }
  return json;
}
Decimal json_number(std::string_view json, std::string_view type_name) {
  return decimal_from_text(json_scalar(json, JsonKind::kNumber, type_name));
}

constexpr auto kImplicit = CastContext::kImplicit;
constexpr auto kAssignment = CastContext::kAssignment;
constexpr auto kExplicit = CastContext::kExplicit;
constexpr TypeId kInt2 = TypeId::kSmallInt, kInt4 = TypeId::kInteger, kInt8 = TypeId::kBigInt,
                 kReal = TypeId::kReal, kDouble = TypeId::kDouble, kDecimal = TypeId::kDecimal;

template <class T>
void add_integer(CastRegistry& r, TypeId type) {
  r.add(type, kReal, kImplicit, widen<T, float>);
  r.add(type, kDouble, kImplicit, widen<T, double>);
  r.add(type, kDecimal, kImplicit,
        row_kernel<[](KernelCall& c, T v) { return fitted(c, decimal_from_int64(v)); }>);
  r.add(kReal, type, kAssignment, row_kernel<[](float v) { return integer_of_float<T>(v); }>);
  r.add(kDouble, type, kAssignment, row_kernel<[](double v) { return integer_of_float<T>(v); }>);
  r.add(kDecimal, type, kAssignment, row_kernel<[](const Decimal& v) { return integer_of_decimal<T>(v); }>);
  r.add(type, TypeId::kOid, kImplicit, row_kernel<[](T v) { return static_cast<int32_t>(oid_of_int(v)); }>);
  r.add(TypeId::kJsonb, type, kExplicit,
        row_kernel<[](std::string_view j) { return integer_of_decimal<T>(json_number(j, kTypeName<T>)); }>);
  for (const TypeId reg : {TypeId::kRegclass, TypeId::kRegtype, TypeId::kRegproc, TypeId::kRegnamespace}) {
    r.add(type, reg, kImplicit, row_kernel<[](T v) { return static_cast<int32_t>(oid_of_int(v)); }>);
  }
}

void add_oid_casts(CastRegistry& r) {
  for (const TypeId type :
       {TypeId::kOid, TypeId::kRegclass, TypeId::kRegtype, TypeId::kRegproc, TypeId::kRegnamespace}) {
    r.add(type, kInt4, kAssignment, nullptr);
    r.add(type, kInt8, kAssignment, widen<uint32_t, int64_t>);
    if (type == TypeId::kOid) continue;
    r.add(type, TypeId::kOid, kImplicit, nullptr);
    r.add(TypeId::kOid, type, kImplicit, nullptr);
  }
}

}  // namespace

void register_numeric_casts(CastRegistry& r) {
  add_integer<int16_t>(r, kInt2);
  add_integer<int32_t>(r, kInt4);
  add_integer<int64_t>(r, kInt8);
  r.add(kInt2, kInt4, kImplicit, widen<int16_t, int32_t>);
  r.add(kInt2, kInt8, kImplicit, widen<int16_t, int64_t>);
  r.add(kInt4, kInt8, kImplicit, widen<int32_t, int64_t>);
  r.add(kInt4, kInt2, kAssignment, row_kernel<[](int32_t v) { return narrow<int16_t>(v); }>);
  r.add(kInt8, kInt2, kAssignment, row_kernel<[](int64_t v) { return narrow<int16_t>(v); }>);
  r.add(kInt8, kInt4, kAssignment, row_kernel<[](int64_t v) { return narrow<int32_t>(v); }>);

  r.add(kReal, kDouble, kImplicit, widen<float, double>);
  r.add(kDouble, kReal, kAssignment, row_kernel<[](double v) { return real_of_double(v); }>);
  r.add(kReal, kDecimal, kAssignment,
        row_kernel<[](KernelCall& c, float v) { return fitted(c, decimal_from_float(v)); }>);
  r.add(kDouble, kDecimal, kAssignment,
        row_kernel<[](KernelCall& c, double v) { return fitted(c, decimal_from_double(v)); }>);
  r.add(kDecimal, kReal, kImplicit,
        row_kernel<[](const Decimal& v) { return real_of_double(decimal_to_double(v)); }>);
  r.add(kDecimal, kDouble, kImplicit, row_kernel<[](const Decimal& v) { return decimal_to_double(v); }>);

  r.add(TypeId::kBoolean, kInt4, kExplicit, row_kernel<[](bool v) { return v ? 1 : 0; }>);
  r.add(kInt4, TypeId::kBoolean, kExplicit, row_kernel<[](int32_t v) { return v != 0; }>);
  r.add(kInt4, TypeId::kInternalChar, kExplicit, row_kernel<[](std::string& out, int32_t v) {
          if (v < -128 || 127 < v) throw SqlError(sqlstate::kNumericValueOutOfRange, "\"char\" out of range");
          if (v != 0) out.push_back(static_cast<char>(v));
        }>);
  r.add(TypeId::kInternalChar, kInt4, kExplicit, row_kernel<[](std::string_view v) {
          return v.empty() ? 0 : static_cast<int32_t>(static_cast<signed char>(v[0]));
        }>);
  add_oid_casts(r);

  r.add(TypeId::kJson, TypeId::kJsonb, kAssignment,
        row_kernel<[](std::string_view v) { return normalize_jsonb(v); }>);
  r.add(TypeId::kJsonb, TypeId::kJson, kAssignment, nullptr);
  r.add(
      TypeId::kJsonb, TypeId::kBoolean, kExplicit,
      row_kernel<[](std::string_view v) { return json_scalar(v, JsonKind::kBoolean, "boolean") == "true"; }>);
  r.add(TypeId::kJsonb, kDecimal, kExplicit,
        row_kernel<[](KernelCall& c, std::string_view v) { return fitted(c, json_number(v, "numeric")); }>);
  r.add(TypeId::kJsonb, kDouble, kExplicit, row_kernel<[](std::string_view v) {
          return double_from_text(json_scalar(v, JsonKind::kNumber, "double precision"));
        }>);
  r.add(TypeId::kJsonb, kReal, kExplicit, row_kernel<[](std::string_view v) {
          return float_from_text(json_scalar(v, JsonKind::kNumber, "real"));
        }>);
}

}  // namespace idem
