#include "query/binder_scope.h"

#include <algorithm>

#include "common/ascii.h"

namespace idem::binding {

namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); j++) row[j] = j;
  for (size_t i = 1; i <= a.size(); i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); j++) {
      size_t substitution = diagonal + (to_lower(a[i - 1]) != to_lower(b[j - 1]));
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
    }
  }
  return row[b.size()];
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

bool name_matches(std::string_view stored, const ast::Identifier& name) {
  return stored == name.text || (!name.quoted && equal_ignoring_case(stored, name.text));
}

size_t Scope::find_relation(std::string_view alias, std::string_view schema, bool quoted) const {
  const auto fits = [&](const Relation& r, bool exact) {
    if (!schema.empty() && r.schema != schema) return false;
    return !r.alias.empty() && (exact ? r.alias == alias : equal_ignoring_case(r.alias, alias));
  };
  for (size_t i = 0; i < relations.size(); i++) {
    if (fits(relations[i], true)) return i;
  }
  for (size_t i = 0; i < relations.size() && !quoted; i++) {
    if (fits(relations[i], false)) return i;
  }
  return SIZE_MAX;
}

std::vector<size_t> find_columns(const std::vector<ScopeColumn>& columns, const ast::Identifier& name) {
  std::vector<size_t> found;
  for (size_t i = 0; i < columns.size(); i++) {
    if (columns[i].name == name.text) found.push_back(i);
  }
  if (!found.empty() || name.quoted) return found;
  for (size_t i = 0; i < columns.size(); i++) {
    if (equal_ignoring_case(columns[i].name, name.text)) found.push_back(i);
  }
  return found;
}

ScopeColumn plain_column(std::string name, SqlType type, uint32_t index, RecordShapePtr shape) {
  ScopeColumn column;
  column.name = std::move(name);
  column.type = type;
  BoundPtr reference = BoundExpression::column(index, type);
  reference->shape = std::move(shape);
  column.expression = std::move(reference);
  return column;
}

void shift_columns(std::vector<ScopeColumn>& columns, uint32_t by) {
  for (ScopeColumn& column : columns) {
    BoundPtr moved = column.expression->clone();
    remap_columns(*moved, [by](uint32_t i) { return i + by; });
    column.expression = std::move(moved);
  }
}

void shift_scope(Scope& scope, uint32_t by) {
  if (by == 0) return;
  for (Relation& relation : scope.relations) shift_columns(relation.columns, by);
  shift_columns(scope.visible, by);
  if (scope.timestamp) {
    std::vector<ScopeColumn> one{*scope.timestamp};
    shift_columns(one, by);
    scope.timestamp = std::move(one[0]);
  }
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  constexpr size_t kMaxEdits = 3;
  size_t best = std::min(kMaxEdits, name.size() / 2) + 1;
  std::string nearest;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > name.size() + kMaxEdits || name.size() > candidate.size() + kMaxEdits) continue;
    size_t distance = edit_distance(name, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace idem::binding
