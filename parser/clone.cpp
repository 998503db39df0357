#include "parser/clone.h"

namespace idem::ast {
namespace {

ExpressionPtr copy(const ExpressionPtr& e) { return e ? clone(*e) : nullptr; }
QueryPtr copy(const QueryPtr& q) { return q ? clone(*q) : nullptr; }

ExpressionList copy(const ExpressionList& items) {
  ExpressionList result;
  result.reserve(items.size());
  for (const ExpressionPtr& item : items) result.push_back(copy(item));
  return result;
}

template <class T>
std::unique_ptr<T> start(const T& source) {
  auto node = std::make_unique<T>();
  node->position = source.position;
  return node;
}

std::vector<OrderItem> copy(const std::vector<OrderItem>& items) {
  std::vector<OrderItem> result;
  for (const OrderItem& item : items) {
    result.push_back({copy(item.expression), item.direction, item.nulls, item.using_operator});
  }
  return result;
}

std::vector<SelectItem> copy(const std::vector<SelectItem>& items) {
  std::vector<SelectItem> result;
  for (const SelectItem& item : items) result.push_back({copy(item.expression), item.alias});
  return result;
}

std::vector<TableRefPtr> copy(const std::vector<TableRefPtr>& tables) {
  std::vector<TableRefPtr> result;
  for (const TableRefPtr& table : tables) result.push_back(clone(*table));
  return result;
}

std::vector<GroupItem> copy(const std::vector<GroupItem>& items) {
  std::vector<GroupItem> result;
  for (const GroupItem& item : items) {
    result.push_back({item.kind, copy(item.expression), copy(item.members), item.position});
  }
  return result;
}

std::unique_ptr<With> copy(const std::unique_ptr<With>& source) {
  if (!source) return nullptr;
  auto with = std::make_unique<With>();
  with->recursive = source->recursive;
  with->position = source->position;
  for (const CommonTableExpression& table : source->tables) {
    with->tables.push_back({table.name, table.columns, table.materialized, copy(table.query)});
  }
  return with;
}

std::unique_ptr<FunctionCall> copy_call(const FunctionCall& e) {
  auto node = start(e);
  node->name = e.name;
  node->arguments = copy(e.arguments);
  node->argument_names = e.argument_names;
  node->distinct = e.distinct;
  node->star = e.star;
  node->variadic = e.variadic;
  node->within_group = e.within_group;
  node->ignore_nulls = e.ignore_nulls;
  node->bare_keyword = e.bare_keyword;
  node->sql_syntax = e.sql_syntax;
  node->order_by = copy(e.order_by);
  node->filter = copy(e.filter);
  if (e.over) node->over = std::make_unique<WindowSpec>(clone(*e.over));
  return node;
}

std::unique_ptr<Select> copy(const std::unique_ptr<Select>& source) {
  if (!source) return nullptr;
  auto select = std::make_unique<Select>();
  select->distinct = source->distinct;
  select->distinct_on = copy(source->distinct_on);
  select->items = copy(source->items);
  select->from = copy(source->from);
  select->where = copy(source->where);
  if (const SampleBy* s = source->sample_by.get()) {
    select->sample_by = std::make_unique<SampleBy>();
    select->sample_by->span = s->span;
    select->sample_by->from = copy(s->from);
    select->sample_by->to = copy(s->to);
    for (const SampleBy::Fill& fill : s->fill)
      select->sample_by->fill.push_back({fill.kind, copy(fill.value)});
    select->sample_by->align = s->align;
    select->sample_by->time_zone = copy(s->time_zone);
    select->sample_by->offset = copy(s->offset);
    select->sample_by->position = s->position;
  }
  if (const LatestOn* l = source->latest_on.get()) {
    select->latest_on = std::make_unique<LatestOn>();
    select->latest_on->timestamp = copy(l->timestamp);
    select->latest_on->partition_by = copy(l->partition_by);
    select->latest_on->before_where = l->before_where;
    select->latest_on->position = l->position;
  }
  select->group_by = copy(source->group_by);
  select->group_by_distinct = source->group_by_distinct;
  select->having = copy(source->having);
  for (const NamedWindow& window : source->windows)
    select->windows.push_back({window.name, clone(window.spec)});
  return select;
}

FrameBound copy(const FrameBound& bound) { return {bound.kind, copy(bound.offset)}; }

}  // namespace

WindowSpec clone(const WindowSpec& window) {
  WindowSpec result;
  result.reference = window.reference;
  result.bare_reference = window.bare_reference;
  result.partition_by = copy(window.partition_by);
  result.order_by = copy(window.order_by);
  if (window.frame) {
    result.frame = std::make_unique<WindowFrame>();
    result.frame->unit = window.frame->unit;
    result.frame->start = copy(window.frame->start);
    result.frame->end = copy(window.frame->end);
    result.frame->exclude = window.frame->exclude;
  }
  result.position = window.position;
  return result;
}

ExpressionPtr clone(const Expression& expression) {
  switch (expression.kind) {
    case ExpressionKind::kLiteral: {
      const auto& e = as<Literal>(expression);
      auto node = start(e);
      node->literal = e.literal;
      node->boolean = e.boolean;
      node->integer = e.integer;
      node->text = e.text;
      return node;
    }
    case ExpressionKind::kTypedLiteral: {
      const auto& e = as<TypedLiteral>(expression);
      auto node = start(e);
      node->type = e.type;
      node->text = e.text;
      return node;
    }
    case ExpressionKind::kParameter: {
      auto node = start(as<Parameter>(expression));
      node->number = as<Parameter>(expression).number;
      return node;
    }
    case ExpressionKind::kColumnRef: {
      auto node = start(as<ColumnRef>(expression));
      node->parts = as<ColumnRef>(expression).parts;
      return node;
    }
    case ExpressionKind::kStar: {
      const auto& e = as<Star>(expression);
      auto node = start(e);
      node->qualifier = e.qualifier;
      node->of = copy(e.of);
      return node;
    }
    case ExpressionKind::kFunctionCall: return copy_call(as<FunctionCall>(expression));
    case ExpressionKind::kOperator: {
      const auto& e = as<Operator>(expression);
      auto node = start(e);
      node->symbol = e.symbol;
      node->schema = e.schema;
      node->left = copy(e.left);
      node->right = copy(e.right);
      return node;
    }
    case ExpressionKind::kLogical: {
      const auto& e = as<Logical>(expression);
      auto node = start(e);
      node->is_and = e.is_and;
      node->operands = copy(e.operands);
      return node;
    }
    case ExpressionKind::kNot: {
      auto node = start(as<Not>(expression));
      node->operand = copy(as<Not>(expression).operand);
      return node;
    }
    case ExpressionKind::kQuantified: {
      const auto& e = as<Quantified>(expression);
      auto node = start(e);
      node->symbol = e.symbol;
      node->schema = e.schema;
      node->all = e.all;
      node->left = copy(e.left);
      node->array = copy(e.array);
      node->query = copy(e.query);
      return node;
    }
    case ExpressionKind::kIn: {
      const auto& e = as<In>(expression);
      auto node = start(e);
      node->negated = e.negated;
      node->interval_string = e.interval_string;
      node->left = copy(e.left);
      node->list = copy(e.list);
      node->query = copy(e.query);
      return node;
    }
    case ExpressionKind::kBetween: {
      const auto& e = as<Between>(expression);
      auto node = start(e);
      node->negated = e.negated;
      node->symmetric = e.symmetric;
      node->operand = copy(e.operand);
      node->low = copy(e.low);
      node->high = copy(e.high);
      return node;
    }
    case ExpressionKind::kLike: {
      const auto& e = as<Like>(expression);
      auto node = start(e);
      node->form = e.form;
      node->negated = e.negated;
      node->operand = copy(e.operand);
      node->pattern = copy(e.pattern);
      node->escape = copy(e.escape);
      return node;
    }
    case ExpressionKind::kIs: {
      const auto& e = as<Is>(expression);
      auto node = start(e);
      node->test = e.test;
      node->negated = e.negated;
      node->operand = copy(e.operand);
      node->right = copy(e.right);
      return node;
    }
    case ExpressionKind::kCase: {
      const auto& e = as<Case>(expression);
      auto node = start(e);
      node->operand = copy(e.operand);
      for (const Case::When& when : e.whens) node->whens.push_back({copy(when.condition), copy(when.result)});
      node->otherwise = copy(e.otherwise);
      return node;
    }
    case ExpressionKind::kCast: {
      auto node = start(as<Cast>(expression));
      node->operand = copy(as<Cast>(expression).operand);
      node->type = as<Cast>(expression).type;
      return node;
    }
    case ExpressionKind::kSubquery: {
      const auto& e = as<Subquery>(expression);
      auto node = start(e);
      node->form = e.form;
      node->query = copy(e.query);
      return node;
    }
    case ExpressionKind::kRow: {
      const auto& e = as<Row>(expression);
      auto node = start(e);
      node->items = copy(e.items);
      node->explicit_row = e.explicit_row;
      return node;
    }
    case ExpressionKind::kArray: {
      auto node = start(as<Array>(expression));
      node->items = copy(as<Array>(expression).items);
      return node;
    }
    case ExpressionKind::kSubscript: {
      const auto& e = as<Subscript>(expression);
      auto node = start(e);
      node->operand = copy(e.operand);
      node->slice = e.slice;
      node->index = copy(e.index);
      node->low = copy(e.low);
      node->high = copy(e.high);
      return node;
    }
    case ExpressionKind::kFieldSelect: {
      auto node = start(as<FieldSelect>(expression));
      node->operand = copy(as<FieldSelect>(expression).operand);
      node->field = as<FieldSelect>(expression).field;
      return node;
    }
    case ExpressionKind::kCollate: {
      auto node = start(as<Collate>(expression));
      node->operand = copy(as<Collate>(expression).operand);
      node->collation = as<Collate>(expression).collation;
      return node;
    }
    case ExpressionKind::kAtTimeZone: {
      auto node = start(as<AtTimeZone>(expression));
      node->operand = copy(as<AtTimeZone>(expression).operand);
      node->zone = copy(as<AtTimeZone>(expression).zone);
      return node;
    }
    case ExpressionKind::kDefault: return start(as<DefaultValue>(expression));
  }
  return nullptr;
}

QueryPtr clone(const Query& query) {
  auto node = std::make_unique<Query>();
  node->kind = query.kind;
  node->position = query.position;
  node->with = copy(query.with);
  node->select = copy(query.select);
  for (const ExpressionList& row : query.values) node->values.push_back(copy(row));
  node->set_operator = query.set_operator;
  node->set_all = query.set_all;
  for (const QueryPtr& operand : query.operands) node->operands.push_back(copy(operand));
  node->order_by = copy(query.order_by);
  node->limit = {copy(query.limit.count), copy(query.limit.range_start), copy(query.limit.offset),
                 query.limit.with_ties};
  node->locking = query.locking;
  return node;
}

TableRefPtr clone(const TableRef& table) {
  TableRefPtr result;
  switch (table.kind) {
    case TableRefKind::kTable: {
      const auto& t = as<NamedTable>(table);
      auto node = start(t);
      node->name = t.name;
      node->only = t.only;
      if (t.version) {
        node->version = std::make_unique<VersionClause>(
            VersionClause{t.version->kind, copy(t.version->value), t.version->position});
      }
      if (t.sample) {
        node->sample = std::make_unique<TableSample>(
            TableSample{t.sample->method, copy(t.sample->arguments), copy(t.sample->repeatable)});
      }
      result = std::move(node);
      break;
    }
    case TableRefKind::kFunction: {
      const auto& t = as<TableFunction>(table);
      auto node = start(t);
      for (const auto& call : t.calls) node->calls.push_back(copy_call(*call));
      node->rows_from = t.rows_from;
      node->lateral = t.lateral;
      node->with_ordinality = t.with_ordinality;
      node->column_definitions = t.column_definitions;
      result = std::move(node);
      break;
    }
    case TableRefKind::kSubquery: {
      auto node = start(as<DerivedTable>(table));
      node->query = copy(as<DerivedTable>(table).query);
      node->lateral = as<DerivedTable>(table).lateral;
      result = std::move(node);
      break;
    }
    case TableRefKind::kJoin: {
      const auto& t = as<Join>(table);
      auto node = start(t);
      node->join = t.join;
      node->natural = t.natural;
      node->left = clone(*t.left);
      node->right = clone(*t.right);
      node->on = copy(t.on);
      node->using_columns = t.using_columns;
      node->using_alias = t.using_alias;
      node->tolerance = t.tolerance;
      node->has_window_range = t.has_window_range;
      node->window_start = t.window_start;
      node->window_end = t.window_end;
      node->include_prevailing = t.include_prevailing;
      result = std::move(node);
      break;
    }
  }
  result->alias = table.alias;
  result->column_aliases = table.column_aliases;
  return result;
}

}  // namespace idem::ast
