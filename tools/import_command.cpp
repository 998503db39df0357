#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iostream>

#include "common/clock.h"
#include "common/csv_guess.h"
#include "common/error.h"
#include "common/posix_file.h"
#include "tools/command.h"
#include "tools/connection_options.h"
#include "tools/json_object.h"
#include "tools/progress_bar.h"
#include "tools/server_link.h"
#include "tools/text_table.h"

namespace idem::tools {

namespace {

constexpr size_t kChunkBytes = 1 << 18;
constexpr size_t kSampleBytes = 4 << 20;
constexpr size_t kSampleRecords = 20'000;

struct ImportOptions {
  ConnectionOptions connection;
  std::string file, table, timestamp, partition_by, delimiter, quote = "\"", null;
  std::vector<std::string> types, keys;
  bool no_header = false, dry_run = false;
};

// The file to be imported and what its first records say.
class Source {
 public:
  explicit Source(const ImportOptions& options) : files_(make_posix_file_system()) {
    if (options.delimiter.size() > 1 || options.quote.size() != 1)
      throw UsageError("--delimiter and --quote take one character");
    auto opened = files_->open(options.file, OpenMode::kRead);
    if (!opened.ok()) throw UsageError(opened.error().message());
    file_ = std::move(opened).value_or_throw();
    size_ = file_->size().value_or_throw();
    std::string sample(std::min<uint64_t>(size_, kSampleBytes), '\0');
    sample.resize(file_->read_at(0, sample.data(), sample.size()).value_or_throw());
    const bool is_whole = sample.size() == size_;
    begin_ = check_csv_begin(sample);
    sample.erase(0, begin_);
    const char delimiter =
        options.delimiter.empty() ? guess_delimiter(sample, is_whole) : options.delimiter[0];
    shape_ = {delimiter, options.quote[0], options.null, !options.no_header};
    records_ = read_csv_records(sample, shape_, is_whole, kSampleRecords + 1);
    if (records_.empty()) throw UsageError(fmt::format("{}: there is no record in it", options.file));
    for (const CsvField& field : records_[0]) {
      const bool is_named = shape_.header && !field.text.empty();
      names_.push_back(is_named ? field.text : fmt::format("c{}", names_.size() + 1));
    }
    if (shape_.header) records_.erase(records_.begin());
  }

  const CsvShape& shape() const { return shape_; }
  const std::vector<std::string>& names() const { return names_; }
  std::vector<GuessedColumn> guess() const { return guess_columns(names_, records_, shape_); }
  uint64_t begin() const { return begin_; }  // behind a byte order mark
  uint64_t size() const { return size_; }
  size_t read(uint64_t at, std::string& buffer) const {
    return file_->read_at(at, buffer.data(), buffer.size()).value_or_throw();
  }

 private:
  std::unique_ptr<FileSystem> files_;
  std::unique_ptr<File> file_;
  uint64_t begin_ = 0, size_ = 0;
  CsvShape shape_;
  std::vector<std::vector<CsvField>> records_;
  std::vector<std::string> names_;
};

GuessedColumn& find_column(std::vector<GuessedColumn>& columns, const std::string& name, const char* option) {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const GuessedColumn& c) { return c.name == name; });
  if (found != columns.end()) return *found;
  std::vector<std::string> names;
  for (const GuessedColumn& column : columns) names.push_back(column.name);
  throw UsageError(
      fmt::format("{}: the file has no column \"{}\"; it has {}", option, name, fmt::join(names, ", ")));
}

bool is_temporal(const std::string& type) { return type == "TIMESTAMP" || type == "DATE"; }

// The column of the designated timestamp, "" for none: the one asked for, or the first of that type that is never empty.
std::string choose_timestamp(const ImportOptions& options, std::vector<GuessedColumn>& columns) {
  if (options.timestamp == "none") return "";
  if (!options.timestamp.empty()) {
    GuessedColumn& column = find_column(columns, options.timestamp, "--timestamp");
    if (is_temporal(column.type)) column.type = "TIMESTAMP";
    return column.name;
  }
  for (const GuessedColumn& column : columns) {
    if (column.type == "TIMESTAMP" && !column.has_null) return column.name;
  }
  return "";
}

std::string create_table_text(const ImportOptions& options, const Source& source) {
  std::vector<GuessedColumn> columns = source.guess();
  for (const std::string& type : options.types) {
    const size_t equals = type.find('=');
    if (equals == type.npos)
      throw UsageError(fmt::format("--types: \"{}\" is not of the form column=type", type));
    find_column(columns, type.substr(0, equals), "--types").type = type.substr(equals + 1);
  }
  const std::string timestamp = choose_timestamp(options, columns);
  std::string sql = fmt::format("CREATE TABLE {} (", quoted_table(options.table));
  for (size_t i = 0; i < columns.size(); ++i) {
    sql += fmt::format("{}\n  {} {}", i > 0 ? "," : "", quoted_identifier(columns[i].name), columns[i].type);
  }
  sql += "\n)";
  if (!timestamp.empty()) sql += fmt::format(" TIMESTAMP({})", quoted_identifier(timestamp));
  if (!options.partition_by.empty()) sql += " PARTITION BY " + options.partition_by;
  std::vector<std::string> keys;
  if (!options.keys.empty() && !timestamp.empty() &&
      std::find(options.keys.begin(), options.keys.end(), timestamp) == options.keys.end()) {
    keys.push_back(quoted_identifier(timestamp));  // it must be among them
  }
  for (const std::string& key : options.keys)
    keys.push_back(quoted_identifier(find_column(columns, key, "--keys").name));
  if (!keys.empty()) sql += fmt::format(" DEDUP UPSERT KEYS({})", fmt::join(keys, ", "));
  return sql;
}

bool table_exists(ServerLink& link, const std::string& table) {
  try {
    link.execute(fmt::format("SELECT * FROM {} LIMIT 0", quoted_table(table)));
    return true;
  } catch (const SqlError& error) {
    if (error.sqlstate() != sqlstate::kUndefinedTable) throw;
    return false;
  }
}

std::string copy_text(const ImportOptions& options, const Source& source, bool name_columns) {
  std::string sql = "COPY " + quoted_table(options.table);
  if (name_columns) {
    std::vector<std::string> names;
    for (const std::string& name : source.names()) names.push_back(quoted_identifier(name));
    sql += fmt::format(" ({})", fmt::join(names, ", "));
  }
  sql += fmt::format(" FROM STDIN WITH (FORMAT csv, HEADER {}", source.shape().header ? "true" : "false");
  if (source.shape().delimiter != ',')
    sql += fmt::format(", DELIMITER {}", quoted_literal(std::string(1, source.shape().delimiter)));
  if (source.shape().quote != '"') sql += fmt::format(", QUOTE {}", quoted_literal(options.quote));
  if (!options.null.empty()) sql += fmt::format(", NULL {}", quoted_literal(options.null));
  return sql + ")";
}

// Records that end in a piece of the file; a line break within quotes ends none.
class RecordCounter {
 public:
  explicit RecordCounter(char quote) : quote_(quote) {}
  void feed(std::string_view bytes) {
    for (const char c : bytes) {
      in_quotes_ ^= c == quote_;
      records_ += c == '\n' && !in_quotes_;
    }
  }
  uint64_t records() const { return records_; }

 private:
  const char quote_;
  bool in_quotes_ = false;
  uint64_t records_ = 0;
};

uint64_t send_file(ServerLink& link, const Source& source, ProgressBar& bar) {
  RecordCounter counter(source.shape().quote);
  std::string buffer(kChunkBytes, '\0');
  uint64_t at = source.begin();
  for (size_t read = source.read(at, buffer); read > 0; read = source.read(at, buffer)) {
    const std::string_view bytes = std::string_view(buffer).substr(0, read);
    link.put_copy_data(bytes);
    counter.feed(bytes);
    at += read;
    bar.update({.rows = counter.records(), .bytes = at, .total_bytes = source.size()});
  }
  const uint64_t rows = link.end_copy();
  bar.clear();
  return rows;
}

void run(const ImportOptions& options, const Invocation& invocation) {
  const Source source(options);
  ServerLink link(options.connection.to_text());
  const bool create = !table_exists(link, options.table);
  std::string create_sql;
  if (create) {
    create_sql = create_table_text(options, source);
    if (!invocation.json) std::cout << create_sql << ";\n";
  } else if (!options.types.empty() || !options.keys.empty() || !options.timestamp.empty() ||
             !options.partition_by.empty()) {
    std::cerr << "idem: table " << options.table
              << " exists: --types, --keys, --timestamp and --partition-by are not used\n";
  }
  if (options.dry_run) {
    if (invocation.json) std::cout << JsonObject().add("create", create_sql).text() << "\n";
    return;
  }

  SystemClock clock;
  ProgressBar bar(clock);
  // One transaction: a file that does not fit leaves no empty table behind.
  link.execute("BEGIN");
  if (create) link.execute(create_sql);
  link.begin_copy(copy_text(options, source, create || source.shape().header));
  const uint64_t rows = send_file(link, source, bar);
  link.execute("COMMIT");
  const double seconds = static_cast<double>(bar.elapsed_nanos()) / 1e9;
  // What the load did to the table: rows that were there already change nothing.
  const TextTable effect = link.query("SHOW LAST WRITE");
  const auto rate = static_cast<uint64_t>(static_cast<double>(rows) / std::max(seconds, 1e-3));
  const uint64_t inserted = effect.number(0, 0), replaced = effect.number(0, 1),
                 skipped = effect.number(0, 2);
  if (invocation.json) {
    JsonObject object;
    object.add("rows", rows).add("bytes", source.size()).add("seconds", seconds).add("rows_per_second", rate);
    object.add("inserted", inserted).add("replaced", replaced).add("skipped", skipped);
    if (create) object.add("create", create_sql);
    std::cout << object.text() << "\n";
    return;
  }
  std::cout << fmt::format("{} rows, {} in {:.2f} s ({} rows/s): {} inserted, {} replaced, {} skipped\n",
                           with_thousands(rows), readable_bytes(source.size()), seconds, with_thousands(rate),
                           with_thousands(inserted), with_thousands(replaced), with_thousands(skipped));
}

}  // namespace

void add_import_command(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* command =
      app.add_subcommand("import", "Loads a CSV file into a table, which is created when it does not exist");
  command->add_option("file", options->file, "the CSV file")->required();
  command->add_option("--table,-t", options->table, "the table, or schema.table")->required();
  command
      ->add_option("--types", options->types,
                   "types of single columns: column=type,…; the others are guessed")
      ->delimiter(',');
  command->add_option(
      "--timestamp", options->timestamp,
      "column of the designated timestamp, or none; default: the first TIMESTAMP column that is never empty");
  command->add_option("--partition-by", options->partition_by, "partitioning of a new table; default: day")
      ->check(CLI::IsMember({"none", "hour", "day", "week", "month", "year"}, CLI::ignore_case));
  command
      ->add_option("--keys", options->keys,
                   "upsert keys of a new table: a,b,… (the designated timestamp is added)")
      ->delimiter(',');
  command->add_option("--delimiter", options->delimiter,
                      "character between fields; default: guessed among , ; | and tab");
  command->add_option("--quote", options->quote, "character around fields (default \")");
  command->add_option("--null", options->null, "unquoted text that means NULL (default: nothing)");
  command->add_flag("--no-header", options->no_header,
                    "the first line is data; new columns are called c1, c2, …, as are those without a name");
  command->add_flag("--dry-run", options->dry_run, "only show the CREATE TABLE");
  options->connection.add_to(*command);
  command->callback([options, &invocation] { run(*options, invocation); });
}

}  // namespace idem::tools
