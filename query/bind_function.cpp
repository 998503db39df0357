#include <algorithm>
#include <array>

#include "query/query_binder.h"

namespace idem::binding {

namespace {

constexpr std::array kWindowOnly = {"row_number", "rank", "dense_rank",  "percent_rank", "cume_dist", "ntile",
                                    "lag",        "lead", "first_value", "last_value",   "nth_value"};

bool is_hypothetical(std::string_view name) {
  return name == "rank" || name == "dense_rank" || name == "percent_rank" || name == "cume_dist";
}

// Of their arguments records are written with the names of their fields, which only the binder knows.
constexpr std::array kJsonOfValues = {"to_json",           "to_jsonb",           "row_to_json",
                                      "json_build_object", "jsonb_build_object", "json_build_array",
                                      "jsonb_build_array"};

std::string function_name(const ast::FunctionCall& call) {
  if (call.name.size() > 1) {
    const std::string& schema = call.name[call.name.size() - 2].text;
    if (!equal_ignoring_case(schema, "pg_catalog") && !equal_ignoring_case(schema, "information_schema")) {
      throw sql_error(sqlstate::kUndefinedFunction, "function {}.{}() does not exist", schema,
                      call.function())
          .with_position(call.position);
    }
  }
  return call.function();
}

[[noreturn]] void throw_wrong_type(uint32_t position, std::string message) {
  throw SqlError(sqlstate::kWrongObjectType, std::move(message)).with_position(position);
}

}  // namespace

BoundPtr QueryBinder::bind_function(const ast::FunctionCall& call, ExpressionContext& context) {
  const std::string name = function_name(call);
  const bool is_window_only = std::find(kWindowOnly.begin(), kWindowOnly.end(), name) != kWindowOnly.end();
  if (call.over) {
    if (!is_window_only && !is_aggregate(name)) {
      throw_wrong_type(
          call.position,
          fmt::format("OVER specified, but {} is not a window function nor an aggregate function", name));
    }
    return bind_window(call, name, context);
  }
  if (call.ignore_nulls) {
    throw sql_error(sqlstate::kFeatureNotSupported, "IGNORE NULLS is not supported")
        .with_position(call.position);
  }
  if (call.within_group && is_hypothetical(name)) return bind_hypothetical(call, name, context);
  if (is_window_only)
    throw_wrong_type(call.position, fmt::format("window function {} requires an OVER clause", name));
  if (name == "grouping" && !call.bare_keyword) return bind_grouping(call, context);
  if (is_aggregate(name) && !call.bare_keyword) return bind_aggregate(call, name, context);
  if (call.star)
    throw_wrong_type(call.position,
                     fmt::format("{}(*) specified, but {} is not an aggregate function", name, name));
  if (call.distinct)
    throw_wrong_type(call.position,
                     fmt::format("DISTINCT specified, but {} is not an aggregate function", name));
  if (call.within_group) {
    throw_wrong_type(call.position,
                     fmt::format("WITHIN GROUP specified, but {} is not an aggregate function", name));
  }
  if (!call.order_by.empty()) {
    throw_wrong_type(call.position,
                     fmt::format("ORDER BY specified, but {} is not an aggregate function", name));
  }
  if (call.filter)
    throw_wrong_type(call.position,
                     fmt::format("FILTER specified, but {} is not an aggregate function", name));
  if (call.variadic) {
    throw sql_error(sqlstate::kFeatureNotSupported, "VARIADIC arguments are not supported")
        .with_position(call.position);
  }
  if (call.bare_keyword) return bind_bare_keyword(call, name);
  if (BoundPtr special = bind_special_function(call, name, context)) return special;
  if (BoundPtr record = bind_json_record_value(call, name, context)) return record;
  if (is_scalar_function(name)) {
    std::vector<BoundPtr> arguments = bind_arguments(call, name, context);
    if (std::find(kJsonOfValues.begin(), kJsonOfValues.end(), name) != kJsonOfValues.end()) {
      for (BoundPtr& argument : arguments) argument = json_of_record(std::move(argument), call.position);
    }
    return call_function(name, std::move(arguments), call.position);
  }
  if (const TableFunction* function = set_function(call)) {
    std::vector<ScopeColumn> columns = bind_set_function(call, *function, context);
    if (columns.size() == 1) return columns[0].reference();
    std::vector<BoundPtr> fields;
    std::vector<std::string> names;
    for (const ScopeColumn& column : columns) {
      fields.push_back(column.reference());
      names.push_back(column.name);
    }
    return make_record(std::move(fields), names, call.position);
  }
  if (names_.find_virtual_function(name)) {
    throw sql_error(sqlstate::kFeatureNotSupported, "{}() gives a table: it is for the FROM clause", name)
        .with_position(call.position);
  }
  std::vector<BoundPtr> arguments = bind_arguments(call, name, context);
  if (arguments.size() == 1) {
    // type(value), as PostgreSQL reads it when there is no such function
    SqlType type;
    bool is_type = true;
    try {
      type = resolve_type_name(name, nullptr, 0, false);
    } catch (const SqlError&) { is_type = false; }
    if (is_type && (arguments[0]->type.id == TypeId::kUnknown ||
                    find_cast(arguments[0]->type, type, CastContext::kExplicit))) {
      return coerce(std::move(arguments[0]), type, CastContext::kExplicit, call.arguments[0]->position);
    }
  }
  return call_function(name, std::move(arguments), call.position);
}

const TableFunction* QueryBinder::set_function(const ast::FunctionCall& call) {
  const std::string& name = call.function();
  if (call.bare_keyword || is_scalar_function(name) || is_aggregate(name)) return nullptr;
  return find_table_function(name);
}

std::vector<BoundPtr> QueryBinder::bind_arguments(const ast::FunctionCall& call, const std::string& name,
                                                  ExpressionContext& context) {
  static constexpr std::array kIntervalParts = {"years", "months", "weeks", "days", "hours", "mins", "secs"};
  const bool has_names = std::any_of(call.argument_names.begin(), call.argument_names.end(),
                                     [](const ast::Identifier& n) { return !n.empty(); });
  std::vector<BoundPtr> arguments;
  if (!has_names && name != "make_interval") {
    for (const auto& argument : call.arguments) arguments.push_back(bind(*argument, context));
    return arguments;
  }
  if (name != "make_interval") {
    throw sql_error(sqlstate::kFeatureNotSupported, "named arguments of {} are not supported", name)
        .with_position(call.position);
  }
  if (call.arguments.size() > kIntervalParts.size()) {
    throw sql_error(sqlstate::kUndefinedFunction, "function make_interval has at most 7 arguments")
        .with_position(call.position);
  }
  for (size_t i = 0; i < kIntervalParts.size(); i++) {
    arguments.push_back(i + 1 < kIntervalParts.size()
                            ? BoundExpression::constant(Value::of_int(TypeId::kInteger, 0))
                            : BoundExpression::constant(Value::of_double(TypeId::kDouble, 0)));
  }
  for (size_t i = 0; i < call.arguments.size(); i++) {
    size_t target = i;
    if (i < call.argument_names.size() && !call.argument_names[i].empty()) {
      const auto* found =
          std::find(kIntervalParts.begin(), kIntervalParts.end(), call.argument_names[i].text);
      if (found == kIntervalParts.end()) {
        throw sql_error(sqlstate::kUndefinedFunction, "function make_interval has no argument \"{}\"",
                        call.argument_names[i].text)
            .with_position(call.argument_names[i].position);
      }
      target = static_cast<size_t>(found - kIntervalParts.begin());
    }
    arguments[target] = bind(*call.arguments[i], context);
  }
  return arguments;
}

BoundPtr QueryBinder::bind_special_function(const ast::FunctionCall& call, const std::string& name,
                                            ExpressionContext& context) {
  const auto bind_all = [&](bool later_conditional) {
    ExpressionContext inner = context;
    std::vector<BoundPtr> arguments;
    for (const auto& argument : call.arguments) {
      arguments.push_back(bind(*argument, arguments.empty() || !later_conditional ? context : inner));
      inner.conditional = true;
    }
    return arguments;
  };
  if (name == "coalesce") {
    std::vector<BoundPtr> arguments = bind_all(true);
    if (arguments.empty())
      throw sql_error(sqlstate::kSyntaxError, "COALESCE needs an argument").with_position(call.position);
    SqlType type = unify(arguments, "COALESCE", call.position);
    if (arguments.size() == 1) return std::move(arguments[0]);
    return BoundExpression::make(BoundKind::kCoalesce, type, std::move(arguments));
  }
  if (name == "pg_typeof" && call.arguments.size() == 1) {
    std::vector<BoundPtr> arguments = bind_all(false);
    if (arguments[0]->kind == BoundKind::kConstant && arguments[0]->type.id == TypeId::kUnknown)
      return BoundExpression::constant(Value::of_int(TypeId::kRegtype, type_oid(TypeId::kUnknown)));
    return call_function(name, std::move(arguments), call.position);
  }
  if (name == "merge_action" && call.arguments.empty()) {
    const size_t relation = context.scope->find_relation(kMergeActionScope, "", true);
    if (relation == SIZE_MAX) {
      throw sql_error(sqlstate::kSyntaxError,
                      "MERGE_ACTION() can only be used in the RETURNING list of a MERGE command")
          .with_position(call.position);
    }
    return context.scope->relations[relation].columns[0].reference();
  }
  if (name == "greatest" || name == "least") {
    std::vector<BoundPtr> arguments = bind_all(false);
    unify(arguments, name == "greatest" ? "GREATEST" : "LEAST", call.position);
    return call_function(name, std::move(arguments), call.position);
  }
  if (name == "nullif") {
    if (call.arguments.size() != 2) {
      throw sql_error(sqlstate::kSyntaxError, "NULLIF needs two arguments").with_position(call.position);
    }
    std::vector<BoundPtr> sides = bind_all(false);
    BoundPtr equal;
    {
      std::vector<BoundPtr> copies;
      copies.push_back(sides[0]->clone());
      copies.push_back(std::move(sides[1]));
      equal = call_operator("=", std::move(copies), call.position);
    }
    // The first argument takes the type in which it is compared.
    BoundPtr value = std::move(sides[0]);
    if (value->type.id != TypeId::kSymbol && value->type.id != equal->call_types.arguments[0].id) {
      value = coerce(std::move(value), equal->call_types.arguments[0], CastContext::kImplicit, call.position);
    }
    SqlType type = value->type;
    std::vector<BoundPtr> children;
    children.push_back(std::move(equal));
    children.push_back(BoundExpression::constant(Value::null(type)));
    children.push_back(std::move(value));
    return BoundExpression::make(BoundKind::kCase, type, std::move(children));
  }
  return nullptr;
}

// CURRENT_TIMESTAMP, CURRENT_USER and the like: functions that are called without parentheses.
BoundPtr QueryBinder::bind_bare_keyword(const ast::FunctionCall& call, const std::string& name) {
  const auto no_arguments = [] { return std::vector<BoundPtr>(); };
  const auto now_as = [&](TypeId type) {
    return coerce(call_function("now", no_arguments(), call.position), type, CastContext::kExplicit,
                  call.position);
  };
  if (name == "current_timestamp") return call_function("now", no_arguments(), call.position);
  if (name == "localtimestamp") return now_as(TypeId::kTimestamp);
  if (name == "current_date") return now_as(TypeId::kDate);
  if (name == "current_time" || name == "localtime") {
    return coerce(now_as(TypeId::kTimestamp), TypeId::kTime, CastContext::kExplicit, call.position);
  }
  if (name == "user" || name == "current_role")
    return call_function("current_user", no_arguments(), call.position);
  if (name == "current_catalog") return call_function("current_database", no_arguments(), call.position);
  return call_function(name, no_arguments(), call.position);
}

SetCall QueryBinder::make_set_call(const ast::FunctionCall& call, const TableFunction& function,
                                   std::vector<BoundPtr> arguments,
                                   std::vector<std::pair<std::string, SqlType>>* columns) {
  SetCall set;
  set.function = &function;
  std::vector<SqlType> types;
  for (const BoundPtr& a : arguments) types.push_back(a->type);
  if (!function.bind || !function.bind(types, &set.types, columns) || set.types.size() < arguments.size()) {
    std::string shown;
    for (SqlType type : types) shown += (shown.empty() ? "" : ", ") + format_type(type);
    throw sql_error(sqlstate::kUndefinedFunction, "function {}({}) does not exist", function.name, shown)
        .with_hint(
            "No function matches the given name and argument types. You might need to add explicit type "
            "casts.")
        .with_position(call.position);
  }
  for (size_t i = 0; i < arguments.size(); i++) {
    set.arguments.push_back(
        coerce(std::move(arguments[i]), set.types[i], CastContext::kImplicit, call.position));
  }
  set.column_count = static_cast<uint32_t>(columns->size());
  return set;
}

// A set-returning function in a select list: its columns as marked references.
std::vector<ScopeColumn> QueryBinder::bind_set_function(const ast::FunctionCall& call,
                                                        const TableFunction& function,
                                                        ExpressionContext& context) {
  if (!context.sets || context.in_aggregate || context.in_window) {
    throw sql_error(sqlstate::kFeatureNotSupported, "set-returning functions are not allowed in {}",
                    context.in_aggregate ? "aggregate function calls"
                    : context.in_window  ? "window function calls"
                                         : context.clause)
        .with_position(call.position);
  }
  if (context.conditional) {
    throw sql_error(sqlstate::kFeatureNotSupported,
                    "set-returning functions are not allowed in CASE or COALESCE")
        .with_position(call.position);
  }
  SetSink& sink = *context.sets;
  ExpressionContext inner = context;
  inner.sets = nullptr;
  inner.clause = "arguments of set-returning functions";
  std::vector<std::pair<std::string, SqlType>> columns;
  SetCall set = make_set_call(call, function, bind_arguments(call, function.name, inner), &columns);
  // (f(x)).a, (f(x)).b call f once.
  for (size_t i = 0; i < sink.calls.size(); i++) {
    const SetCall& other = sink.calls[i];
    if (other.function == set.function && other.types == set.types &&
        std::equal(other.arguments.begin(), other.arguments.end(), set.arguments.begin(), set.arguments.end(),
                   [](const BoundPtr& a, const BoundPtr& b) { return a->equals(*b); })) {
      return sink.columns[i];
    }
  }
  std::vector<ScopeColumn> references;
  for (const auto& [name, type] : columns)
    references.push_back(plain_column(name, type, kSetMark | sink.column_count++));
  sink.calls.push_back(std::move(set));
  sink.columns.push_back(references);
  return references;
}

}  // namespace idem::binding
