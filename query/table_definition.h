#pragma once

#include <string>

#include "parser/ast_ddl.h"
#include "query/session_state.h"
#include "storage/schema.h"

namespace idem {

// The clauses of CREATE and ALTER TABLE, turned into a TableSchema and checked.

ColumnSchema column_from_definition(const ast::ColumnDefinition& definition, const SessionState& session);
KeepPolicy keep_policy(ast::KeepPolicy policy);
PartitionUnit partition_unit(ast::PartitionUnit unit);
void check_column_names(const TableSchema& schema);                        // 42701
int column_index(const TableSchema& schema, const ast::Identifier& name);  // 42703
// TIMESTAMP(…), DEDUP, PRIMARY KEY, TTL, WITH.
void apply_table_clauses(const ast::CreateTableStatement& statement, TableSchema& schema);
void apply_partitioning(const ast::CreateTableStatement& statement,
                        TableSchema& schema);  // after LIKE's clauses
void apply_dedup(const ast::DedupClause& dedup, TableSchema& schema);
// What must hold of every table; `dedup_position` is for messages about its keys.
void check_table_definition(const TableSchema& schema, uint32_t dedup_position);
// KEEP on a table that has no upsert keys: 42P16. DEDUP DISABLE leaves policies for the next ENABLE.
void check_policies_have_keys(const TableSchema& schema);

// CREATE TABLE … as SHOW CREATE TABLE prints it: run on an empty database it makes the same table.
std::string create_table_text(const TableSchema& schema);
std::string_view keep_policy_name(KeepPolicy policy);  // "LAST"

}  // namespace idem
