#include "query/function_registry.h"

#include <algorithm>
#include <cctype>

#include "query/aggregate_kernels.h"

namespace idem {

FunctionRegistry::FunctionRegistry() {
  register_arithmetic_operators(*this);
  register_comparison_operators(*this);
  register_datetime_operators(*this);
  register_text_operators(*this);
  register_array_quantifiers(*this);
  register_array_functions(*this);
  register_conditional_functions(*this);
  register_encoding_functions(*this);
  register_format_function(*this);
  register_math_functions(*this);
  register_record_functions(*this);
  register_regex_functions(*this);
  register_string_functions(*this);
  register_datetime_functions(*this);
  register_overlaps(*this);
  register_timeseries_functions(*this);
  register_to_char_functions(*this);
  register_json_functions(*this);
  register_session_functions(*this);
  register_catalog_functions(*this);
  register_series_functions(*this);
  register_text_table_functions(*this);
  register_catalog_table_functions(*this);

  register_sum_aggregates(*this);
  register_extreme_aggregates(*this);
  register_position_aggregates(*this);
  register_statistic_aggregates(*this);
  register_logical_aggregates(*this);
  register_distinct_aggregates(*this);
  register_percentile_aggregates(*this);
  register_collecting_aggregates(*this);
}

const FunctionRegistry& FunctionRegistry::instance() {
  static const FunctionRegistry registry;
  return registry;
}

ScalarFunction& FunctionRegistry::add(std::string_view name, std::initializer_list<SqlType> parameters,
                                      SqlType result, ScalarKernel kernel, Volatility volatility) {
  ScalarFunction& function = functions_.emplace_back();
  function.name = name;
  function.parameters = parameters;
  function.result = result;
  function.kernel = kernel;
  function.volatility = volatility;
  by_name_[function.name].push_back(&function);
  return function;
}

ScalarFunction& FunctionRegistry::add_polymorphic(std::string_view name,
                                                  bool (*bind)(std::span<const SqlType>, CallTypes*),
                                                  ScalarKernel kernel, Volatility volatility) {
  ScalarFunction& function = functions_.emplace_back();
  function.name = name;
  function.bind = bind;
  function.kernel = kernel;
  function.volatility = volatility;
  by_name_[function.name].push_back(&function);
  return function;
}

void FunctionRegistry::add_table_function(TableFunction function) {
  const TableFunction& stored = table_functions_.emplace_back(std::move(function));
  table_functions_by_name_[stored.name] = &stored;
}

AggregateFunction& FunctionRegistry::add_aggregate(AggregateFunction function) {
  AggregateFunction& stored = aggregates_.emplace_back(std::move(function));
  aggregates_by_name_[stored.name].push_back(&stored);
  return stored;
}

const std::vector<const ScalarFunction*>* FunctionRegistry::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second;
}

const TableFunction* FunctionRegistry::find_table_function(std::string_view name) const {
  const auto found = table_functions_by_name_.find(name);
  return found == table_functions_by_name_.end() ? nullptr : found->second;
}

const std::vector<const AggregateFunction*>* FunctionRegistry::find_aggregate(std::string_view name) const {
  const auto found = aggregates_by_name_.find(name);
  return found == aggregates_by_name_.end() ? nullptr : &found->second;
}

std::vector<std::string> FunctionRegistry::names() const {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::isalpha(static_cast<unsigned char>(name[0])) != 0 || name[0] == '_') names.push_back(name);
  };
  for (const auto& [name, unused] : by_name_) add(name);
  for (const auto& [name, unused] : table_functions_by_name_) add(name);
  for (const auto& [name, unused] : aggregates_by_name_) add(name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace idem
