#include "server/http_import.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <functional>
#include <optional>

#include "common/csv_guess.h"
#include "common/error.h"
#include "common/json_text.h"
#include "common/utf8.h"
#include "parser/parser.h"
#include "query/line_target.h"
#include "query/string_kernels.h"
#include "server/client_channel.h"
#include "server/http_parameters.h"
#include "server/multipart_reader.h"
#include "server/query_answer.h"

namespace idem {

namespace {

constexpr size_t kSampleBytes = 1 << 20;
constexpr size_t kMaxRecordBytes = 64 << 20;  // of the sample
constexpr size_t kSampleRecords = 10'000;
constexpr size_t kMaxSchemaBytes = 1 << 20;

struct ImportOptions {
  std::string table, timestamp, partition_by, atomicity = "skipRow", format = "text";
  std::vector<std::string> keys;
  std::optional<char> delimiter;
  std::optional<bool> header;
  bool overwrite = false, create = true;
};

std::vector<std::string> split_names(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    names.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return names;
}

constexpr HttpParameter<ImportOptions> kParameters[] = {
    {"name", [](ImportOptions& o, const std::string& v) { o.table = v; }},
    {"timestamp", [](ImportOptions& o, const std::string& v) { o.timestamp = v; }},
    {"partitionBy",
     [](ImportOptions& o, const std::string& v) {
       check_http_choice("partitionBy", v, {"NONE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR"});
       o.partition_by = v;
     }},
    {"keys", [](ImportOptions& o, const std::string& v) { o.keys = split_names(v); }},
    {"overwrite",
     [](ImportOptions& o, const std::string& v) { o.overwrite = parse_http_flag("overwrite", v); }},
    {"create", [](ImportOptions& o, const std::string& v) { o.create = parse_http_flag("create", v); }},
    {"atomicity",
     [](ImportOptions& o, const std::string& v) {
       check_http_choice("atomicity", v, {"abort", "skipRow", "skipCol"});
       o.atomicity = v;
     }},
    {"delimiter",
     [](ImportOptions& o, const std::string& v) { o.delimiter = parse_http_delimiter("delimiter", v); }},
    {"header", [](ImportOptions& o, const std::string& v) { o.header = parse_http_flag("header", v); }},
    {"forceHeader",
     [](ImportOptions& o, const std::string& v) {
       if (parse_http_flag("forceHeader", v)) o.header = true;
     }},
    {"fmt",
     [](ImportOptions& o, const std::string& v) {
       check_http_choice("fmt", v, {"json", "text"});
       o.format = v;
     }},
};

ImportOptions parse_options(const HttpRequest& request) {
  std::map<std::string, std::string> parameters = request.query;
  for (const char* credential : {"u", "p"}) parameters.erase(credential);
  ImportOptions options;
  set_http_parameters<ImportOptions>(parameters, kParameters, &options);
  return options;
}

class CsvImport {
 public:
  CsvImport(Session& session, const HttpRequest& request, HttpChannel& channel)
      : session_(session), options_(parse_options(request)), read_body_(http_body_reader(request, channel)) {
    const std::string type = request.header("content-type");
    if (request.media_type() != "multipart/form-data") {
      read_ = read_body_;
      return;
    }
    parts_.emplace(multipart_boundary(type), read_body_);
    find_file();
    read_ = [this] { return parts_->read_part(); };
  }

  HttpAnswer run() {
    if (options_.table.empty())
      throw SqlError(sqlstate::kInvalidParameterValue, "the parameter \"name\" is missing")
          .with_hint("The table to load.");
    table_ = table_text();
    session_.begin_statement_text("CSV import into " + table_);
    const uint64_t writes_before = session_.last_write().number;
    take_sample();
    created_ = text_of(fmt::format("SELECT to_regclass({})", quoted_literal(table_))).empty();
    if (created_) create_table();
    else read_columns();
    load();
    session_.finish_statements();
    if (session_.last_write().number != writes_before) written_ = session_.last_write().counts;
    session_.take_notices();
    session_.begin_statement_text({});
    return answer();
  }

 private:
  // A part with a file, or of the name "data"; one of the name "schema" before it says types.
  void find_file() {
    while (parts_->next_part()) {
      if (parts_->name() == "data" || !parts_->file_name().empty()) {
        if (options_.table.empty())
          options_.table = parts_->file_name().substr(0, parts_->file_name().rfind('.'));
        return;
      }
      if (parts_->name() != "schema") continue;
      std::string json;
      for (std::string piece = parts_->read_part(); !piece.empty(); piece = parts_->read_part()) {
        json += piece;
        if (json.size() > kMaxSchemaBytes)
          throw SqlError(sqlstate::kProgramLimitExceeded, "the part \"schema\" is too large");
      }
      read_types(json);
    }
    throw SqlError(sqlstate::kInvalidParameterValue, "the form has no file")
        .with_hint("It is the part named \"data\".");
  }

  void read_types(const std::string& json) {
    validate_json(json);
    const auto text_member = [](std::string_view object, std::string_view name) {
      const auto member = json_kind(object) == JsonKind::kObject ? json_member(object, name) : std::nullopt;
      const auto text = member ? json_as_text(*member) : std::nullopt;
      if (!text)
        throw SqlError(sqlstate::kInvalidParameterValue,
                       "the part \"schema\" is not an array of {\"name\":…,\"type\":…}");
      return *text;
    };
    if (json_kind(json) != JsonKind::kArray) text_member(json, "");
    for (const std::string_view column : json_elements(json))
      types_[text_member(column, "name")] = text_member(column, "type");
  }

  std::string table_text() const {
    const ast::ObjectName name = parser::parse_object_name(options_.table);
    return (name.schema.empty() ? "" : quoted_identifier(name.schema.text) + ".") +
           quoted_identifier(name.name.text);
  }

  // More where not even the first record is whole.
  void take_sample() {
    bool is_end = false;
    for (size_t wanted = kSampleBytes; records_.empty(); wanted *= 4) {
      if (wanted > kMaxRecordBytes)
        throw sql_error(sqlstate::kProgramLimitExceeded, "the first record has more than {} bytes",
                        kMaxRecordBytes);
      const bool begins = sample_.empty();
      while (sample_.size() < wanted && !is_end) {
        const std::string piece = read_();
        is_end = piece.empty();
        sample_ += piece;
      }
      if (begins) sample_.erase(0, check_csv_begin(sample_));
      shape_.delimiter = options_.delimiter.value_or(guess_delimiter(sample_, is_end));
      records_ = read_csv_records(sample_, shape_, is_end, kSampleRecords);
      if (records_.empty() && is_end) throw SqlError(sqlstate::kBadCopyFileFormat, "the file has no records");
    }
  }

  void create_table() {
    if (!options_.create)
      throw sql_error(sqlstate::kUndefinedTable, "relation \"{}\" does not exist", options_.table);
    has_header_ = options_.header.value_or(has_header(records_));
    for (const CsvField& field : records_[0])
      names_.push_back(has_header_ && !field.text.empty() ? field.text : fmt::format("f{}", names_.size()));
    if (has_header_) records_.erase(records_.begin());
    std::vector<GuessedColumn> columns = guess_columns(names_, records_, shape_);
    std::vector<std::string> definitions, keys;
    for (GuessedColumn& column : columns) {
      const auto type = types_.find(column.name);
      if (type != types_.end()) column.type = type->second;
      if (column.name == options_.timestamp && column.type == "DATE") column.type = "TIMESTAMP";
      definitions.push_back(quoted_identifier(column.name) + " " + column.type);
    }
    std::string sql = fmt::format("CREATE TABLE {} ({})", table_, fmt::join(definitions, ", "));
    if (!options_.timestamp.empty())
      sql += fmt::format(" TIMESTAMP({})", quoted_identifier(options_.timestamp));
    if (!options_.partition_by.empty()) sql += " PARTITION BY " + options_.partition_by;
    const bool lacks_timestamp =
        std::find(options_.keys.begin(), options_.keys.end(), options_.timestamp) == options_.keys.end();
    if (!options_.keys.empty() && !options_.timestamp.empty() && lacks_timestamp)
      keys.push_back(quoted_identifier(options_.timestamp));
    for (const std::string& key : options_.keys) keys.push_back(quoted_identifier(key));
    if (!keys.empty()) sql += fmt::format(" DEDUP UPSERT KEYS({})", fmt::join(keys, ", "));
    execute(sql)->run();
  }

  // The columns of the file in a table that exists: those that its header names, or the table's first ones.
  void read_columns() {
    const std::vector<PlanColumn> columns = execute(fmt::format("COPY {} FROM STDIN", table_))->columns();
    const auto column_of = [&](const std::string& name) -> const PlanColumn* {
      auto found =
          std::find_if(columns.begin(), columns.end(), [&](const PlanColumn& c) { return c.name == name; });
      if (found == columns.end())
        found = std::find_if(
            columns.begin(), columns.end(),
            [&, lower = utf8_lower(name)](const PlanColumn& c) { return utf8_lower(c.name) == lower; });
      return found == columns.end() ? nullptr : &*found;
    };
    const std::vector<CsvField>& first = records_[0];
    has_header_ = options_.header.value_or(std::all_of(
        first.begin(), first.end(), [&](const CsvField& f) { return column_of(f.text) != nullptr; }));
    for (size_t i = 0; i < first.size(); ++i) {
      const PlanColumn* column = has_header_          ? column_of(first[i].text)
                                 : i < columns.size() ? &columns[i]
                                                      : nullptr;
      if (!column && has_header_)
        throw sql_error(sqlstate::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist",
                        first[i].text, options_.table);
      if (!column)
        throw sql_error(sqlstate::kBadCopyFileFormat, "the file has {} columns, the table {}", first.size(),
                        columns.size());
      names_.push_back(column->name);
    }
  }

  void load() {
    std::vector<std::string> columns;
    for (const std::string& name : names_) columns.push_back(quoted_identifier(name));
    std::string sql =
        fmt::format("COPY {} ({}) FROM STDIN WITH (FORMAT csv, HEADER {}, DELIMITER {}", table_,
                    fmt::join(columns, ", "), has_header_, quoted_literal(std::string(1, shape_.delimiter)));
    if (options_.atomicity == "skipRow") sql += ", ON_ERROR ignore";
    if (options_.atomicity == "skipCol") sql += ", ON_ERROR set_null";
    if (options_.overwrite && !created_) sql += ", OVERWRITE all";
    const std::unique_ptr<Portal> copy = execute(sql + ")");
    columns_ = copy->columns();
    for (std::string piece = std::exchange(sample_, {}); !piece.empty(); piece = read_())
      copy->copy_data(std::move(piece));
    copy->copy_done();
    while (parts_ && parts_->next_part()) {}
    while (!read_body_().empty()) {}
    outcome_ = copy->copy_outcome();
    outcome_.bad_values.resize(columns_.size());
  }

  std::unique_ptr<Portal> execute(const std::string& sql) {
    text_ = sql;
    statement_ = session_.parse(text_);
    return session_.execute(statement_.at(0), text_);
  }

  // Of a query with one row and column; "" for NULL.
  std::string text_of(const std::string& sql) {
    const std::unique_ptr<Portal> portal = execute(sql);
    DataChunk chunk;
    std::string text;
    while (portal->next(&chunk, 0)) {
      const Vector column = flatten(chunk.columns[0], chunk.size, chunk.selection, true);
      if (column.is_valid(chunk.selection[0])) text = column.values<std::string_view>()[chunk.selection[0]];
    }
    return text;
  }

  HttpAnswer answer() const {
    HttpAnswer answer;
    if (options_.format == "json") {
      std::string& out = answer.body;
      out = fmt::format(
          "{{\"status\":\"OK\",\"location\":{},\"created\":{},\"header\":{},\"delimiter\":{},"
          "\"rowsImported\":{},"
          "\"rowsRejected\":{},",
          json_quoted(options_.table), created_, has_header_, json_quoted(std::string(1, shape_.delimiter)),
          outcome_.rows, outcome_.rejected);
      out += fmt::format(
          "\"written\":{{\"inserted\":{},\"replaced\":{},\"skipped\":{},\"deleted\":{}}},\"columns\":[",
          written_.inserted, written_.replaced, written_.skipped, written_.deleted);
      for (size_t i = 0; i < columns_.size(); ++i) {
        out += fmt::format("{}{{\"name\":{},\"type\":{},\"errors\":{}}}", i ? "," : "",
                           json_quoted(columns_[i].name), json_quoted(dialect_type_name(columns_[i].type)),
                           outcome_.bad_values[i]);
      }
      out += "]}\n";
      return answer;
    }
    answer.content_type = "text/plain; charset=utf-8";
    answer.body = fmt::format(
        "table     {}{}\nimported  {}\nrejected  {}\ninserted  {}\nreplaced  {}\nskipped   {}\n\n{:<32} "
        "{:<16} {}\n",
        options_.table, created_ ? " (created)" : "", outcome_.rows, outcome_.rejected, written_.inserted,
        written_.replaced, written_.skipped, "column", "type", "errors");
    for (size_t i = 0; i < columns_.size(); ++i)
      answer.body += fmt::format("{:<32} {:<16} {}\n", columns_[i].name, dialect_type_name(columns_[i].type),
                                 outcome_.bad_values[i]);
    return answer;
  }

  Session& session_;
  ImportOptions options_;
  const std::function<std::string()> read_body_;
  std::optional<MultipartReader> parts_;
  std::function<std::string()> read_;         // more of the file
  std::map<std::string, std::string> types_;  // that the form asks for, by column
  std::string table_;                         // as SQL names it
  std::string sample_;                        // the begin of the file
  CsvShape shape_;
  std::vector<std::vector<CsvField>> records_;  // of the sample
  std::vector<std::string> names_;              // of the file's columns in the table
  bool created_ = false, has_header_ = false;
  std::string text_;  // of the statement that runs, as
  std::vector<parser::ParsedStatement> statement_;
  std::vector<PlanColumn> columns_;
  CopyOutcome outcome_;
  WriteCounts written_;
};

}  // namespace

HttpAnswer import_csv(Session& session, const HttpRequest& request, HttpChannel& channel) {
  const auto failed = [&](const SqlError& error) {
    session.statement_failed(error);
    session.take_notices();
    session.begin_statement_text({});
  };
  try {
    return CsvImport(session, request, channel).run();
  } catch (const SqlError& error) {
    failed(error);
    return json_error_answer(error, "");
  } catch (const ConnectionClosed&) {
    failed(SqlError(sqlstate::kQueryCanceled, "the client has gone"));
    throw;
  }
}

}  // namespace idem
