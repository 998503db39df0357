#include "query/materialized_refresh.h"

#include <algorithm>

#include "common/error.h"
#include "query/materialized_views.h"
#include "query/refresh_ranges.h"
#include "query/row_difference.h"
#include "query/stored_query.h"

namespace idem {

namespace {

constexpr uint32_t kMostComparedRows = 1 << 20;  // with more the old rows are thrown away as a whole
constexpr uint32_t kRefreshedRows = 128 * 1024;
constexpr size_t kMostRanges = 64;

// While it lives, the session's settings are those that the view was created with.
class SettingsOfView {
 public:
  SettingsOfView(SessionState& session, const MaterializedView& view)
      : session_(session), before_(session.settings.mark()) {
    for (const auto& [name, value] : view.settings) session.settings.set(name, value, true);
    session.follow_settings();
  }
  ~SettingsOfView() {
    session_.settings.return_to(before_);
    session_.follow_settings();
  }
  SettingsOfView(const SettingsOfView&) = delete;
  SettingsOfView& operator=(const SettingsOfView&) = delete;

 private:
  SessionState& session_;
  const SessionSettings::Mark before_;
};

class Refresh {
 public:
  Refresh(SessionState& session, const TableVersion& table, bool full)
      : session_(session),
        schema_(table.schema),
        view_(*session.snapshot().catalog->materialized_view(schema_->id)),
        definition_(view_definition(view_, *schema_)),
        table_(session.snapshot().table(schema_->id)),
        full_(full || !view_.populated) {}

  void run() {
    const SettingsOfView settings(session_, view_);
    query_ = bind_stored_query(definition_, session_);
    check_columns();
    note_sources();
    if (!full_ && !query_.reads_clock && !is_any_source_changed()) return;
    const std::optional<std::vector<TimeRange>> ranges = changed_ranges();
    if (!ranges || !replace_within(*ranges)) replace_all();
    note_refresh();
  }

 private:
  void check_columns() const {
    if (gives_columns(query_, *schema_)) return;  // what SELECT * gives more than before is left out
    throw sql_error(sqlstate::kInvalidTableDefinition,
                    "the query of materialized view \"{}\" no longer gives its columns", schema_->name)
        .with_hint("Drop the view and create it anew.");
  }

  // What others have committed. What this transaction itself has written counts as not read yet: its place among theirs is not known.
  void note_sources() {
    const Snapshot& committed = session_.transaction().committed_view();
    for (const TableId id : query_.sources) {
      MaterializedViewSource source{id, std::nullopt};
      if (const auto version = committed.table(id)) source.version = version->version;
      sources_.push_back(source);
    }
  }

  bool is_changed(const MaterializedViewSource& source) const {
    const bool same = std::find(view_.sources.begin(), view_.sources.end(), source) != view_.sources.end();
    return !same || !source.version || session_.transaction().writes(source.table);
  }

  bool is_any_source_changed() const {
    return sources_.size() != view_.sources.size() ||
           std::any_of(sources_.begin(), sources_.end(),
                       [&](const auto& source) { return is_changed(source); });
  }

  // Nothing: everything may have changed.
  std::optional<std::vector<TimeRange>> changed_ranges() const {
    if (full_ || !query_.sampled || query_.timestamp != schema_->timestamp_column ||
        sources_.size() != view_.sources.size())
      return std::nullopt;
    std::vector<TimeRange> ranges;
    for (size_t i = 0; i < sources_.size(); ++i) {
      if (!is_changed(sources_[i])) continue;
      const bool by_time =
          query_.sampled->tables.contains(sources_[i].table) && view_.sources[i].table == sources_[i].table;
      std::optional<std::vector<TimeRange>> times =
          by_time ? changed_times_of(view_.sources[i]) : std::nullopt;
      if (times) times = widened_to_buckets(std::move(*times));
      if (!times) return std::nullopt;
      ranges.insert(ranges.end(), times->begin(), times->end());
    }
    return at_most(joined_ranges(std::move(ranges)), kMostRanges);
  }

  std::optional<std::vector<TimeRange>> widened_to_buckets(std::vector<TimeRange> times) const {
    if (query_.sampled->buckets) return whole_buckets(*query_.sampled->buckets, times);
    if (!query_.sampled->bucket) return times;
    const auto run = session_.start_run();
    EvaluationState state{&run->context, {}};
    return whole_buckets(bucket_start(*query_.sampled->bucket, state), times);
  }

  std::optional<std::vector<TimeRange>> changed_times_of(const MaterializedViewSource& read) const {
    if (!read.version) return std::nullopt;
    try {
      const KeptVersion before = session_.server.database->find_version(
          session_.transaction().committed_view(), read.table, VersionNumberTarget{*read.version});
      return changed_times(*before.version, *session_.snapshot().table(read.table));
    } catch (const SqlError& error) {
      if (error.sqlstate() == sqlstate::kInvalidParameterValue) return std::nullopt;  // it is no longer kept
      throw;
    }
  }

  std::unique_ptr<ResultStream> start(const BoundQuery& query) const {
    return execute(query, StatementRun::share_context(session_.start_run()), {});
  }

  // Appends rows of the view's query up to some more than `most`; whether these were all.
  static bool read(ResultStream& stream, uint32_t most, ColumnBatch& rows) {
    DataChunk chunk;
    while (rows.rows() <= most) {
      if (!stream.next(&chunk)) return true;
      for (size_t c = 0; c < rows.column_count(); ++c)
        rows.column(c).append_vector(chunk.columns[c], chunk.selection);
    }
    return false;
  }

  // Whether all of these are within the times.
  bool are_within(const ColumnBatch& rows, const TimeRange& within) const {
    const auto* times =
        static_cast<const int64_t*>(rows.column(static_cast<size_t>(schema_->timestamp_column)).data());
    return std::all_of(times, times + rows.rows(),
                       [&](int64_t t) { return within.min <= t && t <= within.max; });
  }

  // Notes how the stored rows (within these times) must change to be these.
  void compare(const ColumnBatch& rows, const TimeRange* within) {
    const auto run = session_.start_run();
    RowDifference difference(rows, &run->memory);
    const BoundQuery stored = bind_stored_rows(table_, session_, within);
    const auto stream = execute(stored, StatementRun::share_context(run), {});
    DataChunk chunk;
    while (stream->next(&chunk)) difference.add_stored(chunk);
    const std::vector<RowPosition> superfluous = difference.take_superfluous();
    removed_.insert(removed_.end(), superfluous.begin(), superfluous.end());
    const std::vector<uint32_t> missing = difference.take_missing();
    added_.append_rows(rows, missing.data(), missing.size());
  }

  void apply_changes() {
    if (!removed_.empty()) writer().remove(schema_->id, removed_);
    if (added_.rows() > 0) writer().insert(schema_->id, std::move(added_));
  }

  // False, and nothing has changed: that needs more memory than it should, or buckets are not what they should be.
  bool replace_within(const std::vector<TimeRange>& ranges) {
    for (const TimeRange& within : ranges) {
      const StoredQuery query = bind_stored_query(definition_, session_, &within);
      ColumnBatch rows(schema_);
      if (!read(*start(query.query), kMostComparedRows, rows) || !are_within(rows, within)) return false;
      compare(rows, &within);
      if (added_.rows() > kMostComparedRows) return false;
    }
    apply_changes();
    return true;
  }

  void replace_all() {
    removed_.clear();
    added_ = ColumnBatch(schema_);
    const auto stream = start(query_.query);
    ColumnBatch rows(schema_);
    if (read(*stream, kMostComparedRows, rows)) {
      compare(rows, nullptr);
      return apply_changes();
    }
    writer().truncate(schema_->id);
    for (bool all = false; !all;) {
      writer().insert(schema_->id, std::move(rows));
      rows = ColumnBatch(schema_);
      all = read(*stream, kRefreshedRows, rows);
    }
    if (rows.rows() > 0) writer().insert(schema_->id, std::move(rows));
  }

  void note_refresh() {
    MaterializedView next = view_;
    ++next.generation;
    next.populated = true;
    next.reads_clock = query_.reads_clock;
    next.refreshed_micros = 0;
    next.sources = sources_;
    std::vector<KeptVersion> versions;
    for (const MaterializedViewSource& source : sources_) {
      if (!source.version) continue;
      versions.push_back(session_.server.database->find_version(
          session_.transaction().committed_view(), source.table, VersionNumberTarget{*source.version}));
    }
    writer().put_materialized_view(std::move(next), std::move(versions));
  }

  Transaction& writer() { return session_.write_transaction("REFRESH"); }

  SessionState& session_;
  const std::shared_ptr<const TableSchema> schema_;
  const MaterializedView view_;
  const ViewSchema definition_;
  const std::shared_ptr<const TableVersion> table_;  // its rows so far
  const bool full_;
  StoredQuery query_;
  std::vector<MaterializedViewSource> sources_;
  std::vector<RowPosition> removed_;
  ColumnBatch added_{schema_};
};

}  // namespace

void refresh_materialized_view(SessionState& session, const TableVersion& table, bool full) {
  Refresh(session, table, full).run();
}

}  // namespace idem
