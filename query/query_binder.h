#pragma once

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "query/binder.h"
#include "query/binder_scope.h"

// The binder's inside: one QueryBinder binds one statement. Its methods stand in files by subject:
// bind_*.cpp.
namespace idem {
class TableUnion;
}

namespace idem::binding {

// Until a SELECT knows what it groups by, aggregates, window functions and set-returning functions stand in
// its expressions as columns with these marks in the upper bits of `index`.
inline constexpr uint32_t kMarkMask = 0xE000'0000;
inline constexpr uint32_t kAggregateMark = 0x8000'0000;
inline constexpr uint32_t kGroupingMark = 0xA000'0000;  // a grouping() call
inline constexpr uint32_t kWindowMark = 0xC000'0000;
inline constexpr uint32_t kSetMark = 0x6000'0000;  // a column of a set-returning function

struct AggregateSink {
  std::vector<BoundAggregate> aggregates;
  std::vector<std::vector<BoundPtr>> groupings;  // arguments of grouping() calls
  std::vector<uint32_t> grouping_positions;
  bool share_equal = true;  // equal calls are computed once
};
struct WindowSink {
  std::vector<LogicalPlan::Window> windows;
  const std::vector<ast::NamedWindow>* named = nullptr;
};
struct SetSink {
  std::vector<SetCall> calls;
  std::vector<std::vector<ScopeColumn>> columns;  // of each call, as marked references
  uint32_t column_count = 0;
};

struct CteScope;

// Where a query stands.
struct Environment {
  OuterLink* outer = nullptr;        // to the query around it; null at the top
  CteScope* ctes = nullptr;          // innermost WITH
  const ViewSchema* view = nullptr;  // inside the text of a view
};

// A place for expressions. Null sinks: not allowed here.
struct ExpressionContext {
  const Scope* scope = nullptr;
  std::string_view clause;  // as in "aggregate functions are not allowed in WHERE"
  CteScope* ctes = nullptr;
  const ViewSchema* view = nullptr;
  AggregateSink* aggregates = nullptr;
  WindowSink* windows = nullptr;
  SetSink* sets = nullptr;
  bool in_aggregate = false, in_window = false;
  bool conditional = false;  // may not be evaluated at all: subqueries are not computed beforehand
};

// One WITH clause. Queries are bound where they are first read.
struct CteEntry {
  const ast::CommonTableExpression* definition = nullptr;
  enum class State : uint8_t {
    kUnbound,
    kBinding,
    kBindingStart,
    kBindingStep,
    kBound
  } state = State::kUnbound;
  bool reads_itself = false;
  const OuterLink* binding_outer = nullptr;  // while binding: the way out that its query was given
  bool is_correlated = false;                // reads columns of the query around: bound anew for each reader
  PlanPtr plan;
  uint32_t shared_id = 0, working_id = 0;
  std::vector<PlanColumn> columns;
  int timestamp = -1;
};
struct CteScope {
  std::vector<CteEntry> entries;
  CteScope* parent = nullptr;
  Environment environment;  // of the query that has the WITH clause
  bool recursive = false;
  size_t visible = 0;  // entries before this one may be read (all of them when recursive)
};

// A bound FROM item or list.
struct Source {
  PlanPtr plan;
  Scope scope;
};

// A bound query. The plan may have hidden columns after the first `visible`.
struct QueryResult {
  PlanPtr plan;
  size_t visible = 0;
  int timestamp = -1;  // output column that is the designated timestamp
};

struct OutputOptions {
  bool keep_unknown = false;  // untyped literals and parameters stay so: the caller resolves them
  const std::vector<InsertColumn>* targets = nullptr;  // INSERT: types for untyped outputs, DEFAULT in VALUES
};

class QueryBinder {
 public:
  QueryBinder(const NameResolver& names, ParameterTypes& parameters, bool init_plans_allowed);

  const NameResolver& names() const { return names_; }
  ExecutionContext& planning_context() { return context_; }

  // -- queries: bind_query.cpp, bind_values.cpp
  QueryResult bind_query(const ast::Query& query, const Environment& environment,
                         const OutputOptions& options = {});
  QueryResult bind_select_query(const ast::Query& query, const Environment& environment,
                                const OutputOptions& options);
  PlanPtr bind_limit(PlanPtr child, const ast::Limit& limit, const Environment& environment,
                     std::vector<SortKey> ties);
  // Casts the outputs of a plan in place where it can.
  PlanPtr coerce_outputs(PlanPtr plan, const std::vector<SqlType>& types, CastContext context,
                         uint32_t position);

  // -- FROM: bind_from.cpp, bind_join.cpp, bind_relation.cpp, bind_cte.cpp
  Source bind_from(const std::vector<ast::TableRefPtr>& items, const Environment& environment);
  // A FROM list that is one WINDOW JOIN: its node has no aggregates yet, its scope the columns of both sides.
  Source bind_window_join(const ast::Join& join, const Environment& environment);
  // Adds items to a FROM list that begins with `source`.
  Source bind_more_from(Source source, std::span<const ast::TableRefPtr> items,
                        const Environment& environment);
  Source bind_table_ref(const ast::TableRef& ref, const Environment& environment, const Environment& lateral);
  Source scan_source(std::shared_ptr<const TableVersion> table, const std::string& alias,
                     const std::string& schema);
  Source result_source(QueryResult result, const std::string& alias);
  void apply_aliases(Source& source, const ast::TableRef& ref);
  Source combine(Source left, Source right, JoinType type, OuterLink& link, uint32_t position);
  static PlanPtr one_row();
  CteScope* push_with(const ast::With& with, const Environment& environment);
  // Binds the queries of a WITH clause that nobody read: they still have to be right.
  void check_unread(CteScope& scope);

  // The text of a view, as its owner. What is bound afterwards may not use the names that were found.
  QueryResult bind_view_text(const ViewSchema& view);
  // From here on the plans of views are whole: for whoever looks into them before they are optimized.
  void bind_views_whole() { keeps_views_ = false; }
  // Plans of subqueries that are computed before the query; what they give is in slots.
  const std::vector<std::pair<uint32_t, PlanPtr>>& init_plans() const { return init_plans_; }

  // -- expressions: bind_expression.cpp, bind_operator.cpp, bind_function.cpp, bind_subquery.cpp
  BoundPtr bind(const ast::Expression& expression, ExpressionContext& context);
  BoundPtr bind_condition(const ast::Expression& expression, ExpressionContext& context,
                          std::string_view what);
  BoundPtr bind_typed(const ast::Expression& expression, ExpressionContext& context, SqlType type,
                      CastContext cast, std::string_view what = {});
  BoundPtr resolve_column(const ast::ColumnRef& ref, ExpressionContext& context);
  // The column that a reference means here or in the queries around; null if there is none by that name.
  std::optional<ScopeColumn> find_column(const ast::ColumnRef& ref, const Scope& scope);
  std::vector<ScopeColumn> expand_star(const ast::Star& star, ExpressionContext& context);
  SqlType resolve_type(const ast::TypeName& type) const;
  // The set-returning function that a call of an expression means; null for any other. Its columns as marked
  // references.
  static const TableFunction* set_function(const ast::FunctionCall& call);
  std::vector<ScopeColumn> bind_set_function(const ast::FunctionCall& call, const TableFunction& function,
                                             ExpressionContext& context);

  // -- composite values: bind_record.cpp
  BoundPtr make_record(std::vector<BoundPtr> values, const std::vector<std::string>& names,
                       uint32_t position);
  // The fields of a record as expressions over the input of `record`; 42703 if they are not known.
  std::vector<ScopeColumn> record_fields(const BoundExpression& record, uint32_t position);
  // The row of the relation that a name means where no column has it; null if no relation has it, either.
  BoundPtr bind_whole_row(const ast::ColumnRef& ref, ExpressionContext& context);
  // CASE WHEN condition THEN value ELSE otherwise END, of the type of `otherwise`.
  static BoundPtr make_choice(BoundPtr condition, BoundPtr value, BoundPtr otherwise);
  // A record whose fields have names, as JSON with those names; anything else as it is.
  BoundPtr json_of_record(BoundPtr value, uint32_t position);

  // -- types: bind_coercion.cpp
  BoundPtr coerce(BoundPtr expression, SqlType type, CastContext context, uint32_t position = 0);
  BoundPtr resolve_unknown(BoundPtr expression);
  BoundPtr assign(BoundPtr value, SqlType column_type, const std::string& column, uint32_t position);
  SqlType unify(std::span<BoundPtr> expressions, std::string_view what, uint32_t position);
  BoundPtr call_function(std::string_view name, std::vector<BoundPtr> arguments, uint32_t position);
  BoundPtr call_operator(std::string_view symbol, std::vector<BoundPtr> arguments, uint32_t position);
  std::optional<Value> constant_value(const BoundExpression& expression);
  static BoundPtr make_and(std::vector<BoundPtr> parts);
  static BoundPtr make_or(std::vector<BoundPtr> parts);
  static BoundPtr make_not(BoundPtr operand);
  static bool contains_columns(const BoundExpression& expression);

  // A query of any number of columns as one composite value: (a, b) = (query).
  BoundPtr bind_row_subquery(const ast::Query& query, uint32_t position, ExpressionContext& context);
  // Values of SET for an input of `width` columns. Each is cast by assignment to its column's type.
  BoundAssignments bind_assignments(const std::vector<TargetOutput>& outputs, uint32_t width,
                                    ExpressionContext& context);

  SortKey sort_key(const ast::OrderItem& item, BoundPtr expression);
  uint32_t new_slot() { return next_slot_++; }
  uint32_t new_shared_id() { return next_shared_id_++; }

  // The end: slots get their final numbers, CTEs that are read once lose their kMaterialize, plans are
  // optimized.
  BoundQuery finish(PlanPtr plan);
  BoundPtr finish(BoundPtr expression, uint32_t* slot_count);

 private:
  // bind_query.cpp
  QueryResult bind_set_operation(const ast::Query& query, size_t operand_count,
                                 const Environment& environment, const OutputOptions& options);
  QueryResult bind_values(const ast::Query& query, const Environment& environment,
                          const OutputOptions& options);
  QueryResult bind_core(const ast::Query& query, const Environment& environment,
                        const OutputOptions& options);
  void coerce_output(LogicalPlan& plan, size_t column, SqlType type, CastContext context, uint32_t position);
  bool can_coerce_in_place(const LogicalPlan& plan, size_t column) const;

  // bind_relation.cpp
  Source bind_named_table(const ast::NamedTable& table, const Environment& environment);
  Source bind_view(const ViewSchema& view, const ast::NamedTable& table);
  QueryResult bind_view_plan(const ViewSchema& view, const ast::NamedTable& table);
  QueryResult union_result(std::shared_ptr<const TableUnion> tables);
  bool reads_many_tables() const;  // through views
  std::optional<Source> find_relation(const std::vector<std::string>& name, const ast::NamedTable& table);
  Source bind_virtual(std::shared_ptr<const VirtualTable> table, const std::string& alias,
                      std::vector<BoundPtr> arguments);
  [[noreturn]] void throw_undefined_table(const ast::ObjectName& name) const;
  // bind_table_function.cpp
  Source bind_table_function(const ast::TableFunction& function, const Environment& lateral);
  Source bind_function_call(const ast::FunctionCall& call, ExpressionContext& context, bool with_ordinality);
  Source bind_lockstep(const std::vector<const ast::FunctionCall*>& calls, ExpressionContext& context);
  SetCall make_set_call(const ast::FunctionCall& call, const TableFunction& function,
                        std::vector<BoundPtr> arguments,
                        std::vector<std::pair<std::string, SqlType>>* columns);
  // bind_json_record.cpp: json_to_record(set) and json_populate_record(set); nothing for other functions.
  std::optional<Source> bind_json_record(const ast::TableFunction& function, ExpressionContext& context);
  BoundPtr bind_json_record_value(const ast::FunctionCall& call, const std::string& name,
                                  ExpressionContext& context);
  struct RecordColumn {
    std::string name;
    SqlType type;
    BoundPtr base;  // what it is where an object does not have it; null: NULL
    uint32_t position = 0;
  };
  std::shared_ptr<const TableVersion> table_of_null(const ast::Expression& expression) const;
  std::vector<RecordColumn> base_columns(const ast::FunctionCall& call, ExpressionContext& context);
  std::vector<RecordColumn> defined_columns(const std::vector<ast::ColumnTypePair>& definitions,
                                            const ast::Expression* base, ExpressionContext& context);
  BoundPtr fill_record_column(const BoundExpression& json, const RecordColumn& column);
  // bind_join.cpp
  Source bind_join(const ast::Join& join, const Environment& environment, const Environment& lateral);
  // Merges the columns of USING or NATURAL; returns the equalities.
  std::vector<BoundPtr> merge_columns(Scope& scope, size_t left_visible,
                                      const std::vector<ast::Identifier>& names, JoinType type,
                                      const ast::Join& join);
  Source bind_time_join(const ast::Join& join, Source left, Source right, OuterLink& link,
                        const Environment& environment);
  // bind_cte.cpp
  std::optional<Source> bind_cte(const ast::NamedTable& table, const Environment& environment);
  QueryResult bind_cte_query(CteEntry& entry, CteScope& scope, OuterLink* outer);
  QueryResult bind_recursive(CteEntry& entry, const ast::Query& query, const Environment& environment);
  void bind_shared(CteEntry& entry, CteScope& scope);

  // bind_expression.cpp
  BoundPtr bind_kind(const ast::Expression& expression, ExpressionContext& context);
  BoundPtr bind_literal(const ast::Literal& literal);
  BoundPtr bind_typed_literal(const ast::TypedLiteral& literal);
  BoundPtr bind_parameter(const ast::Parameter& parameter);
  BoundPtr bind_case(const ast::Case& expression, ExpressionContext& context);
  BoundPtr bind_cast(const ast::Cast& cast, ExpressionContext& context);
  BoundPtr bind_array(const ast::Array& array, ExpressionContext& context, SqlType element);
  BoundPtr bind_subscript(const ast::Subscript& subscript, ExpressionContext& context);
  BoundPtr bind_is(const ast::Is& is, ExpressionContext& context);
  std::optional<ScopeColumn> find_column_up(const ast::ColumnRef& ref, const Scope& scope,
                                            bool* relation_seen);
  [[noreturn]] void throw_undefined_column(const ast::ColumnRef& ref, const Scope& scope, bool relation_seen);

  // bind_record.cpp
  BoundPtr bind_row(const ast::Row& row, ExpressionContext& context);
  BoundPtr bind_field(const ast::FieldSelect& field, ExpressionContext& context);
  BoundPtr bind_record_null_test(BoundPtr record, bool negated, uint32_t position);

  // bind_operator.cpp
  BoundPtr bind_operator(const ast::Operator& op, ExpressionContext& context);
  BoundPtr bind_between(const ast::Between& between, ExpressionContext& context);
  BoundPtr bind_like(const ast::Like& like, ExpressionContext& context);
  BoundPtr bind_in(const ast::In& in, ExpressionContext& context);
  BoundPtr bind_in_list(BoundPtr left, std::vector<BoundPtr> items, uint32_t position);
  BoundPtr bind_interval_string(const ast::In& in, ExpressionContext& context);
  BoundPtr bind_quantified(const ast::Quantified& quantified, ExpressionContext& context);
  BoundPtr compare_rows(std::string_view symbol, std::vector<BoundPtr> left, std::vector<BoundPtr> right,
                        uint32_t position);
  std::vector<BoundPtr> bind_row_items(const ast::Row& row, ExpressionContext& context);

  // bind_function.cpp
  BoundPtr bind_function(const ast::FunctionCall& call, ExpressionContext& context);
  BoundPtr bind_special_function(const ast::FunctionCall& call, const std::string& name,
                                 ExpressionContext& context);
  std::vector<BoundPtr> bind_arguments(const ast::FunctionCall& call, const std::string& name,
                                       ExpressionContext& context);
  BoundPtr bind_bare_keyword(const ast::FunctionCall& call, const std::string& name);
  // bind_aggregate.cpp
  BoundAggregate bind_aggregate_call(const ast::FunctionCall& call, const std::string& name,
                                     ExpressionContext& context);
  BoundPtr bind_aggregate(const ast::FunctionCall& call, const std::string& name, ExpressionContext& context);
  BoundPtr bind_grouping(const ast::FunctionCall& call, ExpressionContext& context);
  BoundPtr bind_outer_aggregate(const ast::FunctionCall& call, const std::string& name, OuterLink& link);
  // bind_hypothetical.cpp: rank(x) WITHIN GROUP (ORDER BY y)
  BoundPtr bind_hypothetical(const ast::FunctionCall& call, const std::string& name,
                             ExpressionContext& context);
  // bind_window.cpp
  BoundPtr bind_window(const ast::FunctionCall& call, const std::string& name, ExpressionContext& context);
  void bind_window_function(const ast::FunctionCall& call, const std::string& name, ExpressionContext& inner,
                            LogicalPlan::Window& window);
  void bind_window_spec(const ast::WindowSpec& spec, ExpressionContext& inner, LogicalPlan::Window& window,
                        int depth);
  void bind_frame(const ast::WindowFrame& frame, ExpressionContext& inner, LogicalPlan::Window& window,
                  uint32_t position);
  BoundPtr bind_frame_offset(const ast::FrameBound& bound, ExpressionContext& inner,
                             const LogicalPlan::Window& window);

  // bind_subquery.cpp
  struct Inner {
    QueryResult result;
    std::vector<std::pair<uint32_t, BoundPtr>> correlated;
  };
  Inner bind_inner(const ast::Query& query, ExpressionContext& context);
  BoundPtr bind_subquery(const ast::Subquery& subquery, ExpressionContext& context);
  BoundPtr scalar_subquery(Inner inner, uint32_t position, ExpressionContext& context);
  BoundPtr bind_any_subquery(SubqueryKind kind, std::string_view symbol, const ast::Expression& left,
                             const ast::Query& query, uint32_t position, ExpressionContext& context);

  const NameResolver& names_;
  ParameterTypes& parameters_;
  const bool init_plans_allowed_;
  ExecutionContext context_;  // of constants computed while planning
  EvaluationState state_;
  uint32_t next_slot_;
  uint32_t next_shared_id_ = 1;
  int view_depth_ = 0, depth_ = 0;
  std::vector<std::pair<uint32_t, PlanPtr>> init_plans_;
  std::vector<std::shared_ptr<const TableVersion>> tables_;  // of scan_source()
  std::vector<std::shared_ptr<const TableUnion>> unions_;    // of bind_view_plan()
  bool keeps_views_ = true;
  bool uses_values_ = false;  // of parameters
  bool is_for_once_ = false;  // BoundQuery's
  std::vector<std::shared_ptr<CteScope>> kept_scopes_;
  std::set<uint32_t> always_materialized_;  // shared ids
};

// Runs `work` and gives an error without position this one.
template <class Work>
auto at_position(uint32_t position, Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (SqlError& error) {
    if (position > 0) error.with_position(position);
    throw;
  }
}

inline constexpr std::string_view kAmbiguousParameter = "42P08";
inline constexpr std::string_view kWindowingError = "42P20";
inline constexpr std::string_view kInvalidRecursion = "42P19";
inline constexpr std::string_view kInvalidObjectDefinition = "42P17";
inline constexpr std::string_view kIndeterminateArray = "42P18";

// Slots of correlated columns and init plans are numbered from here until the number of parameters is known.
inline constexpr uint32_t kFirstTemporarySlot = 1u << 24;

}  // namespace idem::binding
