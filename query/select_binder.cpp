#include "query/select_binder.h"

#include <algorithm>

#include "parser/deparse.h"

namespace idem::binding {

namespace {

void replace_mark(BoundPtr& e, uint32_t mark, uint32_t offset) {
  remap_columns(*e, [&](uint32_t column) {
    return (column & kMarkMask) == mark ? offset + (column & ~kMarkMask) : column;
  });
}

}  // namespace

QueryResult QueryBinder::bind_select_query(const ast::Query& query, const Environment& environment,
                                           const OutputOptions& options) {
  return SelectBinder(*this, query, environment, options).run();
}

SelectBinder::SelectBinder(QueryBinder& binder, const ast::Query& query, const Environment& environment,
                           const OutputOptions& options)
    : binder_(binder), query_(query), select_(*query.select), environment_(environment), options_(options) {
  windows_.named = &select_.windows;
}

ExpressionContext SelectBinder::context(std::string_view clause) const {
  ExpressionContext context;
  context.scope = &scope_;
  context.clause = clause;
  context.ctes = environment_.ctes;
  context.view = environment_.view;
  return context;
}

PlanPtr SelectBinder::add_node(PlanKind kind) {
  auto node = std::make_shared<LogicalPlan>();
  node->kind = kind;
  node->columns = plan_->columns;
  node->children.push_back(std::move(plan_));
  plan_ = node;
  return node;
}

// Conditions on the left side of a WINDOW JOIN choose its rows; its aggregates see all right rows.
void SelectBinder::bind_where() {
  ExpressionContext where = context("WHERE");
  BoundPtr condition = binder_.bind_condition(*select_.where, where, "WHERE");
  if (window_join_) {
    const size_t left_width = window_join_->children[0]->columns.size();
    for_each_column(*condition, [&](uint32_t column) {
      if (column < left_width) return;
      throw sql_error(sqlstate::kFeatureNotSupported,
                      "WHERE of a WINDOW JOIN takes columns of its left side only")
          .with_hint("Choose right rows with FILTER, or in a subquery.")
          .with_position(select_.where->position);
    });
    std::swap(plan_, window_join_->children[0]);
  }
  add_node(PlanKind::kFilter)->expressions.push_back(std::move(condition));
  if (window_join_) std::swap(plan_, window_join_->children[0]);
}

QueryResult SelectBinder::run() {
  const auto* join = select_.from.size() == 1 ? ast::try_as<ast::Join>(select_.from[0].get()) : nullptr;
  const bool is_window_join = join && join->join == ast::JoinKind::kWindow && join->alias.empty();
  Source source = is_window_join ? binder_.bind_window_join(*join, environment_)
                                 : binder_.bind_from(select_.from, environment_);
  plan_ = std::move(source.plan);
  if (is_window_join) window_join_ = plan_;
  scope_ = std::move(source.scope);
  if (scope_.timestamp && scope_.timestamp->expression->is_column()) {
    timestamp_column_ = static_cast<int>(scope_.timestamp->expression->index);
  }
  if (select_.where) bind_where();
  if (select_.latest_on && !window_join_) stack_latest_on();
  aggregates_.share_equal = !select_.sample_by || select_.sample_by->fill.size() <= 1;
  bind_items();
  bind_group_by();
  if (select_.having) {
    ExpressionContext having = context("HAVING");
    having.aggregates = &aggregates_;
    having_ = binder_.bind_condition(*select_.having, having, "HAVING");
  }
  bind_distinct_on();
  bind_order();
  const bool resolves = !options_.keep_unknown || select_.distinct != ast::Select::Distinct::kNone ||
                        !query_.limit.empty() || !query_.order_by.empty();
  for (Item& item : items_) {
    if (resolves) item.expression = binder_.resolve_unknown(std::move(item.expression));
  }
  if (window_join_) {
    stack_window_join();
  } else if (select_.sample_by) {
    stack_sample_by();
  } else if (is_aggregated()) {
    add_implicit_groups();
    stack_aggregate();
    timestamp_column_ = -1;
  }
  if (having_) add_node(PlanKind::kFilter)->expressions.push_back(std::move(having_));
  stack_windows();
  stack_sets();
  stack_project();
  QueryResult result;
  result.timestamp = find_timestamp();
  result.visible = visible_;
  stack_distinct_and_order();
  result.plan = std::move(plan_);
  return result;
}

void SelectBinder::bind_items() {
  ExpressionContext list = context("SELECT");
  list.aggregates = &aggregates_;
  list.windows = &windows_;
  list.sets = &sets_;
  for (const ast::SelectItem& item : select_.items) add_item(item, list);
  visible_ = items_.size();
}

void SelectBinder::add_item(const ast::SelectItem& item, ExpressionContext& list) {
  const ast::Expression& e = *item.expression;
  const auto add_column = [&](const ScopeColumn& column, uint32_t position) {
    Item out;
    out.expression = column.reference();
    out.expression->position = position;
    out.name = column.name;
    out.position = position;
    out.table = column.table;
    out.attribute = column.attribute;
    items_.push_back(std::move(out));
  };
  if (const auto* star = ast::try_as<ast::Star>(&e)) {
    for (const ScopeColumn& column : binder_.expand_star(*star, list)) add_column(column, star->position);
    return;
  }
  const std::string name = item.alias.empty() ? parser::output_name(e) : item.alias.text;
  if (const auto* ref = ast::try_as<ast::ColumnRef>(&e)) {
    if (std::optional<ScopeColumn> column = binder_.find_column(*ref, scope_)) {
      add_column(*column, ref->position);
      // Unquoted upsertKey shows the column's own spelling.
      if (!item.alias.empty()) items_.back().name = item.alias.text;
      return;
    }
  }
  Item out;
  out.expression = binder_.bind(e, list);
  out.name = name;
  out.position = e.position;
  items_.push_back(std::move(out));
}

// The item that an ORDER BY or DISTINCT ON expression means: an output column by name or number, or any
// expression, hidden if it is not selected.
size_t SelectBinder::ordering_item(const ast::Expression& expression, std::string_view clause) {
  if (const auto* ref = ast::try_as<ast::ColumnRef>(&expression); ref && ref->parts.size() == 1) {
    size_t found = SIZE_MAX;
    for (int exact = 1; exact >= 0 && found == SIZE_MAX; exact--) {
      for (size_t i = 0; i < visible_; i++) {
        if (exact ? items_[i].name != ref->parts[0].text : !name_matches(items_[i].name, ref->parts[0]))
          continue;
        if (found != SIZE_MAX && !items_[found].expression->equals(*items_[i].expression)) {
          throw sql_error(sqlstate::kAmbiguousColumn, "{} \"{}\" is ambiguous", clause, ref->parts[0].text)
              .with_position(ref->position);
        }
        if (found == SIZE_MAX) found = i;
      }
    }
    if (found != SIZE_MAX) return found;
  }
  if (const auto* literal = ast::try_as<ast::Literal>(&expression)) {
    if (literal->literal != ast::LiteralKind::kInteger) {
      throw sql_error(sqlstate::kSyntaxError, "non-integer constant in {}", clause)
          .with_position(literal->position);
    }
    if (literal->integer < 1 || literal->integer > static_cast<int64_t>(visible_)) {
      throw sql_error(sqlstate::kInvalidColumnReference, "{} position {} is not in select list", clause,
                      literal->integer)
          .with_position(literal->position);
    }
    return static_cast<size_t>(literal->integer - 1);
  }
  ExpressionContext order = context(clause);
  order.aggregates = &aggregates_;
  order.windows = &windows_;
  order.sets = &sets_;
  BoundPtr bound = binder_.resolve_unknown(binder_.bind(expression, order));
  for (size_t i = 0; i < items_.size(); i++) {
    if (items_[i].expression->equals(*bound)) return i;
  }
  if (select_.distinct == ast::Select::Distinct::kDistinct) {
    throw sql_error(sqlstate::kInvalidColumnReference,
                    "for SELECT DISTINCT, ORDER BY expressions must appear in select list")
        .with_position(expression.position);
  }
  Item hidden;
  hidden.expression = std::move(bound);
  hidden.name = parser::output_name(expression);
  hidden.position = expression.position;
  items_.push_back(std::move(hidden));
  return items_.size() - 1;
}

void SelectBinder::bind_order() {
  for (const ast::OrderItem& item : query_.order_by) {
    OrderedItem ordered;
    ordered.item = ordering_item(*item.expression, "ORDER BY");
    ordered.key = binder_.sort_key(item, nullptr);
    order_.push_back(std::move(ordered));
  }
  std::vector<size_t> missing = distinct_on_;
  for (const OrderedItem& ordered : order_) {
    if (missing.empty()) break;
    if (std::find(distinct_on_.begin(), distinct_on_.end(), ordered.item) == distinct_on_.end()) {
      throw sql_error(sqlstate::kInvalidColumnReference,
                      "SELECT DISTINCT ON expressions must match initial ORDER BY expressions")
          .with_position(items_[ordered.item].position);
    }
    std::erase(missing, ordered.item);
  }
}

void SelectBinder::bind_distinct_on() {
  for (const auto& e : select_.distinct_on) {
    const size_t item = ordering_item(*e, "DISTINCT ON");
    if (std::find(distinct_on_.begin(), distinct_on_.end(), item) == distinct_on_.end())
      distinct_on_.push_back(item);
  }
}

void SelectBinder::for_each_window_expression(const std::function<void(BoundPtr&)>& work) {
  for (LogicalPlan::Window& window : windows_.windows) {
    for (BoundPtr& e : window.arguments) work(e);
    for (BoundPtr& e : window.partition_by) work(e);
    for (SortKey& key : window.order_by) work(key.expression);
    for (BoundPtr& e : window.aggregate.arguments) work(e);
    if (window.aggregate.filter) work(window.aggregate.filter);
  }
}

void SelectBinder::for_each_output(const std::function<void(BoundPtr&)>& work) {
  for (Item& item : items_) work(item.expression);
  for (SetCall& call : sets_.calls) {
    for (BoundPtr& e : call.arguments) work(e);
  }
}

void SelectBinder::stack_windows() {
  if (windows_.windows.empty()) return;
  const auto offset = static_cast<uint32_t>(plan_->columns.size());
  PlanPtr node = add_node(PlanKind::kWindow);
  for (LogicalPlan::Window& window : windows_.windows) {
    node->columns.push_back({window.function_name, window.type});
    node->windows.push_back(std::move(window));
  }
  for_each_output([&](BoundPtr& e) { replace_mark(e, kWindowMark, offset); });
}

void SelectBinder::stack_sets() {
  if (sets_.calls.empty()) return;
  const auto offset = static_cast<uint32_t>(plan_->columns.size());
  PlanPtr node = add_node(PlanKind::kProjectSet);
  for (size_t i = 0; i < sets_.calls.size(); i++) {
    for (const ScopeColumn& column : sets_.columns[i]) node->columns.push_back({column.name, column.type});
    node->set_calls.push_back(std::move(sets_.calls[i]));
  }
  for (Item& item : items_) replace_mark(item.expression, kSetMark, offset);
  sets_.calls.clear();
}

void SelectBinder::stack_project() {
  PlanPtr node = add_node(PlanKind::kProject);
  node->columns.clear();
  for (Item& item : items_) {
    node->columns.push_back(
        {item.name, item.expression->type, item.table, item.attribute, item.expression->shape});
    node->expressions.push_back(std::move(item.expression));
  }
}

// The output column that is the designated timestamp.
int SelectBinder::find_timestamp() const {
  if (timestamp_column_ < 0) return -1;
  for (size_t i = 0; i < visible_; i++) {
    const BoundExpression& e = *plan_->expressions[i];
    if (e.is_column() && static_cast<int>(e.index) == timestamp_column_) return static_cast<int>(i);
  }
  return -1;
}

// Whether ORDER BY has all of DISTINCT ON's expressions first.
bool SelectBinder::order_chooses_rows() const {
  return std::all_of(distinct_on_.begin(), distinct_on_.end(), [&](size_t item) {
    return std::any_of(order_.begin(), order_.end(),
                       [&](const OrderedItem& ordered) { return ordered.item == item; });
  });
}

void SelectBinder::stack_distinct_and_order() {
  const auto output = [&](size_t item) {
    return BoundExpression::column(static_cast<uint32_t>(item), plan_->columns[item].type);
  };
  if (select_.distinct == ast::Select::Distinct::kDistinct) add_node(PlanKind::kDistinct);
  std::vector<SortKey> keys;
  for (const OrderedItem& ordered : order_) {
    keys.push_back({output(ordered.item), ordered.key.descending, ordered.key.nulls_first});
  }
  const auto stack_sort = [&] {
    if (keys.empty()) return;
    PlanPtr sort = add_node(PlanKind::kSort);
    for (const SortKey& key : keys)
      sort->sort_keys.push_back({key.expression->clone(), key.descending, key.nulls_first});
  };
  if (select_.distinct == ast::Select::Distinct::kOn) {
    // An ORDER BY by some of the expressions alone does not choose among rows that are equal in all of them.
    const bool chooses_rows = order_chooses_rows();
    if (chooses_rows) stack_sort();
    PlanPtr distinct = add_node(PlanKind::kDistinct);
    for (size_t item : distinct_on_) distinct->distinct_on.push_back(output(item));
    if (!chooses_rows) stack_sort();
  } else {
    stack_sort();
  }
  plan_ = binder_.bind_limit(std::move(plan_), query_.limit, environment_, std::move(keys));
}

}  // namespace idem::binding
