#include "query/bind_merge.h"

#include <array>

#include "query/insert_plan.h"
#include "query/plan_walk.h"
#include "query/query_binder.h"
#include "query/source_table.h"

namespace idem {

using binding::CteScope;
using binding::Environment;
using binding::ExpressionContext;
using binding::OuterLink;
using binding::QueryBinder;
using binding::Relation;
using binding::Scope;
using binding::Source;

namespace {

using Match = ast::MergeClause::Match;
using Action = ast::MergeClause::Action;

BoundPtr is_null(BoundPtr operand) {
  std::vector<BoundPtr> children;
  children.push_back(std::move(operand));
  return BoundExpression::make(BoundKind::kIsNull, TypeId::kBoolean, std::move(children));
}

class MergeBinder {
 public:
  MergeBinder(const ast::MergeStatement& statement, std::shared_ptr<const TableVersion> target,
              const NameResolver& names, ParameterTypes& parameters)
      : s_(statement), schema_(target->schema), binder_(names, parameters, true), target_(std::move(target)) {
    for (const ast::MergeClause& clause : s_.clauses) {
      has_not_matched_ |= clause.match == Match::kNotMatchedByTarget;
      has_by_source_ |= clause.match == Match::kNotMatchedBySource;
    }
  }

  MergeRows bind();

 private:
  void check_reachable() const;
  // What an expression of a clause may read: both sides, or the one that there is.
  ExpressionContext context_of(Match match, const char* clause);
  void bind_join();
  void bind_actions();
  void bind_values();
  BoundPtr met(Match match) const;
  // The values that one clause gives the table's columns; null where it leaves a column as it is.
  std::vector<BoundPtr> clause_values(size_t index);
  std::vector<BoundPtr> updated_values(size_t index);
  std::vector<BoundPtr> inserted_values(const ast::MergeClause& clause);
  BoundPtr same_named_source_column(uint32_t column, uint32_t position);
  BoundPtr bind_value(const ast::Expression* value, uint32_t column, Match match, const char* clause);

  // Whether the clause is the one that acts on the row at hand.
  BoundPtr acts(size_t index);
  uint32_t width() const { return static_cast<uint32_t>(schema_->columns.size()); }

  const ast::MergeStatement& s_;
  std::shared_ptr<const TableSchema> schema_;
  QueryBinder binder_;
  std::shared_ptr<const TableVersion> target_;
  bool has_not_matched_ = false, has_by_source_ = false;
  CteScope* ctes_ = nullptr;
  Scope both_, target_only_, source_only_;
  uint32_t marker_ = 0;  // column of the join that is never NULL where there is a source row
  PlanPtr plan_;
  uint32_t action_ = 0;  // column of the plan: see bind_actions()
  MergeRows result_;
};

void MergeBinder::check_reachable() const {
  std::array<bool, 3> unconditional{};
  for (const ast::MergeClause& clause : s_.clauses) {
    bool& seen = unconditional[static_cast<size_t>(clause.match)];
    if (seen) {
      throw sql_error(sqlstate::kSyntaxError,
                      "unreachable WHEN clause specified after unconditional WHEN clause")
          .with_position(clause.position);
    }
    seen = !clause.condition;
  }
}

ExpressionContext MergeBinder::context_of(Match match, const char* clause) {
  ExpressionContext context;
  context.scope = match == Match::kMatched              ? &both_
                  : match == Match::kNotMatchedByTarget ? &source_only_
                                                        : &target_only_;
  context.clause = clause;
  context.ctes = ctes_;
  context.conditional = true;  // a clause is evaluated only where the ones before it did not hold
  return context;
}

// target ⋈ source, with the position before the target's columns and a marker behind the source's.
void MergeBinder::bind_join() {
  Environment environment;
  if (s_.with) environment.ctes = binder_.push_with(*s_.with, environment);
  ctes_ = environment.ctes;
  const std::string name = s_.alias.empty() ? schema_->name : s_.alias.text;
  const std::string schema_name = s_.alias.empty() ? schema_->schema_name : std::string();
  Source target = binder_.scan_source(std::move(target_), name, schema_name);
  target.plan->scan_columns.insert(target.plan->scan_columns.begin(), UINT32_MAX);
  target.plan->columns.insert(target.plan->columns.begin(), PlanColumn{"(position)", TypeId::kBigInt});
  shift_scope(target.scope, 1);
  const size_t target_relations = target.scope.relations.size();
  const size_t target_visible = target.scope.visible.size();

  Source source = binder_.bind_table_ref(*s_.source, environment, environment);
  for (const Relation& relation : source.scope.relations) {
    if (relation.alias != name || (!relation.schema.empty() && relation.schema != schema_name)) continue;
    throw sql_error(sqlstate::kDuplicateAlias, "name \"{}\" specified more than once", name)
        .with_detail("The name is used both as MERGE target table and data source.")
        .with_position(s_.source->position);
  }
  source.plan =
      with_column(std::move(source.plan), "(source)", BoundExpression::constant(Value::of_bool(true)));

  const JoinType type = has_not_matched_ ? (has_by_source_ ? JoinType::kFull : JoinType::kRight)
                                         : (has_by_source_ ? JoinType::kLeft : JoinType::kInner);
  OuterLink link;
  Source joined = binder_.combine(std::move(target), std::move(source), type, link, s_.position);
  marker_ = static_cast<uint32_t>(joined.plan->columns.size() - 1);
  both_ = std::move(joined.scope);
  both_.timestamp.reset();
  plan_ = std::move(joined.plan);
  for (size_t r = 0; r < both_.relations.size(); r++) {
    (r < target_relations ? target_only_ : source_only_).relations.push_back(both_.relations[r]);
  }
  for (size_t c = 0; c < both_.visible.size(); c++) {
    (c < target_visible ? target_only_ : source_only_).visible.push_back(both_.visible[c]);
  }
  ExpressionContext context;
  context.scope = &both_;
  context.clause = "MERGE conditions";
  context.ctes = ctes_;
  plan_->join_condition = binder_.bind_condition(*s_.on, context, "MERGE/ON");
}

// Whether the row at hand is of the clause's kind; null where every row of the join is.
BoundPtr MergeBinder::met(Match match) const {
  BoundPtr no_target = is_null(BoundExpression::column(0, TypeId::kBigInt));
  BoundPtr no_source = is_null(BoundExpression::column(marker_, TypeId::kBoolean));
  switch (match) {
    case Match::kNotMatchedByTarget: return no_target;
    case Match::kNotMatchedBySource: return no_source;
    case Match::kMatched: break;
  }
  std::vector<BoundPtr> parts;
  if (has_not_matched_) parts.push_back(QueryBinder::make_not(std::move(no_target)));
  if (has_by_source_) parts.push_back(QueryBinder::make_not(std::move(no_source)));
  return parts.empty() ? nullptr : QueryBinder::make_and(std::move(parts));
}

// Adds a last column: the number of the clause that acts on the row, NULL if none does.
void MergeBinder::bind_actions() {
  std::vector<BoundPtr> children;
  for (size_t i = 0; i < s_.clauses.size(); i++) {
    const ast::MergeClause& clause = s_.clauses[i];
    std::vector<BoundPtr> parts;
    if (BoundPtr kind = met(clause.match)) parts.push_back(std::move(kind));
    if (clause.condition) {
      ExpressionContext context = context_of(clause.match, "MERGE WHEN conditions");
      parts.push_back(binder_.bind_condition(*clause.condition, context, "WHEN"));
    }
    children.push_back(parts.empty() ? BoundExpression::constant(Value::of_bool(true))
                                     : QueryBinder::make_and(std::move(parts)));
    children.push_back(BoundExpression::constant(Value::of_int(TypeId::kInteger, static_cast<int64_t>(i))));
  }
  children.push_back(BoundExpression::constant(Value::null(TypeId::kInteger)));
  action_ = static_cast<uint32_t>(plan_->columns.size());
  plan_ = with_column(std::move(plan_), "(clause)",
                      BoundExpression::make(BoundKind::kCase, TypeId::kInteger, std::move(children)));
}

BoundPtr MergeBinder::acts(size_t index) {
  std::vector<BoundPtr> sides;
  sides.push_back(BoundExpression::column(action_, TypeId::kInteger));
  sides.push_back(BoundExpression::constant(Value::of_int(TypeId::kInteger, static_cast<int64_t>(index))));
  return binder_.call_operator("=", std::move(sides), 0);
}

BoundPtr MergeBinder::bind_value(const ast::Expression* value, uint32_t c, Match match, const char* clause) {
  const ColumnSchema& column = schema_->columns[c];
  ast::ExpressionPtr default_value;
  if (!value || value->kind == ast::ExpressionKind::kDefault) {
    default_value = parse_default(column);
    if (!default_value) return BoundExpression::constant(Value::null(assignment_type(column.type)));
    value = default_value.get();
  }
  ExpressionContext context = context_of(match, clause);
  BoundPtr bound = binder_.bind(*value, context);
  return binder_.assign(std::move(bound), assignment_type(column.type), column.name, value->position);
}

BoundPtr MergeBinder::same_named_source_column(uint32_t c, uint32_t position) {
  const ColumnSchema& column = schema_->columns[c];
  const ast::Identifier name{column.name, position, true};
  const std::vector<size_t> found = find_columns(source_only_.visible, name);
  if (found.size() != 1) {
    SqlError error =
        found.empty()
            ? sql_error(sqlstate::kUndefinedColumn, "the source of MERGE has no column \"{}\"", column.name)
            : sql_error(sqlstate::kAmbiguousColumn, "column \"{}\" of the source of MERGE is ambiguous",
                        column.name);
    throw error
        .with_hint("UPDATE SET * and INSERT * take the columns of the target by their names from the source.")
        .with_position(position);
  }
  return binder_.assign(source_only_.visible[found[0]].reference(), assignment_type(column.type), column.name,
                        position);
}

std::vector<BoundPtr> MergeBinder::updated_values(size_t index) {
  const ast::MergeClause& clause = s_.clauses[index];
  const Assignments assigned = resolve_assignments(*schema_, clause.assignments);
  ExpressionContext context = context_of(clause.match, "UPDATE");
  BoundAssignments bound =
      binder_.bind_assignments(assigned.outputs, static_cast<uint32_t>(plan_->columns.size()), context);
  for (BoundPtr& row : bound.rows) {
    RecordShapePtr shape = row->shape;
    std::vector<BoundPtr> choice;
    choice.push_back(acts(index));
    choice.push_back(std::move(row));
    choice.push_back(BoundExpression::constant(Value::null(TypeId::kRecord)));
    BoundPtr chosen = BoundExpression::make(BoundKind::kCase, TypeId::kRecord, std::move(choice));
    chosen->shape = std::move(shape);
    plan_ = with_column(std::move(plan_), "(row)", std::move(chosen));
  }
  std::vector<BoundPtr> values(width());
  for (size_t i = 0; i < bound.values.size(); i++) values[assigned.targets[i]] = std::move(bound.values[i]);
  return values;
}

std::vector<BoundPtr> MergeBinder::inserted_values(const ast::MergeClause& clause) {
  std::vector<BoundPtr> values(width());
  const std::vector<uint32_t> targets = resolve_target_columns(*schema_, clause.columns);
  if (clause.values.size() > targets.size() ||
      (!clause.columns.empty() && !clause.values.empty() && clause.values.size() < targets.size())) {
    const bool more = clause.values.size() > targets.size();
    throw sql_error(sqlstate::kSyntaxError, "INSERT has more {} than {}",
                    more ? "expressions" : "target columns", more ? "target columns" : "expressions")
        .with_position(more ? clause.values[targets.size()]->position
                            : clause.columns[clause.values.size()].position);
  }
  for (size_t i = 0; i < clause.values.size(); i++) {
    values[targets[i]] = bind_value(clause.values[i].get(), targets[i], clause.match, "VALUES");
  }
  for (uint32_t c = 0; c < width(); c++) {
    if (!values[c]) values[c] = bind_value(nullptr, c, clause.match, "DEFAULT expressions");
  }
  return values;
}

std::vector<BoundPtr> MergeBinder::clause_values(size_t index) {
  const ast::MergeClause& clause = s_.clauses[index];
  switch (clause.action) {
    case Action::kUpdate: return updated_values(index);
    case Action::kInsert: return inserted_values(clause);
    case Action::kUpdateAll:
    case Action::kInsertAll: {
      std::vector<BoundPtr> values;
      for (uint32_t c = 0; c < width(); c++) values.push_back(same_named_source_column(c, clause.position));
      return values;
    }
    case Action::kDelete:
    case Action::kDoNothing: break;
  }
  return std::vector<BoundPtr>(width());
}

// The output: action, position, the row's values after the action, and the source's columns for RETURNING.
void MergeBinder::bind_values() {
  std::vector<std::vector<BoundPtr>> choices(width());  // of each column: CASE's WHENs and THENs
  for (size_t i = 0; i < s_.clauses.size(); i++) {
    std::vector<BoundPtr> values = clause_values(i);
    for (uint32_t c = 0; c < width(); c++) {
      if (!values[c]) continue;
      choices[c].push_back(acts(i));
      choices[c].push_back(std::move(values[c]));
    }
  }
  auto output = std::make_shared<LogicalPlan>();
  output->kind = PlanKind::kProject;
  const auto add = [&](PlanColumn column, BoundPtr value) {
    column.type = value->type;
    output->columns.push_back(std::move(column));
    output->expressions.push_back(std::move(value));
  };
  add({"(clause)", TypeId::kInteger}, BoundExpression::column(action_, TypeId::kInteger));
  add({"(position)", TypeId::kBigInt}, BoundExpression::column(0, TypeId::kBigInt));
  for (uint32_t c = 0; c < width(); c++) {
    const ColumnSchema& column = schema_->columns[c];
    BoundPtr stored = BoundExpression::column(1 + c, column.type);
    const PlanColumn named{column.name, column.type};
    if (choices[c].empty()) {
      add(named, std::move(stored));
      continue;
    }
    const SqlType type = assignment_type(column.type);
    choices[c].push_back(binder_.assign(std::move(stored), type, column.name, 0));
    add(named, BoundExpression::make(BoundKind::kCase, type, std::move(choices[c])));
  }
  if (!s_.returning.empty()) {
    for (const Relation& relation : source_only_.relations)
      result_.source_tables.push_back(binding::source_table(relation, add));
  }
  output->children.push_back(std::move(plan_));
  plan_ = std::move(output);
}

MergeRows MergeBinder::bind() {
  check_reachable();
  bind_join();
  bind_actions();
  bind_values();
  if (ctes_) binder_.check_unread(*ctes_);
  result_.query = binder_.finish(std::move(plan_));
  return std::move(result_);
}

}  // namespace

MergeRows bind_merge_rows(const ast::MergeStatement& statement, std::shared_ptr<const TableVersion> target,
                          const NameResolver& names, ParameterTypes& parameters) {
  return MergeBinder(statement, std::move(target), names, parameters).bind();
}

}  // namespace idem
