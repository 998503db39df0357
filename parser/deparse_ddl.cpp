#include "parser/deparser.h"
#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

namespace {

std::string_view partition_unit(PartitionUnit unit) {
  switch (unit) {
    case PartitionUnit::kNone: return "NONE";
    case PartitionUnit::kHour: return "HOUR";
    case PartitionUnit::kDay: return "DAY";
    case PartitionUnit::kWeek: return "WEEK";
    case PartitionUnit::kMonth: return "MONTH";
    case PartitionUnit::kYear: return "YEAR";
  }
  return {};
}

std::string_view keep_policy(KeepPolicy policy) {
  switch (policy) {
    case KeepPolicy::kLast: return "LAST";
    case KeepPolicy::kFirst: return "FIRST";
    case KeepPolicy::kMin: return "MIN";
    case KeepPolicy::kMax: return "MAX";
    case KeepPolicy::kNonNull: return "NON NULL";
  }
  return {};
}

}  // namespace

bool Deparser::ddl_statement(const Statement& s) {
  switch (s.kind) {
    case StatementKind::kCreateTable: create_table(as<CreateTableStatement>(s)); return true;
    case StatementKind::kCreateView: create_view(as<CreateViewStatement>(s)); return true;
    case StatementKind::kCreateMaterializedView:
      create_materialized_view(as<CreateMaterializedViewStatement>(s));
      return true;
    case StatementKind::kAlterTable: alter_table(as<AlterTableStatement>(s)); return true;
    default: return false;
  }
}

void Deparser::create_table(const CreateTableStatement& s) {
  put(s.or_replace ? "CREATE OR REPLACE " : "CREATE ");
  if (s.temporary) put("TEMPORARY ");
  if (s.unlogged) put("UNLOGGED ");
  put(s.if_not_exists ? "TABLE IF NOT EXISTS " : "TABLE ");
  object(s.name);
  if (!s.column_names.empty()) {
    put(" ");
    names_in_parens(s.column_names);
  } else if (!s.query) {
    put(" (");
    const char* separator = "";
    size_t next_like = 0;
    for (size_t i = 0; i <= s.columns.size(); ++i) {
      for (; next_like < s.likes.size() && s.likes[next_like].columns_before <= i; ++next_like) {
        put(separator);
        put("LIKE ");
        object(s.likes[next_like].table);
        if (s.likes[next_like].including_all) put(" INCLUDING ALL");
        separator = ", ";
      }
      if (i == s.columns.size()) break;
      put(separator);
      column(s.columns[i]);
      separator = ", ";
    }
    const bool in_column = std::any_of(s.columns.begin(), s.columns.end(),
                                       [](const ColumnDefinition& c) { return c.primary_key; });
    if (!s.primary_key.empty() && !in_column) {
      put(separator);
      put("PRIMARY KEY ");
      names_in_parens(s.primary_key);
    }
    put(")");
  }
  if (!s.timestamp.empty()) {
    put(" TIMESTAMP(");
    name(s.timestamp);
    put(")");
  }
  if (s.partition_by) {
    put(" PARTITION BY ");
    put(partition_unit(*s.partition_by));
  }
  if (s.wal) put(" WAL");
  if (s.dedup) {
    put(" DEDUP ");
    dedup(*s.dedup);
  }
  if (s.ttl) {
    put(" TTL ");
    ttl(*s.ttl);
  }
  if (s.on_commit) {
    put(*s.on_commit == OnCommit::kDrop         ? " ON COMMIT DROP"
        : *s.on_commit == OnCommit::kDeleteRows ? " ON COMMIT DELETE ROWS"
                                                : " ON COMMIT PRESERVE ROWS");
  }
  if (!s.options.empty()) {
    put(" WITH ");
    options(s.options);
  }
  if (s.query) {
    put(" AS ");
    query(*s.query);
    if (s.with_no_data) put(" WITH NO DATA");
  }
}

void Deparser::column(const ColumnDefinition& c) {
  name(c.name);
  put(" ");
  type(c.type);
  if (c.symbol_capacity) put(" CAPACITY " + std::to_string(*c.symbol_capacity));
  if (c.symbol_cache) put(*c.symbol_cache ? " CACHE" : " NOCACHE");
  if (c.index) put(" INDEX");
  if (!c.collation.empty()) {
    put(" COLLATE ");
    dotted(c.collation);
  }
  if (c.not_null) put(" NOT NULL");
  if (c.primary_key) put(" PRIMARY KEY");
  if (c.default_value) {
    put(" DEFAULT ");
    operand(*c.default_value, precedence::kComparison);
  }
  if (c.keep) {
    put(" KEEP ");
    put(keep_policy(*c.keep));
  }
}

void Deparser::dedup(const DedupClause& d) {
  put("UPSERT KEYS");
  names_in_parens(d.keys);
  if (!d.version_by.empty()) {
    put(" VERSION BY ");
    name(d.version_by);
  }
  if (!d.deleted_when.empty()) {
    put(" DELETED WHEN ");
    name(d.deleted_when);
  }
}

void Deparser::ttl(const TtlClause& t) {
  put(std::to_string(t.count));
  put(" ");
  put(t.unit);
}

void Deparser::create_view(const CreateViewStatement& s) {
  put(s.or_replace ? "CREATE OR REPLACE " : "CREATE ");
  if (s.temporary) put("TEMPORARY ");
  put(s.if_not_exists ? "VIEW IF NOT EXISTS " : "VIEW ");
  object(s.name);
  if (!s.columns.empty()) {
    put(" ");
    names_in_parens(s.columns);
  }
  if (!s.options.empty()) {
    put(" WITH ");
    options(s.options);
  }
  put(" AS ");
  query(*s.query);
}

void Deparser::create_materialized_view(const CreateMaterializedViewStatement& s) {
  put(s.if_not_exists ? "CREATE MATERIALIZED VIEW IF NOT EXISTS " : "CREATE MATERIALIZED VIEW ");
  object(s.name);
  if (!s.columns.empty()) {
    put(" ");
    names_in_parens(s.columns);
  }
  refresh_clause(s.refresh);
  if (!s.options.empty()) {
    put(" WITH ");
    options(s.options);
  }
  put(" AS ");
  query(*s.query);
  if (s.partition_by) {
    put(" PARTITION BY ");
    put(partition_unit(*s.partition_by));
  }
  if (s.ttl) {
    put(" TTL ");
    ttl(*s.ttl);
  }
  if (s.with_no_data) put(" WITH NO DATA");
}

void Deparser::refresh_clause(const RefreshClause& r) {
  switch (r.mode) {
    case RefreshClause::Mode::kDefault: return;
    case RefreshClause::Mode::kImmediate: return put(" REFRESH IMMEDIATE");
    case RefreshClause::Mode::kManual: return put(" REFRESH MANUAL");
    case RefreshClause::Mode::kEvery: put(" REFRESH EVERY "); return time_span(r.every);
  }
}

// ---- ALTER TABLE

void Deparser::alter_table(const AlterTableStatement& s) {
  put(s.object == ObjectKind::kTable  ? "ALTER TABLE "
      : s.object == ObjectKind::kView ? "ALTER VIEW "
                                      : "ALTER MATERIALIZED VIEW ");
  if (s.if_exists) put("IF EXISTS ");
  object(s.table);
  put(" ");
  list(s.actions, [this](const AlterAction& a) { alter_action(a); });
}

void Deparser::partitions(const AlterAction& a) {
  if (a.expression) {
    put("WHERE ");
    expression(*a.expression);
  } else {
    put("LIST ");
    literals(a.partitions);
  }
}

void Deparser::alter_action(const AlterAction& a) {
  using Kind = AlterAction::Kind;
  const auto alter_column = [&](std::string_view what) {
    put("ALTER COLUMN ");
    name(a.name);
    put(what);
  };
  switch (a.kind) {
    case Kind::kAddColumn:
      put(a.if_not_exists ? "ADD COLUMN IF NOT EXISTS " : "ADD COLUMN ");
      return column(a.column);
    case Kind::kDropColumn:
      put(a.if_exists ? "DROP COLUMN IF EXISTS " : "DROP COLUMN ");
      name(a.name);
      if (a.cascade) put(" CASCADE");
      return;
    case Kind::kRenameColumn:
      put("RENAME COLUMN ");
      name(a.name);
      put(" TO ");
      return name(a.new_name);
    case Kind::kRename: put("RENAME TO "); return name(a.new_name);
    case Kind::kSetSchema: put("SET SCHEMA "); return name(a.new_name);
    case Kind::kOwnerTo: put("OWNER TO "); return role(a.role);
    case Kind::kAlterType: {
      alter_column(" TYPE ");
      type(a.column.type);
      if (a.column.symbol_capacity) put(" CAPACITY " + std::to_string(*a.column.symbol_capacity));
      if (a.column.symbol_cache) put(*a.column.symbol_cache ? " CACHE" : " NOCACHE");
      if (a.column.index) put(" INDEX");
      if (!a.column.collation.empty()) {
        put(" COLLATE ");
        dotted(a.column.collation);
      }
      if (a.expression) {
        put(" USING ");
        expression(*a.expression);
      }
      return;
    }
    case Kind::kSetDefault: alter_column(" SET DEFAULT "); return expression(*a.expression);
    case Kind::kDropDefault: return alter_column(" DROP DEFAULT");
    case Kind::kSetNotNull: return alter_column(" SET NOT NULL");
    case Kind::kDropNotNull: return alter_column(" DROP NOT NULL");
    case Kind::kSetOptions: put("SET "); return options(a.options);
    case Kind::kResetOptions: put("RESET "); return options(a.options);
    case Kind::kSetTtl: put("SET TTL "); return ttl(*a.ttl);
    case Kind::kSetRefresh: put("SET"); return refresh_clause(a.refresh);
    case Kind::kDedupEnable: put("DEDUP ENABLE "); return dedup(a.dedup);
    case Kind::kDedupDisable: put("DEDUP DISABLE"); return;
    case Kind::kAddPrimaryKey: put("ADD PRIMARY KEY "); return names_in_parens(a.columns);
    case Kind::kDropPartition: put("DROP PARTITION "); return partitions(a);
    case Kind::kFreezePartition: put("FREEZE PARTITION "); return partitions(a);
    case Kind::kDetachPartition:
      put("DETACH PARTITION ");
      literal(a.partitions[0]);
      put(" INTO ");
      return object(a.table);
    case Kind::kAttachPartition:
      put("ATTACH PARTITION ");
      literal(a.partitions[0]);
      put(" FROM ");
      object(a.table);
      if (a.replace) put(" REPLACE");
      return;
    case Kind::kCreateTag:
      put(a.if_not_exists ? "CREATE TAG IF NOT EXISTS " : "CREATE TAG ");
      literal(a.tag);
      if (a.version) put(" AS OF VERSION " + std::to_string(*a.version));
      if (a.retain) {
        put(" RETAIN ");
        ttl(*a.retain);
      }
      return;
    case Kind::kDropTag: put(a.if_exists ? "DROP TAG IF EXISTS " : "DROP TAG "); return literal(a.tag);
  }
}

}  // namespace idem::parser
