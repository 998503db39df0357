#include "storage/retention.h"

#include <algorithm>
#include <charconv>

#include "common/calendar.h"
#include "common/error.h"
#include "common/timestamp_arithmetic.h"
#include "storage/manifest_writer.h"

namespace idem {

namespace {

constexpr int64_t kHour = int64_t{3'600} * 1'000'000, kDay = 24 * kHour;
constexpr int64_t kLongestRetention = 10'000 * 365 * kDay;

struct TtlUnit {
  std::string_view name;
  int64_t micros;  // at most
  int32_t months;  // 0: it is `micros` long
};
constexpr TtlUnit kTtlUnits[] = {{"HOURS", kHour, 0},
                                 {"DAYS", kDay, 0},
                                 {"WEEKS", 7 * kDay, 0},
                                 {"MONTHS", 31 * kDay, 1},
                                 {"YEARS", 366 * kDay, 12}};

const TtlUnit* ttl_unit(const TableSchema& schema) {
  const auto unit = std::find_if(std::begin(kTtlUnits), std::end(kTtlUnits),
                                 [&](const TtlUnit& known) { return known.name == schema.ttl_unit; });
  return unit == std::end(kTtlUnits) ? nullptr : unit;
}

// Versions of one table that something other than time holds.
struct Pins {
  std::set<VersionNumber> tagged;     // by a tag or a run
  std::optional<VersionNumber> slot;  // the oldest: what comes after it has not been read
  std::set<VersionNumber> refreshed;  // what materialized views were refreshed from
};

int64_t run_retention_micros(const DatabaseState& db) {
  return db.options.run_retention_micros.value_or(db.options.history_retention_micros);
}

// How long what runs need is kept this time.
int64_t kept_for_runs(const DatabaseState& db, const RetentionRequest& request) {
  return std::min(run_retention_micros(db), request.retain_micros.value_or(INT64_MAX));
}

// By table, in one pass over the catalog. Of runs those that were committed after a time count.
std::unordered_map<uint32_t, Pins> pins_by_table(const Catalog& catalog, int64_t runs_after, int64_t now) {
  std::unordered_map<uint32_t, Pins> all;
  const auto of = [&](TableId table) -> Pins& { return all[static_cast<uint32_t>(table)]; };
  for (const auto& [key, run] : catalog.runs) {
    if (run->last_time_micros <= runs_after) continue;
    for (const RunTable& table : run->tables) {
      if (table.effect != RunTable::Effect::kCreated) of(table.table).tagged.insert(table.before);
    }
  }
  for (const auto& [key, tag] : catalog.tags) {
    if (tag.expires_micros == 0 || tag.expires_micros > now) of(tag.table).tagged.insert(tag.version);
  }
  for (const auto& [name, slot] : catalog.slots) {
    Pins& pins = of(slot.table);
    pins.slot = pins.slot ? std::min(*pins.slot, slot.version) : slot.version;
  }
  for (const auto& [id, view] : catalog.materialized_views) {
    for (const MaterializedViewSource& source : view->sources) {
      if (source.version) of(source.table).refreshed.insert(*source.version);
    }
  }
  return all;
}

struct ExpiryLimits {
  int64_t retention = 0, slot_retention = 0, thin_after = 0;
  uint64_t log_from = 0;         // where the log begins that versions are to be rebuilt from
  VersionNumber first_within{};  // of the newest that are kept at most
};

TableHistory::Expired expiry_rule(Pins pins, int64_t now, const ExpiryLimits& limits) {
  return [pins = std::move(pins), now, limits](const KeptVersion& kept, int64_t superseded,
                                               const KeptVersion& next) {
    if (pins.tagged.contains(kept.number())) return false;
    // The state at the slot's version, and all that followed.
    if (pins.slot && next.number() > *pins.slot && superseded > now - limits.slot_retention) return false;
    if (pins.refreshed.contains(kept.number()) && superseded > now - limits.slot_retention) return false;
    // Versions after it are rebuilt from it, not from what comes before its record.
    if (kept.has(KeepReason::kLoad) && kept.log_position > limits.log_from) return false;
    if (superseded <= now - limits.retention || kept.number() < limits.first_within) return true;
    const uint8_t reasons = kept.reasons & static_cast<uint8_t>(~static_cast<uint8_t>(KeepReason::kTag));
    if (reasons == 0) return true;
    const bool is_thinned = (reasons & ~(KeepReason::kCheckpoint | KeepReason::kLoad)) == 0;
    return is_thinned && kept.time_micros < now - limits.thin_after &&
           kept.time_micros / kHour == next.time_micros / kHour;
  };
}

// One table while histories are gone through.
struct Candidate {
  uint32_t id = 0;
  std::shared_ptr<TableHistory> history;
  std::shared_ptr<const TableSchema> schema;
  int64_t retention = 0;
  std::optional<int64_t> dropped_micros;
  TableHistory::Expired rule;
};

std::vector<Candidate> candidates(DatabaseState& db, const Catalog& catalog, const RetentionRequest& request,
                                  int64_t now) {
  const auto snapshot = db.published_snapshot();
  auto pins = pins_by_table(catalog, now - kept_for_runs(db, request), now);
  std::vector<Candidate> result;
  for (auto& [id, history] : db.all_histories()) {
    if (request.tables && !request.tables->contains(id)) continue;
    Candidate candidate;
    candidate.id = id;
    candidate.history = history;
    if (const auto version = snapshot->table(static_cast<TableId>(id))) {
      candidate.schema = version->schema;
    } else if (const auto last = history->kept_before(VersionNumber{UINT64_MAX})) {
      candidate.schema = last->version->schema;
    } else {
      continue;
    }
    candidate.retention = request.retain_micros.value_or(history_retention_micros(db, *candidate.schema));
    const auto dropped = catalog.dropped.find(id);
    if (dropped != catalog.dropped.end()) candidate.dropped_micros = dropped->second.time_micros;
    ExpiryLimits limits;
    limits.retention = candidate.retention;
    limits.slot_retention = db.options.change_slot_retention_micros;
    limits.thin_after = std::max(kHour, db.options.log_retention_micros);
    limits.log_from = request.retain_micros ? UINT64_MAX : db.log_kept_from.load();
    limits.first_within = history->first_of_last(db.options.history_versions);
    candidate.rule = expiry_rule(std::move(pins[id]), now, limits);
    result.push_back(std::move(candidate));
  }
  return result;
}

bool is_over(const Candidate& candidate, int64_t now) {
  return candidate.dropped_micros && *candidate.dropped_micros <= now - candidate.retention;
}

// Without dropped tables, tags and runs whose time is over; null if there are none.
std::shared_ptr<Catalog> without_expired(const Catalog& catalog, const std::set<uint32_t>& over, int64_t now,
                                         int64_t runs_before) {
  std::vector<std::string> runs;
  for (const auto& [key, run] : catalog.runs) {
    if (run->last_time_micros <= runs_before) runs.push_back(key);
  }
  std::vector<std::pair<uint32_t, std::string>> tags;
  for (const auto& [key, tag] : catalog.tags) {
    const bool expired = tag.expires_micros != 0 && tag.expires_micros <= now;
    if (expired || over.contains(key.first)) tags.push_back(key);
  }
  if (tags.empty() && over.empty() && runs.empty()) return nullptr;
  auto next = std::make_shared<Catalog>(catalog);
  for (const std::string& key : runs) next->runs.erase(key);
  for (const auto& key : tags) next->tags.erase(key);
  for (const uint32_t id : over) next->dropped.erase(id);
  return next;
}

}  // namespace

int64_t parse_retention(std::string_view text) {
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  std::string unit;
  for (const char* c = end; c != text.data() + text.size(); ++c) {
    if (*c != ' ') unit += static_cast<char>(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
  }
  if (unit.size() > 1 && unit.back() == 's') unit.pop_back();
  static constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"s", kHour / 3600}, {"second", kHour / 3600}, {"m", kHour / 60},    {"minute", kHour / 60},
      {"h", kHour},        {"hour", kHour},          {"d", 24 * kHour},    {"day", 24 * kHour},
      {"w", 168 * kHour},  {"week", 168 * kHour},    {"y", 8'760 * kHour}, {"year", 8'760 * kHour}};
  if (error == std::errc() && count >= 0) {
    for (const auto& [name, micros] : kUnits) {
      if (name == unit && count <= kLongestRetention / micros) return count * micros;
    }
  }
  throw sql_error(sqlstate::kInvalidParameterValue, "invalid retention: \"{}\"", text)
      .with_hint("Write a number and a unit, at most 10000 years: '12 hours', '30 days', '4 weeks'.");
}

int64_t history_retention_micros(const DatabaseState& db, const TableSchema& schema) {
  for (const auto& [name, value] : schema.options) {
    if (name == "history_retention") return parse_retention(value);
  }
  return db.options.history_retention_micros;
}

void expire_history(DatabaseState& db, const RetentionRequest& request) {
  const int64_t now = db.clock.now_micros();
  std::vector<KeptVersion> gone;  // freed after the latches
  std::vector<std::shared_ptr<TableHistory>> forgotten;
  std::set<uint32_t> over;  // dropped tables
  CommitNumber logged{};
  {
    std::lock_guard catalog_lock(db.catalog_latch);
    std::lock_guard order(db.commit_latch);
    for (Candidate& candidate : candidates(db, *db.catalog_head, request, now)) {
      if (is_over(candidate, now)) {
        over.insert(candidate.id);
        forgotten.push_back(std::move(candidate.history));
        continue;
      }
      // By its lines a run that is executed again sees what others committed since.
      const int64_t lines = std::max(candidate.retention, kept_for_runs(db, request));
      for (KeptVersion& kept : candidate.history->expire(candidate.rule, now - lines))
        gone.push_back(std::move(kept));
    }
    if (auto catalog = without_expired(*db.catalog_head, over, now, now - run_retention_micros(db))) {
      db.catalog_head = catalog;
      PendingCommit pending;
      pending.commit = db.last_commit;
      pending.logged = db.last_logged;
      pending.time_micros = db.last_commit_time;
      pending.log_end = db.log_end;
      pending.catalog = std::move(catalog);
      db.enqueue(std::move(pending));
    }
    logged = db.last_logged;
  }
  db.wait_visible(logged);
  // As long as the catalog that all see has them, they can be undropped.
  for (const uint32_t id : over) db.remove_history(static_cast<TableId>(id));
}

bool expiry_is_due(DatabaseState& db) {
  const int64_t now = db.clock.now_micros();
  const std::shared_ptr<const Catalog> catalog = db.published_snapshot()->catalog;
  for (const auto& [key, tag] : catalog->tags) {
    if (tag.expires_micros != 0 && tag.expires_micros <= now) return true;
  }
  for (const auto& [key, run] : catalog->runs) {
    if (run->last_time_micros <= now - run_retention_micros(db)) return true;
  }
  for (const Candidate& candidate : candidates(db, *catalog, RetentionRequest(), now)) {
    if (is_over(candidate, now) || !candidate.history->expirable(candidate.rule).empty()) return true;
  }
  return false;
}

std::vector<VacuumPreview> preview_vacuum(DatabaseState& db, const RetentionRequest& request) {
  const int64_t now = db.clock.now_micros();
  const std::shared_ptr<const Catalog> catalog = db.published_snapshot()->catalog;
  std::vector<VacuumPreview> previews;
  for (const Candidate& candidate : candidates(db, *catalog, request, now)) {
    const std::vector<KeptVersion> kept = candidate.history->kept(VersionNumber{UINT64_MAX});
    std::vector<KeptVersion> gone =
        is_over(candidate, now) ? kept : candidate.history->expirable(candidate.rule);
    if (gone.empty()) continue;
    std::vector<KeptVersion> left;
    for (const KeptVersion& version : kept) {
      const bool goes = std::any_of(gone.begin(), gone.end(), [&](const KeptVersion& other) {
        return other.number() == version.number();
      });
      if (!goes) left.push_back(version);
    }
    if (const auto head = db.published_snapshot()->table(static_cast<TableId>(candidate.id)))
      left.push_back({head, 0, 0, 0, false});
    VacuumPreview preview;
    preview.schema_name = candidate.schema->schema_name;
    preview.table_name = candidate.schema->name;
    preview.versions = gone.size();
    const auto needed = segments_of(left);
    for (const auto& [id, file] : segments_of(gone)) {
      if (needed.contains(id)) continue;
      ++preview.files;
      preview.bytes += file->size();
    }
    previews.push_back(std::move(preview));
  }
  std::sort(previews.begin(), previews.end(), [](const VacuumPreview& a, const VacuumPreview& b) {
    return std::pair(a.schema_name, a.table_name) < std::pair(b.schema_name, b.table_name);
  });
  return previews;
}

std::vector<int64_t> partitions_beyond_ttl(const TableVersion& version) {
  const TableSchema& schema = *version.schema;
  const TtlUnit* unit = ttl_unit(schema);
  if (schema.ttl_count <= 0 || !unit || !schema.has_timestamp()) return {};
  size_t end = version.partitions.size();
  while (end > 0 && !is_finite_timestamp(version.partitions[end - 1]->max_timestamp)) --end;
  if (end == 0) return {};
  const int64_t newest = version.partitions[end - 1]->max_timestamp;
  const int64_t longest = schema.ttl_count * unit->micros;
  if (newest < kMinTimestamp + longest) return {};  // there are no timestamps that old
  const int64_t limit =
      unit->months == 0
          ? newest - longest
          : subtract_interval(newest, {0, 0, static_cast<int32_t>(schema.ttl_count) * unit->months});
  std::vector<int64_t> starts;
  for (size_t i = 0; i < end; ++i) {
    const int64_t start = version.partitions[i]->start;
    if (partition_end(schema.partition_by, start) > limit) break;
    starts.push_back(start);
  }
  return starts;
}

uint64_t advance_log_retention(DatabaseState& db, uint64_t manifest_position, bool gives_back_log) {
  const int64_t now = db.clock.now_micros();
  const uint64_t end = db.log_end.load();
  // The log is the first to give way when the disk fills up; not when nobody can say how full it is.
  const IoResult<uint64_t> free_space = db.files.free_space(db.folder);
  const uint64_t allowed =
      std::min(db.options.log_retention_bytes, free_space.ok() ? free_space.value() / 4 : UINT64_MAX);
  uint64_t from = end > allowed ? end - allowed : 0;
  uint64_t old = 0;  // what had been written when the retention began
  for (const auto& [time, position] : db.log_marks) {
    if (time <= now - db.options.log_retention_micros) old = position;
  }
  while (db.log_marks.size() > 1 && db.log_marks[1].second <= old) db.log_marks.pop_front();
  db.log_marks.emplace_back(now, end);
  from = gives_back_log ? manifest_position : std::min(manifest_position, std::max(from, old));
  std::lock_guard order(db.commit_latch);
  std::erase_if(db.log_holds, [&](const auto& hold) { return hold.first < manifest_position; });
  for (const auto& [record, needed] : db.log_holds) from = std::min(from, needed);
  from = std::max(from, db.log_kept_from.load());
  db.log_kept_from = from;
  return from;
}

}  // namespace idem
