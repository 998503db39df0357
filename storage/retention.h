#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/database_state.h"

namespace idem {

// What is given back although it could be read until now.
struct RetentionRequest {
  std::optional<std::set<uint32_t>> tables;  // only these; none: all
  std::optional<int64_t> retain_micros;      // instead of what the settings say
  bool gives_back_log = false;               // also the log that only old versions need
};

// "30 days", "12 hours", "7d": microseconds. Throws SqlError 22023.
int64_t parse_retention(std::string_view text);
// How long old versions of a table are kept: its option history_retention, or the database's.
int64_t history_retention_micros(const DatabaseState& db, const TableSchema& schema);

// Forgets versions that nothing asks for any more: superseded longer ago than the retention, and of no tag or
// change slot; the oldest beyond history_versions; versions that only a checkpoint kept are thinned to one an hour. Also dropped tables and tags
// whose time is over. Their files go when the next manifest does not name them. The caller holds
// checkpoint_mutex and takes its snapshot after everything logged by then is published, so that no record
// behind the manifest's position names a version that is gone.
void expire_history(DatabaseState& db, const RetentionRequest& request);

// Whether expire_history() would forget something now.
bool expiry_is_due(DatabaseState& db);

// What expire_history() would give back of each table.
struct VacuumPreview {
  std::string schema_name, table_name;
  uint64_t versions = 0, files = 0, bytes = 0;
};
std::vector<VacuumPreview> preview_vacuum(DatabaseState& db, const RetentionRequest& request);

// Starts of partitions that are wholly older than the newest timestamp less the table's TTL.
std::vector<int64_t> partitions_beyond_ttl(const TableVersion& version);

// Takes note of where the log ends now; then says from where on it is kept, when a manifest covers everything
// before `manifest_position`, and makes that the limit of what may be read.
uint64_t advance_log_retention(DatabaseState& db, uint64_t manifest_position, bool gives_back_log);

}  // namespace idem
