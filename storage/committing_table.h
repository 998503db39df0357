#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "storage/database_state.h"
#include "storage/log_record.h"
#include "storage/table_changes.h"
#include "storage/table_protection.h"

namespace idem {

// Where and when a commit's record stands.
struct RecordPlace {
  int64_t time_micros = 0;
  uint64_t log_begin = 0, log_end = 0;
};

// A table of a transaction at the moment of its commit, its latch held.
struct CommittingTable {
  uint32_t id = 0;
  TableChanges* changes = nullptr;    // null: dropped
  std::shared_ptr<TableState> state;  // null: created here
  std::unique_lock<std::mutex> latch;
  bool only_protected = false;         // nothing of it changes but its protection
  std::shared_ptr<TableVersion> next;  // null: nothing changed
  std::optional<PositionHistory::Step> step;

  // Applies the changes to the head, by which `next` comes to be, if anything changes.
  void build_next();
  // 42501 if the transaction may not change the table; 40001 if its protection is not what the transaction has seen, by table id.
  void check_protection(const std::map<uint32_t, TableProtection>& protected_from, int64_t now_micros) const;
  // What the record says of a table that has a `next`.
  LoggedTable logged() const;
  // Under the commit latch, before the head moves on.
  void record_history(const LoggedTable& logged, const std::string& user, const std::string& run_key,
                      const RecordPlace& place, TableHistory* history) const;
};

// The strings of symbol codes that a record of these changes must bring along: those that no record before did.
std::vector<LoggedSymbols> new_symbols(const TableSchema& schema,
                                       const std::vector<LoggedPartition>& partitions);

}  // namespace idem
