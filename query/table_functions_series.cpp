#include "common/calendar.h"
#include "common/decimal.h"
#include "common/error.h"
#include "common/interval.h"
#include "common/time_zone.h"
#include "common/timestamp_arithmetic.h"
#include "query/array_elements.h"
#include "query/function_registry.h"
#include "query/set_writer.h"

namespace idem {

namespace {

using Columns = std::vector<std::pair<std::string, SqlType>>;
using Emit = std::function<void(DataChunk&)>;

void check_cancel(const EvaluationState& state, uint64_t row) {
  if (row % kVectorSize == 0 && state.context != nullptr && state.context->cancel != nullptr)
    state.context->cancel->check();
}

[[noreturn]] void throw_zero_step() {
  throw SqlError(sqlstate::kInvalidParameterValue, "step size cannot equal zero");
}

// ---- generate_series

bool bind_series(std::span<const SqlType> arguments, std::vector<SqlType>* types, Columns* columns) {
  if (arguments.size() != 2 && arguments.size() != 3) return false;
  SqlType type = TypeId::kUnknown;
  const bool is_time = is_timestamp(arguments[0].id) || arguments[0].id == TypeId::kDate ||
                       is_timestamp(arguments[1].id) || arguments[1].id == TypeId::kDate;
  if (is_time) {
    if (arguments.size() != 3) return false;
    const bool both_plain = arguments[0].id == TypeId::kTimestamp || arguments[1].id == TypeId::kTimestamp;
    const bool some_zone = arguments[0].id == TypeId::kTimestampTz || arguments[1].id == TypeId::kTimestampTz;
    type = both_plain && !some_zone ? TypeId::kTimestamp : TypeId::kTimestampTz;
    *types = {type, type, TypeId::kInterval};
  } else {
    type = TypeId::kInteger;
    for (const SqlType argument : arguments) {
      if (argument.id == TypeId::kUnknown || argument.id == TypeId::kSmallInt ||
          argument.id == TypeId::kInteger)
        continue;
      if (argument.id == TypeId::kBigInt && type.id != TypeId::kDecimal) {
        type = TypeId::kBigInt;
      } else if (argument.id == TypeId::kDecimal) {
        type = TypeId::kDecimal;
      } else if (argument.id != TypeId::kBigInt) {
        return false;
      }
    }
    types->assign(arguments.size(), type);
  }
  *columns = {{"generate_series", type}};
  return true;
}

template <class T>
void integer_series(EvaluationState& state, int64_t start, int64_t stop, int64_t step, SetWriter& out) {
  if (step == 0) throw_zero_step();
  int64_t value = start;
  for (uint64_t row = 0; step > 0 ? value <= stop : value >= stop; ++row) {
    check_cancel(state, row);
    out.set(0, static_cast<T>(value));
    out.next_row();
    if (__builtin_add_overflow(value, step, &value)) break;
  }
}

void decimal_series(EvaluationState& state, Decimal value, const Decimal& stop, const Decimal& step,
                    SetWriter& out) {
  if (sign(step) == 0) throw_zero_step();
  for (uint64_t row = 0; sign(step) > 0 ? compare(value, stop) <= 0 : compare(value, stop) >= 0; ++row) {
    check_cancel(state, row);
    out.set(0, value);
    out.next_row();
    value = add(value, step);
  }
}

void timestamp_series(EvaluationState& state, int64_t value, int64_t stop, const Interval& step,
                      SetWriter& out) {
  const int direction = compare(step, Interval{});
  if (direction == 0) throw_zero_step();
  if (!is_finite_timestamp(value) || !is_finite_timestamp(stop)) {
    throw SqlError(sqlstate::kInvalidParameterValue,
                   "start and stop of a series of timestamps must be finite");
  }
  for (uint64_t row = 0; direction > 0 ? value <= stop : value >= stop; ++row) {
    check_cancel(state, row);
    out.set(0, value);
    out.next_row();
    value = add_interval(value, step);
  }
}

void run_series(EvaluationState& state, const std::vector<SqlType>& types,
                const std::vector<Value>& arguments, const Emit& emit) {
  if (any_null(arguments)) return;
  SetWriter out({types[0]}, emit);
  const bool has_step = arguments.size() == 3;
  switch (types[0].id) {
    case TypeId::kInteger:
      integer_series<int32_t>(state, arguments[0].as_int(), arguments[1].as_int(),
                              has_step ? arguments[2].as_int() : 1, out);
      break;
    case TypeId::kBigInt:
      integer_series<int64_t>(state, arguments[0].as_int(), arguments[1].as_int(),
                              has_step ? arguments[2].as_int() : 1, out);
      break;
    case TypeId::kDecimal:
      decimal_series(state, arguments[0].as_decimal(), arguments[1].as_decimal(),
                     has_step ? arguments[2].as_decimal() : decimal_from_int64(1), out);
      break;
    default:
      timestamp_series(state, arguments[0].as_int(), arguments[1].as_int(), arguments[2].as_interval(), out);
  }
  out.finish();
}

// ---- arrays

bool is_array(SqlType type) { return type.id == TypeId::kArray || type.id == TypeId::kInt2Vector; }

bool bind_unnest(std::span<const SqlType> arguments, std::vector<SqlType>* types, Columns* columns) {
  if (arguments.empty()) return false;
  for (const SqlType type : arguments) {
    if (!is_array(type)) return false;
    types->push_back(type);
    columns->emplace_back("unnest", SqlType(element_type(type)));
  }
  return true;
}

void run_unnest(EvaluationState&, const std::vector<SqlType>& types, const std::vector<Value>& arguments,
                const Emit& emit) {
  std::vector<SqlType> columns;
  std::vector<std::optional<ArrayView>> arrays;
  uint32_t rows = 0;
  for (size_t i = 0; i < arguments.size(); ++i) {
    columns.emplace_back(element_type(types[i]));
    arrays.emplace_back();
    if (arguments[i].is_null()) continue;
    arrays.back().emplace(arguments[i].as_string());
    rows = std::max(rows, arrays.back()->size());
  }
  SetWriter out(columns, emit);
  ElementBuffer element;
  for (uint32_t row = 0; row < rows; ++row) {
    for (size_t i = 0; i < arrays.size(); ++i) {
      if (!arrays[i] || row >= arrays[i]->size() || arrays[i]->is_null(row)) continue;
      arrays[i]->element_at(row, element.bytes);
      out.set_element(i, element.bytes);
    }
    out.next_row();
  }
  out.finish();
}

bool bind_subscripts(std::span<const SqlType> arguments, std::vector<SqlType>* types, Columns* columns) {
  if ((arguments.size() != 2 && arguments.size() != 3) || !is_array(arguments[0])) return false;
  *types = {arguments[0], TypeId::kInteger};
  if (arguments.size() == 3) types->push_back(TypeId::kBoolean);
  *columns = {{"generate_subscripts", TypeId::kInteger}};
  return true;
}

void run_subscripts(EvaluationState&, const std::vector<SqlType>& types, const std::vector<Value>& arguments,
                    const Emit& emit) {
  if (any_null(arguments) || arguments[1].as_int() != 1) return;
  const ArrayView array(arguments[0].as_string());
  const auto first = static_cast<int32_t>(types[0].id == TypeId::kInt2Vector ? 0 : 1);
  const bool backwards = arguments.size() == 3 && arguments[2].as_bool();
  const auto size = static_cast<int32_t>(array.size());
  SetWriter out({TypeId::kInteger}, emit);
  for (int32_t i = 0; i < size; ++i) {
    out.set(0, first + (backwards ? size - 1 - i : i));
    out.next_row();
  }
  out.finish();
}

// information_schema._pg_expandarray(array): element and number.
bool bind_expand(std::span<const SqlType> arguments, std::vector<SqlType>* types, Columns* columns) {
  if (arguments.size() != 1 || !is_array(arguments[0])) return false;
  *types = {arguments[0]};
  *columns = {{"x", SqlType(element_type(arguments[0]))}, {"n", TypeId::kInteger}};
  return true;
}

void run_expand(EvaluationState&, const std::vector<SqlType>& types, const std::vector<Value>& arguments,
                const Emit& emit) {
  if (arguments[0].is_null()) return;
  const ArrayView array(arguments[0].as_string());
  SetWriter out({SqlType(element_type(types[0])), TypeId::kInteger}, emit);
  ElementBuffer element;
  for (uint32_t i = 0; i < array.size(); ++i) {
    if (!array.is_null(i)) {
      array.element_at(i, element.bytes);
      out.set_element(0, element.bytes);
    }
    out.set(1, static_cast<int32_t>(i + 1));
    out.next_row();
  }
  out.finish();
}

}  // namespace

void register_series_functions(FunctionRegistry& r) {
  r.add_table_function({"generate_series", {}, bind_series, run_series});
  r.add_table_function({"unnest", {}, bind_unnest, run_unnest});
  r.add_table_function({"generate_subscripts", {}, bind_subscripts, run_subscripts});
  r.add_table_function({"_pg_expandarray", {}, bind_expand, run_expand});
}

}  // namespace idem
