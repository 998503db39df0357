#pragma once

#include <memory>
#include <string>
#include <variant>

#include "common/decimal.h"
#include "common/interval.h"
#include "common/sql_type.h"
#include "common/uuid.h"

namespace idem {

// One value of any type: constants of expressions, parameters, statistics. Never used per row.
//
// Integers, booleans, dates, times and timestamps share int64_t; reals and doubles share double; every
// type of PhysicalType::kString (and SYMBOL) is a std::string. monostate is NULL.
class Value {
 public:
  Value() = default;
  static Value null(SqlType type) { return Value(type, {}); }
  static Value of_bool(bool v) { return Value(TypeId::kBoolean, static_cast<int64_t>(v)); }
  static Value of_int(SqlType type, int64_t v) { return Value(type, v); }
  static Value of_double(SqlType type, double v) { return Value(type, v); }
  static Value of_decimal(SqlType type, Decimal v) { return Value(type, v); }
  static Value of_interval(Interval v) { return Value(TypeId::kInterval, v); }
  static Value of_uuid(Uuid v) { return Value(TypeId::kUuid, v); }
  static Value of_string(SqlType type, std::string v) { return Value(type, std::move(v)); }

  SqlType type() const { return type_; }
  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool as_bool() const { return std::get<int64_t>(data_) != 0; }
  int64_t as_int() const { return std::get<int64_t>(data_); }
  double as_double() const { return std::get<double>(data_); }
  const Decimal& as_decimal() const { return std::get<Decimal>(data_); }
  const Interval& as_interval() const { return std::get<Interval>(data_); }
  const Uuid& as_uuid() const { return std::get<Uuid>(data_); }
  const std::string& as_string() const { return std::get<std::string>(data_); }

 private:
  using Data = std::variant<std::monostate, int64_t, double, Decimal, Interval, Uuid, std::string>;
  Value(SqlType type, Data data) : type_(type), data_(std::move(data)) {}

  SqlType type_;
  Data data_;
};

}  // namespace idem
