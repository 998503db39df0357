#pragma once

#include <deque>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "query/aggregate.h"
#include "query/function.h"

namespace idem {

// All functions, operators, table functions and aggregates by name; built once, constant afterwards.
class FunctionRegistry {
 public:
  static const FunctionRegistry& instance();

  // The reference is valid until the next add(); for setting the rarer fields.
  ScalarFunction& add(std::string_view name, std::initializer_list<SqlType> parameters, SqlType result,
                      ScalarKernel kernel, Volatility volatility = Volatility::kImmutable);
  // Polymorphic: `bind` decides about the types.
  ScalarFunction& add_polymorphic(std::string_view name, bool (*bind)(std::span<const SqlType>, CallTypes*),
                                  ScalarKernel kernel, Volatility volatility = Volatility::kImmutable);
  void add_table_function(TableFunction function);
  AggregateFunction& add_aggregate(AggregateFunction function);

  const std::vector<const ScalarFunction*>* find(std::string_view name) const;
  const TableFunction* find_table_function(std::string_view name) const;
  const std::vector<const AggregateFunction*>* find_aggregate(std::string_view name) const;
  std::vector<std::string> names() const;  // sorted, operators left out

 private:
  FunctionRegistry();

  std::deque<ScalarFunction> functions_;
  std::deque<TableFunction> table_functions_;
  std::deque<AggregateFunction> aggregates_;
  std::map<std::string, std::vector<const ScalarFunction*>, std::less<>> by_name_;
  std::map<std::string, const TableFunction*, std::less<>> table_functions_by_name_;
  std::map<std::string, std::vector<const AggregateFunction*>, std::less<>> aggregates_by_name_;
};

// One for each file of functions.
void register_arithmetic_operators(FunctionRegistry& registry);
void register_comparison_operators(FunctionRegistry& registry);
void register_datetime_operators(FunctionRegistry& registry);
void register_text_operators(FunctionRegistry& registry);
void register_array_quantifiers(FunctionRegistry& registry);
void register_array_functions(FunctionRegistry& registry);
void register_conditional_functions(FunctionRegistry& registry);
void register_encoding_functions(FunctionRegistry& registry);
void register_format_function(FunctionRegistry& registry);
void register_math_functions(FunctionRegistry& registry);
void register_record_functions(FunctionRegistry& registry);
void register_regex_functions(FunctionRegistry& registry);
void register_string_functions(FunctionRegistry& registry);
void register_datetime_functions(FunctionRegistry& registry);
void register_overlaps(FunctionRegistry& registry);
void register_timeseries_functions(FunctionRegistry& registry);
void register_to_char_functions(FunctionRegistry& registry);
void register_json_functions(FunctionRegistry& registry);
void register_session_functions(FunctionRegistry& registry);
void register_catalog_functions(FunctionRegistry& registry);
void register_series_functions(FunctionRegistry& registry);
void register_text_table_functions(FunctionRegistry& registry);
void register_catalog_table_functions(FunctionRegistry& registry);

}  // namespace idem
