#include "parser/deparse.h"
#include "parser/deparser.h"
#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

void Deparser::query(const Query& q) {
  if (q.with) {
    with(*q.with);
    put(" ");
  }
  switch (q.kind) {
    case QueryKind::kSelect: select(*q.select); break;
    case QueryKind::kValues: values(q.values); break;
    case QueryKind::kSetOperation: set_operation(q); break;
  }
  query_tail(q);
}

void Deparser::with(const With& w) {
  put(w.recursive ? "WITH RECURSIVE " : "WITH ");
  list(w.tables, [this](const CommonTableExpression& table_expression) {
    name(table_expression.name);
    if (!table_expression.columns.empty()) names_in_parens(table_expression.columns);
    using Materialized = CommonTableExpression::Materialized;
    put(table_expression.materialized == Materialized::kAlways  ? " AS MATERIALIZED ("
        : table_expression.materialized == Materialized::kNever ? " AS NOT MATERIALIZED ("
                                                                : " AS (");
    query(*table_expression.query);
    put(")");
  });
}

void Deparser::values(const std::vector<ExpressionList>& rows) {
  put("VALUES ");
  list(rows, [this](const ExpressionList& row) {
    put("(");
    expressions(row);
    put(")");
  });
}

void Deparser::set_operation(const Query& q) {
  for (size_t i = 0; i < q.operands.size(); ++i) {
    if (i > 0) {
      put(q.set_operator == SetOperator::kUnion       ? " UNION "
          : q.set_operator == SetOperator::kIntersect ? " INTERSECT "
                                                      : " EXCEPT ");
      if (q.set_all) put("ALL ");
    }
    const Query& o = *q.operands[i];
    const bool plain = o.kind != QueryKind::kSetOperation && !o.with && o.order_by.empty() &&
                       o.limit.empty() && o.locking.empty();
    if (!plain) put("(");
    query(o);
    if (!plain) put(")");
  }
}

void Deparser::select_items(const std::vector<SelectItem>& items) {
  list(items, [this](const SelectItem& item) {
    expression(*item.expression);
    if (item.alias.empty()) return;
    put(" AS ");
    name(item.alias);
  });
}

void Deparser::select(const Select& s) {
  put("SELECT");
  if (s.distinct == Select::Distinct::kDistinct) put(" DISTINCT");
  if (s.distinct == Select::Distinct::kOn) {
    put(" DISTINCT ON (");
    expressions(s.distinct_on);
    put(")");
  }
  if (!s.items.empty()) {
    put(" ");
    select_items(s.items);
  }
  if (!s.from.empty()) {
    put(" FROM ");
    tables(s.from);
  }
  if (s.latest_on && s.latest_on->before_where) latest_on(*s.latest_on);
  if (s.where) {
    put(" WHERE ");
    expression(*s.where);
  }
  if (s.latest_on && !s.latest_on->before_where) latest_on(*s.latest_on);
  if (s.sample_by) sample_by(*s.sample_by);
  if (!s.group_by.empty()) {
    put(s.group_by_distinct ? " GROUP BY DISTINCT " : " GROUP BY ");
    group_items(s.group_by);
  }
  if (s.having) {
    put(" HAVING ");
    expression(*s.having);
  }
  if (!s.windows.empty()) {
    put(" WINDOW ");
    list(s.windows, [this](const NamedWindow& w) {
      name(w.name);
      put(" AS ");
      window(w.spec);
    });
  }
}

void Deparser::group_items(const std::vector<GroupItem>& items) {
  list(items, [this](const GroupItem& item) {
    switch (item.kind) {
      case GroupItem::Kind::kExpression: expression(*item.expression); return;
      case GroupItem::Kind::kEmpty: put("()"); return;
      case GroupItem::Kind::kRollup: put("ROLLUP ("); break;
      case GroupItem::Kind::kCube: put("CUBE ("); break;
      case GroupItem::Kind::kGroupingSets: put("GROUPING SETS ("); break;
    }
    group_items(item.members);
    put(")");
  });
}

void Deparser::time_span(const TimeSpan& span) {
  put(std::to_string(span.count));
  out_.push_back(span.unit);
}

void Deparser::sample_by(const SampleBy& s) {
  put(" SAMPLE BY ");
  time_span(s.span);
  if (s.from) {
    put(" FROM ");
    expression(*s.from);
  }
  if (s.to) {
    put(" TO ");
    expression(*s.to);
  }
  if (!s.fill.empty()) {
    put(" FILL(");
    list(s.fill, [this](const SampleBy::Fill& fill) {
      using Kind = SampleBy::FillKind;
      switch (fill.kind) {
        case Kind::kNone: put("NONE"); break;
        case Kind::kNull: put("NULL"); break;
        case Kind::kPrev: put("PREV"); break;
        case Kind::kLinear: put("LINEAR"); break;
        case Kind::kValue: expression(*fill.value); break;
      }
    });
    put(")");
  }
  if (s.align == SampleBy::Align::kFirstObservation) put(" ALIGN TO FIRST OBSERVATION");
  if (s.align == SampleBy::Align::kCalendar) {
    put(" ALIGN TO CALENDAR");
    if (s.time_zone) {
      put(" TIME ZONE ");
      expression(*s.time_zone);
    }
    if (s.offset) {
      put(" WITH OFFSET ");
      expression(*s.offset);
    }
  }
}

void Deparser::latest_on(const LatestOn& l) {
  put(" LATEST ON ");
  expression(*l.timestamp);
  put(" PARTITION BY ");
  expressions(l.partition_by);
}

void Deparser::query_tail(const Query& q) {
  if (!q.order_by.empty()) {
    put(" ORDER BY ");
    order_items(q.order_by);
  }
  if (q.limit.count && q.limit.with_ties) {
    put(" FETCH FIRST ");
    operand(*q.limit.count, precedence::kSign);
    put(" ROWS WITH TIES");
  } else if (q.limit.count) {
    put(" LIMIT ");
    if (q.limit.range_start) {
      expression(*q.limit.range_start);
      put(", ");
    }
    expression(*q.limit.count);
  }
  if (q.limit.offset) {
    put(" OFFSET ");
    expression(*q.limit.offset);
  }
  for (const LockingClause& locking : q.locking) {
    using Strength = LockingClause::Strength;
    switch (locking.strength) {
      case Strength::kUpdate: put(" FOR UPDATE"); break;
      case Strength::kNoKeyUpdate: put(" FOR NO KEY UPDATE"); break;
      case Strength::kShare: put(" FOR SHARE"); break;
      case Strength::kKeyShare: put(" FOR KEY SHARE"); break;
    }
    if (!locking.tables.empty()) {
      put(" OF ");
      objects(locking.tables);
    }
    if (locking.nowait) put(" NOWAIT");
    if (locking.skip_locked) put(" SKIP LOCKED");
  }
}

// ---- FROM

void Deparser::tables(const std::vector<TableRefPtr>& list_of_tables) {
  list(list_of_tables, [this](const TableRefPtr& t) { table(*t); });
}

void Deparser::table(const TableRef& t) {
  switch (t.kind) {
    case TableRefKind::kTable: return named_table(as<NamedTable>(t));
    case TableRefKind::kFunction: return table_function(as<TableFunction>(t));
    case TableRefKind::kSubquery:
      put(as<DerivedTable>(t).lateral ? "LATERAL (" : "(");
      query(*as<DerivedTable>(t).query);
      put(")");
      return alias(t);
    case TableRefKind::kJoin:
      if (t.alias.empty()) return join(as<Join>(t));
      put("(");
      join(as<Join>(t));
      put(")");
      return alias(t);
  }
}

void Deparser::alias(const TableRef& t) {
  if (t.alias.empty()) return;
  put(" AS ");
  name(t.alias);
  if (!t.column_aliases.empty()) names_in_parens(t.column_aliases);
}

void Deparser::version(const VersionClause& v) {
  put(v.kind == VersionClause::Kind::kVersion     ? " VERSION AS OF "
      : v.kind == VersionClause::Kind::kTimestamp ? " TIMESTAMP AS OF "
                                                  : " AT TAG ");
  operand(*v.value, precedence::kOther);
}

void Deparser::named_table(const NamedTable& t) {
  if (t.only) put("ONLY ");
  object(t.name);
  if (t.version) version(*t.version);
  alias(t);
  if (!t.sample) return;
  put(" TABLESAMPLE ");
  word(t.sample->method);
  put("(");
  expressions(t.sample->arguments);
  put(")");
  if (t.sample->repeatable) {
    put(" REPEATABLE (");
    expression(*t.sample->repeatable);
    put(")");
  }
}

void Deparser::table_function(const TableFunction& t) {
  if (t.lateral) put("LATERAL ");
  if (t.rows_from) put("ROWS FROM (");
  list(t.calls, [this](const std::unique_ptr<FunctionCall>& call) { expression(*call); });
  if (t.rows_from) put(")");
  if (t.with_ordinality) put(" WITH ORDINALITY");
  if (t.column_definitions.empty()) return alias(t);
  put(" AS ");
  if (!t.alias.empty()) name(t.alias);
  put("(");
  list(t.column_definitions, [this](const ColumnTypePair& c) {
    name(c.name);
    put(" ");
    type(c.type);
  });
  put(")");
}

void Deparser::joined_operand(const TableRef& t) {
  const bool parens = t.kind == TableRefKind::kJoin && t.alias.empty();
  if (parens) put("(");
  table(t);
  if (parens) put(")");
}

void Deparser::join(const Join& j) {
  if (j.left->kind == TableRefKind::kJoin) {
    table(*j.left);
  } else {
    joined_operand(*j.left);
  }
  put(j.natural ? " NATURAL" : "");
  switch (j.join) {
    case JoinKind::kInner: put(" JOIN "); break;
    case JoinKind::kLeft: put(" LEFT JOIN "); break;
    case JoinKind::kRight: put(" RIGHT JOIN "); break;
    case JoinKind::kFull: put(" FULL JOIN "); break;
    case JoinKind::kCross: put(" CROSS JOIN "); break;
    case JoinKind::kAsof: put(" ASOF JOIN "); break;
    case JoinKind::kLt: put(" LT JOIN "); break;
    case JoinKind::kSplice: put(" SPLICE JOIN "); break;
    case JoinKind::kWindow: put(" WINDOW JOIN "); break;
  }
  joined_operand(*j.right);
  if (j.on) {
    put(" ON ");
    expression(*j.on);
  } else if (!j.using_columns.empty()) {
    put(" USING ");
    names_in_parens(j.using_columns);
    if (!j.using_alias.empty()) {
      put(" AS ");
      name(j.using_alias);
    }
  }
  if (j.tolerance) {
    put(" TOLERANCE ");
    time_span(*j.tolerance);
  }
  if (j.has_window_range) {
    put(" RANGE BETWEEN ");
    window_join_bound(j.window_start);
    put(" AND ");
    window_join_bound(j.window_end);
    if (!j.include_prevailing) put(" EXCLUDE PREVAILING");
  }
}

void Deparser::window_join_bound(const WindowJoinBound& bound) {
  using Kind = FrameBound::Kind;
  switch (bound.kind) {
    case Kind::kUnboundedPreceding: put("UNBOUNDED PRECEDING"); return;
    case Kind::kUnboundedFollowing: put("UNBOUNDED FOLLOWING"); return;
    case Kind::kCurrentRow: put("CURRENT ROW"); return;
    case Kind::kPreceding:
    case Kind::kFollowing:
      time_span(*bound.span);
      put(bound.kind == Kind::kPreceding ? " PRECEDING" : " FOLLOWING");
      return;
  }
}

}  // namespace idem::parser
