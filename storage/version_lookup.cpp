#include "storage/version_lookup.h"

#include "common/error.h"
#include "common/timestamp_text.h"
#include "storage/record_replay.h"
#include "wal/recovery.h"

namespace idem {

namespace {

std::string time_text(int64_t micros) {
  char text[kMaxTimestampText];
  return std::string(text, format_timestamp(text, micros));
}

std::optional<KeptVersion> rebuild_locked(DatabaseState& db, const TableHistory& history, VersionNumber last,
                                          int64_t last_micros, uint64_t log_end,
                                          const std::shared_ptr<const TableSchema>& newest);

std::shared_ptr<const TableSchema> published_schema(const DatabaseState& db, TableId table) {
  const auto version = db.published_snapshot()->table(table);
  return version ? version->schema : nullptr;
}

// Applies records of one table to a version of it, up to a number and a time. db.log_readers is held.
class VersionRebuild {
 public:
  // `newest`: the table's schema now; null if it is dropped.
  VersionRebuild(DatabaseState& db, const TableHistory& history, KeptVersion from, VersionNumber last,
                 int64_t last_micros, const std::shared_ptr<const TableSchema>& newest)
      : db_(db),
        history_(history),
        table_(from.version->schema->id),
        owner_(db.next_owner.fetch_add(1, std::memory_order_relaxed)),
        last_(last),
        last_micros_(last_micros),
        newest_(newest),
        at_(std::move(from)) {}

  // Whether the version became the next one.
  bool apply(const wal::Record& record) {
    if (done_) return false;
    const auto beyond = [&](const RecordHeader& header, VersionNumber version) {
      return version > last_ || header.time_micros > last_micros_;
    };
    const ReadTableRecord read = read_log_record_of(
        record.payload, table_, [&](TableId, const TableSchema* logged) { return schema_of(logged); },
        [&](const RecordHeader& header, VersionNumber version) {
          return version > at_.number() && !beyond(header, version);
        });
    if (!read.version || *read.version <= at_.number()) return false;
    if (beyond(read.header, *read.version)) {
      done_ = true;
      return false;
    }
    if (!read.table) {
      // The files that the record names may be gone, but while it is in the log the version is kept.
      std::optional<KeptVersion> kept = history_.find_kept(*read.version);
      done_ = lost_ = !kept;
      if (kept) at_ = std::move(*kept);
      return !done_;
    }
    std::shared_ptr<const TableVersion> restored;
    if (read.table->restored) {
      // It may itself be a version that has to be rebuilt, or be gone by now.
      const auto source =
          rebuild_locked(db_, history_, *read.table->restored, INT64_MAX, record.extent.begin.value, newest_);
      done_ = lost_ = !source || source->number() != *read.table->restored;
      if (lost_) return false;
      restored = source->version;
    }
    at_.version =
        apply_logged_table(db_, at_.version, *read.table, static_cast<CommitNumber>(record.commit_number),
                           owner_, [&](VersionNumber) { return restored; });
    at_.time_micros = read.header.time_micros;
    at_.log_position = record.extent.end.value;
    at_.reasons = 0;
    at_.written = false;
    return true;
  }

  void stop() { done_ = true; }
  const KeptVersion& at() const { return at_; }
  bool lost() const { return lost_; }  // a record could not be applied any more
  KeptVersion result() && { return std::move(at_); }

 private:
  // A column that comes back in a version has the dictionary that it has everywhere else: a second one would give new strings codes
  // that others have there.
  std::shared_ptr<const TableSchema> schema_of(const TableSchema* logged) const {
    if (!logged) return at_.version->schema;
    std::vector<std::shared_ptr<const TableSchema>> known = known_schemas(newest_, history_);
    known.push_back(at_.version->schema);
    return schema_for_record(logged, known);
  }

  DatabaseState& db_;
  const TableHistory& history_;
  const TableId table_;
  const uint64_t owner_;
  const VersionNumber last_;
  const int64_t last_micros_;
  const std::shared_ptr<const TableSchema> newest_;
  KeptVersion at_;
  bool done_ = false, lost_ = false;
};

std::optional<KeptVersion> rebuild_locked(DatabaseState& db, const TableHistory& history, VersionNumber last,
                                          int64_t last_micros, uint64_t log_end,
                                          const std::shared_ptr<const TableSchema>& newest) {
  std::optional<KeptVersion> from = history.kept_before(last);
  // By time: the kept version must not be younger than what is asked for.
  while (from && from->time_micros > last_micros) {
    const auto number = static_cast<uint64_t>(from->number());
    from = number == 0 ? std::nullopt : history.kept_before(static_cast<VersionNumber>(number - 1));
  }
  if (!from) return std::nullopt;
  if (from->number() == last) return from;
  if (from->log_position < db.log_kept_from.load()) return std::nullopt;
  if (db.log) db.log->flush();  // what was committed without waiting
  VersionRebuild rebuilding(db, history, *from, last, last_micros, newest);
  wal::read_records(db.files, join_path(db.folder, "log"), log_database_id(db.database_id),
                    wal::Position{from->log_position}, wal::Position{log_end},
                    [&](const wal::Record& record) { rebuilding.apply(record); });
  if (rebuilding.lost()) return std::nullopt;
  return std::move(rebuilding).result();
}

std::optional<KeptVersion> rebuild(DatabaseState& db, const TableHistory& history, VersionNumber last,
                                   int64_t last_micros, uint64_t log_end,
                                   const std::shared_ptr<const TableSchema>& newest) {
  std::shared_lock reading(db.log_readers);
  return rebuild_locked(db, history, last, last_micros, log_end, newest);
}

SqlError gone(const TableHistory& history, const TableSchema& schema, VersionNumber newest,
              std::string_view what, std::optional<VersionNumber> wanted) {
  SqlError error = sql_error(sqlstate::kInvalidParameterValue, "{} of table \"{}\" can no longer be read",
                             what, schema.name);
  std::optional<VersionNumber> before, after = newest;
  for (const KeptVersion& kept : history.kept(newest)) {
    if (wanted && kept.number() <= *wanted) {
      before = kept.number();
    } else {
      after = std::min(*after, kept.number());
    }
  }
  if (before && *before != *after) {
    error.with_hint(fmt::format("The nearest versions that can be read are {} and {}.",
                                static_cast<uint64_t>(*before), static_cast<uint64_t>(*after)));
  } else {
    error.with_hint(fmt::format("The oldest version that can be read is {}.", static_cast<uint64_t>(*after)));
  }
  return error;
}

KeptVersion newest_version(const TableHistory& history, const std::shared_ptr<const TableVersion>& version,
                           uint64_t log_end) {
  return {version, history.time_of(version->version).value_or(0), log_end, 0, false};
}

KeptVersion find_number(DatabaseState& db, const TableHistory& history,
                        const std::shared_ptr<const TableVersion>& newest, VersionNumber number,
                        uint64_t log_end) {
  const TableSchema& schema = *newest->schema;
  if (number == newest->version) return newest_version(history, newest, log_end);
  if (number > newest->version) {
    throw sql_error(sqlstate::kInvalidParameterValue, "table \"{}\" has no version {}", schema.name,
                    static_cast<uint64_t>(number))
        .with_hint(fmt::format("Its newest version is {}.", static_cast<uint64_t>(newest->version)));
  }
  std::optional<KeptVersion> found = read_version(db, history, number, log_end, newest->schema);
  if (found && found->number() == number) return std::move(*found);
  throw gone(history, schema, newest->version, fmt::format("version {}", static_cast<uint64_t>(number)),
             number);
}

KeptVersion find_time(DatabaseState& db, const TableHistory& history,
                      const std::shared_ptr<const TableVersion>& newest, int64_t micros, uint64_t log_end) {
  const TableSchema& schema = *newest->schema;
  const auto at = history.at_time(micros, newest->version);
  if (!at) {
    const std::vector<HistoryLine> lines = history.lines(newest->version);
    if (!lines.empty() && lines.front().first == VersionNumber{0}) {
      throw sql_error(sqlstate::kInvalidParameterValue, "table \"{}\" did not exist at {}", schema.name,
                      time_text(micros))
          .with_hint(fmt::format("It was created at {}.", time_text(lines.front().first_time_micros)));
    }
    throw gone(history, schema, newest->version, fmt::format("the state at {}", time_text(micros)),
               std::nullopt);
  }
  if (at->exact) return find_number(db, history, newest, at->version, log_end);
  std::optional<KeptVersion> found = rebuild(db, history, at->version, micros, log_end, newest->schema);
  if (found) return std::move(*found);
  throw gone(history, schema, newest->version, fmt::format("the state at {}", time_text(micros)),
             at->version);
}

}  // namespace

void for_each_version_between(DatabaseState& db, const TableHistory& history, const KeptVersion& first,
                              const KeptVersion& last, const std::function<bool(const KeptVersion&)>& take) {
  KeptVersion at = first;
  while (at.number() < last.number()) {
    std::shared_lock reading(db.log_readers);
    if (at.log_position >= db.log_kept_from.load()) {
      db.log->flush();
      uint64_t log_end = 0;
      {
        std::lock_guard lock(db.publish_latch);
        log_end = db.published_log_end;
      }
      VersionRebuild rebuilding(db, history, at, last.number(), INT64_MAX,
                                published_schema(db, last.version->schema->id));
      wal::read_records(db.files, join_path(db.folder, "log"), log_database_id(db.database_id),
                        wal::Position{at.log_position}, wal::Position{log_end},
                        [&](const wal::Record& record) {
                          if (rebuilding.apply(record) && !take(rebuilding.at())) rebuilding.stop();
                        });
      if (!rebuilding.lost()) return;
      at = std::move(rebuilding).result();
    }
    reading.unlock();
    KeptVersion next = last;
    for (const KeptVersion& kept : history.kept(last.number())) {
      if (kept.number() <= at.number()) continue;
      next = kept;
      break;
    }
    at = std::move(next);
    if (!take(at)) return;
  }
}

std::optional<KeptVersion> read_version(DatabaseState& db, const TableHistory& history, VersionNumber version,
                                        uint64_t log_end, const std::shared_ptr<const TableSchema>& newest) {
  return rebuild(db, history, version, INT64_MAX, log_end, newest);
}

KeptVersion find_version(DatabaseState& db, const Snapshot& snapshot, TableId table,
                         const VersionTarget& target) {
  const std::shared_ptr<const TableVersion> newest = snapshot.table(table);
  const auto history = db.history(table);
  if (!newest || !history) {
    throw sql_error(sqlstate::kObjectNotInPrerequisiteState,
                    "a temporary table, or one that is not committed, has no history");
  }
  uint64_t log_end = 0;
  {
    std::lock_guard lock(db.publish_latch);
    log_end = db.published_log_end;
  }
  if (const auto* number = std::get_if<VersionNumberTarget>(&target))
    return find_number(db, *history, newest, number->number, log_end);
  if (const auto* time = std::get_if<VersionTimeTarget>(&target))
    return find_time(db, *history, newest, time->micros, log_end);
  const std::string& tag = std::get<VersionTagTarget>(target).tag;
  const auto found = snapshot.catalog->tags.find({static_cast<uint32_t>(table), tag});
  if (found == snapshot.catalog->tags.end()) {
    throw sql_error(sqlstate::kUndefinedObject, "table \"{}\" has no tag \"{}\"", newest->schema->name, tag);
  }
  return find_number(db, *history, newest, found->second.version, log_end);
}

}  // namespace idem
