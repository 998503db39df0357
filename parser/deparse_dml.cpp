#include "parser/deparser.h"

namespace idem::parser {

using namespace ast;

bool Deparser::dml_statement(const Statement& s) {
  switch (s.kind) {
    case StatementKind::kQuery: query(*as<QueryStatement>(s).query); return true;
    case StatementKind::kInsert: insert(as<InsertStatement>(s)); return true;
    case StatementKind::kUpdate: update(as<UpdateStatement>(s)); return true;
    case StatementKind::kDelete: delete_from(as<DeleteStatement>(s)); return true;
    case StatementKind::kMerge: merge(as<MergeStatement>(s)); return true;
    case StatementKind::kCopy: copy(as<CopyStatement>(s)); return true;
    case StatementKind::kUnsupported:
      put(as<UnsupportedStatement>(s).what);
      if (!as<UnsupportedStatement>(s).text.empty()) put(" ");
      put(as<UnsupportedStatement>(s).text);
      return true;
    default: return false;
  }
}

void Deparser::insert(const InsertStatement& s) {
  if (s.with) {
    with(*s.with);
    put(" ");
  }
  const bool overwrites = s.overwrite != Overwrite::kNone && s.overwrite != Overwrite::kReplaceWhere;
  put(overwrites ? "INSERT OVERWRITE " : "INSERT INTO ");
  object(s.table);
  if (!s.alias.empty()) {
    put(" AS ");
    name(s.alias);
  }
  if (s.overwrite == Overwrite::kDynamic) put(" PARTITION DYNAMIC");
  if (s.overwrite == Overwrite::kPartitions) {
    put(" PARTITION (");
    literals(s.partitions);
    put(")");
  }
  if (!s.columns.empty()) {
    put(" ");
    names_in_parens(s.columns);
  }
  if (s.replace_where) {
    put(" REPLACE WHERE ");
    expression(*s.replace_where);
  }
  if (s.query) {
    put(" ");
    query(*s.query);
  } else {
    put(" DEFAULT VALUES");
  }
  if (s.on_conflict) {
    put(" ON CONFLICT ");
    if (!s.on_conflict->keys.empty()) {
      names_in_parens(s.on_conflict->keys);
      put(" ");
    }
    if (s.on_conflict->do_update) {
      put("DO UPDATE SET ");
      assignments(s.on_conflict->assignments);
      where(s.on_conflict->where, {});
    } else {
      put("DO NOTHING");
    }
  }
  returning(s.returning);
}

void Deparser::returning(const std::vector<SelectItem>& items) {
  if (items.empty()) return;
  put(" RETURNING ");
  select_items(items);
}

void Deparser::assignments(const std::vector<Assignment>& list_of_assignments) {
  list(list_of_assignments, [this](const Assignment& a) {
    if (a.columns.size() == 1 && a.value->kind != ExpressionKind::kRow) {
      if (!a.qualifier.empty()) {
        name(a.qualifier);
        put(".");
      }
      name(a.columns[0]);
    } else {
      names_in_parens(a.columns);
    }
    put(" = ");
    const bool wrap = a.columns.size() == 1 && a.value->kind == ExpressionKind::kRow;
    if (wrap) put("ROW(");
    expression(*a.value);
    if (wrap) put(")");
  });
}

void Deparser::where(const ExpressionPtr& condition, const Identifier& cursor) {
  if (condition) {
    put(" WHERE ");
    expression(*condition);
  } else if (!cursor.empty()) {
    put(" WHERE CURRENT OF ");
    name(cursor);
  }
}

void Deparser::update(const UpdateStatement& s) {
  if (s.with) {
    with(*s.with);
    put(" ");
  }
  put(s.only ? "UPDATE ONLY " : "UPDATE ");
  object(s.table);
  if (!s.alias.empty()) {
    put(" AS ");
    name(s.alias);
  }
  put(" SET ");
  assignments(s.assignments);
  if (!s.from.empty()) {
    put(" FROM ");
    tables(s.from);
  }
  where(s.where, s.current_of);
  returning(s.returning);
}

void Deparser::delete_from(const DeleteStatement& s) {
  if (s.with) {
    with(*s.with);
    put(" ");
  }
  put(s.only ? "DELETE FROM ONLY " : "DELETE FROM ");
  object(s.table);
  if (!s.alias.empty()) {
    put(" AS ");
    name(s.alias);
  }
  if (!s.using_tables.empty()) {
    put(" USING ");
    tables(s.using_tables);
  }
  where(s.where, s.current_of);
  returning(s.returning);
}

void Deparser::merge(const MergeStatement& s) {
  if (s.with) {
    with(*s.with);
    put(" ");
  }
  put("MERGE INTO ");
  object(s.table);
  if (!s.alias.empty()) {
    put(" AS ");
    name(s.alias);
  }
  put(" USING ");
  joined_operand(*s.source);
  put(" ON ");
  expression(*s.on);
  for (const MergeClause& clause : s.clauses) merge_clause(clause);
  returning(s.returning);
}

void Deparser::merge_clause(const MergeClause& c) {
  using Match = MergeClause::Match;
  put(c.match == Match::kMatched              ? " WHEN MATCHED"
      : c.match == Match::kNotMatchedByTarget ? " WHEN NOT MATCHED"
                                              : " WHEN NOT MATCHED BY SOURCE");
  if (c.condition) {
    put(" AND ");
    expression(*c.condition);
  }
  put(" THEN ");
  using Action = MergeClause::Action;
  switch (c.action) {
    case Action::kUpdate:
      put("UPDATE SET ");
      assignments(c.assignments);
      return;
    case Action::kUpdateAll: put("UPDATE SET *"); return;
    case Action::kDelete: put("DELETE"); return;
    case Action::kInsert:
      put("INSERT ");
      if (!c.columns.empty()) {
        names_in_parens(c.columns);
        put(" ");
      }
      if (c.values.empty()) {
        put("DEFAULT VALUES");
      } else {
        put("VALUES (");
        expressions(c.values);
        put(")");
      }
      return;
    case Action::kInsertAll: put("INSERT *"); return;
    case Action::kDoNothing: put("DO NOTHING"); return;
  }
}

void Deparser::copy(const CopyStatement& s) {
  put("COPY ");
  if (s.query) {
    put("(");
    query(*s.query);
    put(")");
  } else {
    object(s.table);
    if (!s.columns.empty()) {
      put(" ");
      names_in_parens(s.columns);
    }
  }
  put(s.from ? " FROM " : " TO ");
  switch (s.endpoint) {
    case CopyStatement::Endpoint::kStdin: put("STDIN"); break;
    case CopyStatement::Endpoint::kStdout: put("STDOUT"); break;
    case CopyStatement::Endpoint::kFile: literal(s.file); break;
  }
  if (!s.options.empty()) {
    put(" ");
    options(s.options, " ");
  }
  where(s.where, {});
}

}  // namespace idem::parser
