#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "query/binder.h"
#include "query/returning.h"
#include "query/session_state.h"

namespace idem {

// INSERT … ON CONFLICT: what becomes of a row whose upsert keys are stored. Immutable.
struct ConflictPlan {
  std::shared_ptr<const TableSchema> schema;
  bool do_update = false;
  // Of DO UPDATE, over the stored row's columns, then those of the row that was to be inserted (excluded).
  std::vector<uint32_t> targets;
  BoundAssignments assigned;
  BoundPtr where;           // null: none
  uint32_t slot_count = 0;  // that their evaluation needs
};

// Null if the statement has no such clause, or one that says nothing: DO NOTHING without keys on a table without keys.
// Throws 42P10 where the keys are not the table's upsert keys.
std::shared_ptr<const ConflictPlan> plan_conflict(std::shared_ptr<const TableSchema> schema,
                                                  const ast::InsertStatement& statement,
                                                  const NameResolver& names, ParameterTypes& parameters);

// Inserts, updates or leaves out each of the rows, all that the statement has; gives how many it inserted or updated.
// `returning` (may be null) takes those, in the order of `rows`. A tombstone is no row: what is inserted in its place goes
// by the merge policies. Throws 21000 where DO UPDATE meets a row twice.
uint64_t insert_with_conflicts(SessionState& session, const ConflictPlan& plan, ColumnBatch&& rows,
                               EvaluationState& state, Returning* returning);

}  // namespace idem
