#include <algorithm>
#include <array>
#include <optional>

#include "common/file.h"
#include "query/copy_new_columns.h"
#include "query/copy_reader.h"
#include "query/copy_writer.h"
#include "query/default_values.h"
#include "query/expression_evaluator.h"
#include "query/insert_plan.h"
#include "query/overwrite_target.h"
#include "query/plan_walk.h"
#include "query/portal.h"
#include "query/returning.h"
#include "query/server_file.h"
#include "query/statement_executors.h"

namespace idem {

namespace {

constexpr size_t kFileChunk = 1 << 20;

TextOptions copy_text_options(const SessionState& session) {
  TextOptions options;
  options.zone = session.zone.get();
  options.now_micros = session.transaction_time_micros;
  return options;
}

// Server-side files lie in the import folder and nowhere else.
std::string resolve_file(const SessionState& session, const std::string& path) {
  return path_within(session.server.import_folder, path, "import folder",
                     " \\copy of psql reads the client's files.");
}

// -- COPY FROM ------------------------------------------------------------------------------------------

std::shared_ptr<const TableSchema> copy_target(SessionState& session, const ast::CopyStatement& s,
                                               const CopyFormat& format) {
  session.check_writable("COPY FROM");
  session.begin_write_statement();
  auto wanted = static_cast<PrivilegeSet>(Privilege::kInsert);
  if (format.overwrite != CopyFormat::Overwrite::kNone) wanted = wanted | Privilege::kDelete;
  return session.writable_table(s.table, wanted)->schema;
}

// Rows on their way from a file with these columns into a table.
class CopyRows {
 public:
  CopyRows(SessionState& session, const ast::CopyStatement& s, const CopyFormat& format,
           std::shared_ptr<const TableSchema> schema, const std::vector<ast::Identifier>& columns)
      : session_(session),
        format_(format),
        schema_(std::move(schema)),
        targets_(resolve_target_columns(*schema_, columns)) {
    run_ = session.start_run();
    state_.context = &run_->context;
    if (s.where) bind_condition(*s.where);
    for (const ColumnSchema& c : schema_->columns) defaults_.push_back(bind_default(c, session));
    default_values_.emplace(defaults_, state_);
    std::vector<Value> defaults;
    for (uint32_t c = 0; c < defaults_.size(); c++) {
      defaults.push_back(default_values_->next(c));
      if (default_values_->is_volatile(c) && std::find(targets_.begin(), targets_.end(), c) == targets_.end())
        volatile_.push_back(c);
    }
    zone_ = session.zone;
    reader_ = std::make_unique<CopyReader>(
        CopyLayout(format_, schema_, targets_, std::move(defaults), copy_text_options(session)),
        session.server.workers, [this](ColumnBatch&& batch) {
          session_.cancel.check();
          for (const uint32_t c : volatile_) compute_defaults(c, batch);
          if (condition_) batch = rows_that_meet_condition(batch);
          insert(std::move(batch));
        });
  }

  void feed(std::string bytes) { reader_->feed(std::move(bytes)); }
  std::string finish() {
    reader_->finish();
    if (format_.overwrite != CopyFormat::Overwrite::kNone) overwrite_target();  // also where no row came
    if (reader_->rejected() > 0) {
      session_.notice("NOTICE", sql_error(sqlstate::kSuccessfulCompletion,
                                          "{} row{} skipped due to data type incompatibility",
                                          reader_->rejected(), reader_->rejected() == 1 ? " was" : "s were"));
    }
    return fmt::format("COPY {}", reader_->rows() - left_out_);
  }
  CopyOutcome outcome() const {
    return {reader_->rows() - left_out_, reader_->rejected(), reader_->bad_values()};
  }

 private:
  void bind_condition(const ast::Expression& where) {
    ParameterTypes none;
    uint32_t slots = 0;
    condition_ = bind_expression(where, table_scope(*schema_, ""), session_, none, TypeId::kBoolean, &slots);
    if (has_subquery(*condition_)) {
      throw SqlError(sqlstate::kFeatureNotSupported, "cannot use subquery in COPY FROM WHERE condition")
          .with_position(where.position);
    }
    evaluator_ = std::make_unique<ExpressionEvaluator>(*condition_);
    state_.slots.resize(slots);
  }

  // The reader has given each row the same value.
  void compute_defaults(uint32_t c, ColumnBatch& batch) {
    BatchColumn values(schema_->columns[c].type, schema_->columns[c].dictionary);
    for (uint32_t row = 0; row < batch.rows(); row++) values.append_value(default_values_->next(c));
    batch.column(c) = std::move(values);
  }

  ColumnBatch rows_that_meet_condition(const ColumnBatch& batch) {
    ColumnBatch kept(batch.schema_ptr());
    std::array<uint16_t, kVectorSize> met;
    std::vector<uint32_t> rows;
    for (uint32_t first = 0; first < batch.rows(); first += kVectorSize) {
      DataChunk chunk;
      const uint32_t count = std::min(kVectorSize, batch.rows() - first);
      for (size_t c = 0; c < batch.column_count(); c++)
        chunk.columns.push_back(batch.column(c).slice(first, count));
      chunk.set_size(count);
      const uint32_t selected = evaluator_->select(state_, chunk, chunk.selection, met.data());
      for (uint32_t i = 0; i < selected; i++) rows.push_back(first + met[i]);
    }
    left_out_ += batch.rows() - rows.size();
    kept.append_rows(batch, rows.data(), rows.size());
    return kept;
  }

  void insert(ColumnBatch&& batch) {
    if (format_.overwrite == CopyFormat::Overwrite::kNone) {
      session_.write_transaction("COPY").insert(schema_->id, std::move(batch));
    } else {
      overwrite_target().insert(std::move(batch), state_);
    }
  }

  OverwriteTarget& overwrite_target() {
    if (!overwrite_) {
      overwrite_.emplace(session_.write_transaction("OVERWRITE"), schema_);
      if (format_.overwrite == CopyFormat::Overwrite::kAll) overwrite_->replace_all();
      else overwrite_->replace_partitions_with_rows();
    }
    return *overwrite_;
  }

  SessionState& session_;
  const CopyFormat& format_;
  const std::shared_ptr<const TableSchema> schema_;
  const std::vector<uint32_t> targets_;
  std::shared_ptr<const TimeZone> zone_;  // of the reader
  std::shared_ptr<StatementRun> run_;
  EvaluationState state_{nullptr, {}};
  std::vector<BoundPtr> defaults_;
  std::optional<DefaultValues> default_values_;
  std::vector<uint32_t> volatile_;  // columns that the data lack and whose defaults differ from row to row
  BoundPtr condition_;              // of WHERE; null: none
  std::unique_ptr<ExpressionEvaluator> evaluator_;
  uint64_t left_out_ = 0;
  std::optional<OverwriteTarget> overwrite_;
  std::unique_ptr<CopyReader> reader_;
};

// COPY FROM, fed piece by piece.
class CopyIn {
 public:
  CopyIn(SessionState& session, const ast::CopyStatement& s)
      : session_(session), statement_(s), format_(parse_copy_format(s)) {
    const std::shared_ptr<const TableSchema> schema = copy_target(session, s, format_);
    for (uint32_t t : resolve_target_columns(*schema, s.columns)) {
      columns_.push_back({schema->columns[t].name, schema->columns[t].type, schema->id, t + 1});
    }
    if (format_.add_new_columns) new_columns_.emplace(session, s, format_);
    else rows_.emplace(session, s, format_, schema, s.columns);
  }

  const CopyFormat& format() const { return format_; }
  const std::vector<PlanColumn>& columns() const { return columns_; }  // as they were before COPY

  void feed(std::string bytes) {
    if (rows_) return rows_->feed(std::move(bytes));
    new_columns_->feed(bytes);
    if (new_columns_->has_enough()) begin(false);
  }
  std::string finish() {
    if (!rows_) begin(true);
    return rows_->finish();
  }
  CopyOutcome outcome() const { return rows_->outcome(); }

 private:
  void begin(bool is_end) {
    const std::vector<ast::Identifier> columns = new_columns_->add(is_end);
    format_.header = CopyFormat::Header::kSkip;  // the names have been looked at
    rows_.emplace(session_, statement_, format_, copy_target(session_, statement_, format_), columns);
    rows_->feed(new_columns_->take_sample());
  }

  SessionState& session_;
  const ast::CopyStatement& statement_;
  CopyFormat format_;
  std::vector<PlanColumn> columns_;
  std::optional<NewColumns> new_columns_;
  std::optional<CopyRows> rows_;  // none yet: the columns are not known
};

class CopyInPortal final : public Portal {
 public:
  CopyInPortal(SessionState& session, const ast::CopyStatement& s) : copy_(session, s) {}
  Kind kind() const override { return Kind::kCopyIn; }
  const std::vector<PlanColumn>& columns() const override { return copy_.columns(); }
  std::string tag() const override { return tag_; }
  void copy_data(std::string bytes) override { copy_.feed(std::move(bytes)); }
  void copy_done() override { tag_ = copy_.finish(); }
  void copy_fail(std::string_view message) override {
    throw sql_error(sqlstate::kQueryCanceled, "COPY from stdin failed: {}", message);
  }
  bool copy_is_binary() const override { return copy_.format().kind == CopyFormat::Kind::kBinary; }
  CopyOutcome copy_outcome() const override { return copy_.outcome(); }

 private:
  CopyIn copy_;
  std::string tag_;
};

std::string copy_from_file(SessionState& session, const ast::CopyStatement& s) {
  std::string path = resolve_file(session, s.file);
  auto file = session.server.files->open(path, OpenMode::kRead).value_or_throw();
  CopyIn copy(session, s);
  std::string buffer(kFileChunk, '\0');
  for (uint64_t at = 0;;) {
    size_t read = file->read_at(at, buffer.data(), buffer.size()).value_or_throw();
    if (read == 0) break;
    copy.feed(buffer.substr(0, read));
    at += read;
  }
  return copy.finish();
}

// -- COPY TO --------------------------------------------------------------------------------------------

class CopyOut {
 public:
  CopyOut(SessionState& session, const ast::CopyStatement& s, StatementInput& input)
      : format_(parse_copy_format(s)), zone_(session.zone) {
    session.begin_statement();
    BoundQuery query;
    if (s.query) {
      query = bind_query(*s.query, session, input.parameter_types);
    } else {
      auto table = session.target_table(s.table);
      session.check_read(*table->schema);
      auto scan = std::make_shared<LogicalPlan>();
      scan->kind = PlanKind::kScan;
      scan->table = table;
      scan->scan_columns = resolve_target_columns(*table->schema, s.columns);
      for (uint32_t c : scan->scan_columns)
        scan->columns.push_back(
            {table->schema->columns[c].name, table->schema->columns[c].type, table->schema->id, c + 1});
      query.plan = std::move(scan);
    }
    rows_ = session.make_query_portal(std::move(query), input.parameters);
    TextOptions text = copy_text_options(session);
    text.zone = zone_.get();
    writer_ = std::make_unique<CopyWriter>(format_, rows_->columns(), text);
  }

  // Some rows; false when there is nothing more.
  bool next(std::string* bytes, std::vector<uint32_t>* row_ends) {
    bytes->clear();
    row_ends->clear();
    if (ended_) return false;
    if (!begun_) {
      begun_ = true;
      writer_->begin(*bytes);
      bool line = format_.kind != CopyFormat::Kind::kBinary && !bytes->empty();
      if (line) row_ends->push_back(static_cast<uint32_t>(bytes->size()));
    }
    DataChunk chunk;
    if (rows_->next(&chunk, 0)) {
      writer_->write(chunk, *bytes, row_ends);
      count_ += chunk.count();
      return true;
    }
    ended_ = true;
    writer_->end(*bytes);
    if (!bytes->empty() && (row_ends->empty() || row_ends->back() != bytes->size()))
      row_ends->push_back(static_cast<uint32_t>(bytes->size()));
    return !bytes->empty();
  }

  const CopyFormat& format() const { return format_; }
  const std::vector<PlanColumn>& columns() const { return rows_->columns(); }
  std::string tag() const { return fmt::format("COPY {}", count_); }

 private:
  CopyFormat format_;
  std::shared_ptr<const TimeZone> zone_;
  std::unique_ptr<Portal> rows_;
  std::unique_ptr<CopyWriter> writer_;
  bool begun_ = false, ended_ = false;
  uint64_t count_ = 0;
};

class CopyOutPortal final : public Portal {
 public:
  CopyOutPortal(SessionState& session, const ast::CopyStatement& s, StatementInput input)
      : copy_(session, s, input) {}
  Kind kind() const override { return Kind::kCopyOut; }
  const std::vector<PlanColumn>& columns() const override { return copy_.columns(); }
  std::string tag() const override { return copy_.tag(); }
  bool copy_next(std::string* bytes, std::vector<uint32_t>* row_ends) override {
    return copy_.next(bytes, row_ends);
  }
  bool copy_is_binary() const override { return copy_.format().kind == CopyFormat::Kind::kBinary; }

 private:
  CopyOut copy_;
};

std::string copy_to_file(SessionState& session, const ast::CopyStatement& s, StatementInput input) {
  std::string path = resolve_file(session, s.file);
  CopyOut copy(session, s, input);
  FileSystem& files = *session.server.files;
  // Written beside and renamed, so that nobody reads half a file.
  std::string partial = path + ".partial";
  if (files.exists(partial).value_or_throw()) files.remove(partial).throw_if_error();
  auto file = files.open(partial, OpenMode::kCreate).value_or_throw();
  std::string bytes;
  std::vector<uint32_t> ends;
  uint64_t at = 0;
  while (copy.next(&bytes, &ends)) {
    file->write_at(at, bytes).throw_if_error();
    at += bytes.size();
  }
  file->sync().throw_if_error();
  files.rename(partial, path).throw_if_error();
  return copy.tag();
}

}  // namespace

std::unique_ptr<Portal> execute_copy(SessionState& session, const ast::CopyStatement& s,
                                     StatementInput input) {
  bool file = s.endpoint == ast::CopyStatement::Endpoint::kFile;
  if (s.from) {
    if (!file) return std::make_unique<CopyInPortal>(session, s);
    return std::make_unique<CommandPortal>(
        [&session, &s, keep = input.entry] { return copy_from_file(session, s); });
  }
  if (!file) return std::make_unique<CopyOutPortal>(session, s, std::move(input));
  return std::make_unique<CommandPortal>(
      [&session, &s, input = std::move(input)] { return copy_to_file(session, s, input); });
}

}  // namespace idem
