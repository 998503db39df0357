#include "query/query_binder.h"

namespace idem::binding {

namespace {

std::string qualified_name(const ast::ColumnRef& ref) {
  std::string name;
  for (const ast::Identifier& part : ref.parts) {
    if (!name.empty()) name += '.';
    name += part.text;
  }
  return name;
}

std::string_view schema_part(const ast::ColumnRef& ref) {
  return ref.parts.size() > 2 ? std::string_view(ref.parts[ref.parts.size() - 3].text) : std::string_view();
}

// The column of the scope that a reference means; fills *relation_seen when the qualifier names a relation of
// the scope.
std::optional<ScopeColumn> find_local(const ast::ColumnRef& ref, const Scope& scope, bool* relation_seen) {
  const ast::Identifier& name = ref.parts.back();
  const std::vector<ScopeColumn>* columns = &scope.visible;
  if (ref.parts.size() > 1) {
    const ast::Identifier& qualifier = ref.parts[ref.parts.size() - 2];
    size_t relation = scope.find_relation(qualifier.text, schema_part(ref), qualifier.quoted);
    if (relation == SIZE_MAX) return std::nullopt;
    *relation_seen = true;
    columns = &scope.relations[relation].columns;
  }
  std::vector<size_t> found = find_columns(*columns, name);
  if (found.empty()) return std::nullopt;
  if (found.size() > 1) {
    throw sql_error(sqlstate::kAmbiguousColumn, "column reference \"{}\" is ambiguous", name.text)
        .with_position(ref.position);
  }
  return (*columns)[found[0]];
}

}  // namespace

std::optional<ScopeColumn> QueryBinder::find_column_up(const ast::ColumnRef& ref, const Scope& scope,
                                                       bool* relation_seen) {
  if (auto found = find_local(ref, scope, relation_seen)) return found;
  if (*relation_seen || !scope.outer) return std::nullopt;
  OuterLink& link = *scope.outer;
  std::optional<ScopeColumn> outer = find_column_up(ref, *link.scope, relation_seen);
  if (!outer) return std::nullopt;
  const auto read_slot = [&](uint32_t slot) {
    BoundPtr reference = BoundExpression::slot(slot, outer->type);
    reference->shape = outer->expression->shape;
    outer->expression = std::move(reference);
    return outer;
  };
  for (const auto& [slot, expression] : link.correlated) {
    if (expression->equals(*outer->expression)) return read_slot(slot);
  }
  uint32_t slot = new_slot();
  BoundPtr value = outer->reference();
  value->position = ref.position;
  link.correlated.emplace_back(slot, std::move(value));
  return read_slot(slot);
}

std::optional<ScopeColumn> QueryBinder::find_column(const ast::ColumnRef& ref, const Scope& scope) {
  bool relation_seen = false;
  return find_column_up(ref, scope, &relation_seen);
}

BoundPtr QueryBinder::resolve_column(const ast::ColumnRef& ref, ExpressionContext& context) {
  bool relation_seen = false;
  std::optional<ScopeColumn> column = find_column_up(ref, *context.scope, &relation_seen);
  if (!column) {
    if (BoundPtr row = bind_whole_row(ref, context)) return row;
    throw_undefined_column(ref, *context.scope, relation_seen);
  }
  BoundPtr bound = column->reference();
  bound->position = ref.position;
  return bound;
}

void QueryBinder::throw_undefined_column(const ast::ColumnRef& ref, const Scope& scope, bool relation_seen) {
  const ast::Identifier& name = ref.parts.back();
  if (ref.parts.size() > 1 && !relation_seen) {
    const ast::Identifier& qualifier = ref.parts[ref.parts.size() - 2];
    SqlError error =
        sql_error(sqlstate::kUndefinedTable, "missing FROM-clause entry for table \"{}\"", qualifier.text);
    std::vector<std::string> aliases;
    for (const Scope* s = &scope; s; s = s->outer ? s->outer->scope : nullptr) {
      for (const Relation& relation : s->relations) aliases.push_back(relation.alias);
    }
    std::string nearest = nearest_name(qualifier.text, aliases);
    if (!nearest.empty())
      error.with_hint(fmt::format("Perhaps you meant to reference the table alias \"{}\".", nearest));
    throw error.with_position(ref.position);
  }
  SqlError error =
      ref.parts.size() > 1
          ? sql_error(sqlstate::kUndefinedColumn, "column {} does not exist", qualified_name(ref))
          : sql_error(sqlstate::kUndefinedColumn, "column \"{}\" does not exist", name.text);
  std::vector<std::string> names, shown;
  for (const Scope* s = &scope; s; s = s->outer ? s->outer->scope : nullptr) {
    for (const Relation& relation : s->relations) {
      if (ref.parts.size() > 1 && relation.alias != ref.parts[ref.parts.size() - 2].text) continue;
      for (const ScopeColumn& column : relation.columns) {
        names.push_back(column.name);
        shown.push_back(relation.alias.empty() ? column.name : relation.alias + "." + column.name);
      }
    }
  }
  std::string nearest = nearest_name(name.text, names);
  const bool meant_text = name.quoted && ref.parts.size() == 1 && !equal_ignoring_case(nearest, name.text);
  if (meant_text) {
    error.with_hint(
        fmt::format("Double quotes are for names. A text constant takes single quotes: '{}'.", name.text));
  } else if (!nearest.empty()) {
    for (size_t i = 0; i < names.size(); i++) {
      if (names[i] != nearest) continue;
      error.with_hint(fmt::format("Perhaps you meant to reference the column \"{}\".", shown[i]));
      break;
    }
  }
  throw error.with_position(ref.position);
}

std::vector<ScopeColumn> QueryBinder::expand_star(const ast::Star& star, ExpressionContext& context) {
  const Scope& scope = *context.scope;
  if (star.of) {
    if (const auto* call = ast::try_as<ast::FunctionCall>(star.of.get())) {
      if (const TableFunction* function = set_function(*call)) {
        return bind_set_function(*call, *function, context);
      }
    }
    const auto* ref = ast::try_as<ast::ColumnRef>(star.of.get());
    if (ref && !find_column(*ref, scope)) {
      // (t).*
      ast::Star columns;
      columns.position = star.position;
      columns.qualifier = ref->parts;
      return expand_star(columns, context);
    }
    BoundPtr record = bind(*star.of, context);
    if (record->type.id != TypeId::kRecord) {
      throw sql_error(sqlstate::kWrongObjectType, "type {} is not composite", format_type(record->type))
          .with_position(star.of->position);
    }
    return record_fields(*record, star.position);
  }
  if (star.qualifier.empty()) {
    if (scope.relations.empty()) {
      throw sql_error(sqlstate::kSyntaxError, "SELECT * with no tables specified is not valid")
          .with_position(star.position);
    }
    return scope.visible;
  }
  const ast::Identifier& qualifier = star.qualifier.back();
  std::string_view schema =
      star.qualifier.size() > 1 ? std::string_view(star.qualifier[star.qualifier.size() - 2].text) : "";
  size_t relation = scope.find_relation(qualifier.text, schema, qualifier.quoted);
  if (relation != SIZE_MAX) return scope.relations[relation].columns;
  // A star over a table of the query around, column by column.
  for (const Scope* s = &scope; s->outer; s = s->outer->scope) {
    const Scope& around = *s->outer->scope;
    size_t index = around.find_relation(qualifier.text, schema, qualifier.quoted);
    if (index == SIZE_MAX) continue;
    std::vector<ScopeColumn> columns;
    for (const ScopeColumn& column : around.relations[index].columns) {
      ast::ColumnRef ref;
      ref.position = star.position;
      ref.parts = star.qualifier;
      ref.parts.push_back({column.name, star.position, true});
      columns.push_back(*find_column(ref, scope));
    }
    return columns;
  }
  ast::ColumnRef missing;
  missing.position = star.position;
  missing.parts = star.qualifier;
  missing.parts.push_back({"*", star.position, true});
  throw_undefined_column(missing, scope, false);
}

}  // namespace idem::binding
