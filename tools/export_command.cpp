#include <algorithm>
#include <fmt/format.h>
#include <iostream>

#include "common/clock.h"
#include "common/posix_file.h"
#include "tools/command.h"
#include "tools/connection_options.h"
#include "tools/json_object.h"
#include "tools/progress_bar.h"
#include "tools/server_link.h"

namespace idem::tools {

namespace {

constexpr size_t kBufferBytes = 1 << 20;

struct ExportOptions {
  ConnectionOptions connection;
  std::string table, query, file = "-", delimiter, null;
  bool no_header = false;
};

// Where the rows go: standard output, or a file that has its name only when it is whole.
class Sink {
 public:
  explicit Sink(const std::string& path) : path_(path == "-" ? "" : path), files_(make_posix_file_system()) {
    if (path_.empty()) return;
    const std::string part = part_path();
    if (files_->exists(part).value_or_throw())
      files_->remove(part).throw_if_error();  // of an export that was killed
    auto opened = files_->open(part, OpenMode::kCreate);
    if (!opened.ok()) throw UsageError(opened.error().message());
    file_ = opened.value_or_throw();
  }
  ~Sink() {
    if (!file_) return;
    file_.reset();
    const IoStatus removed = files_->remove(part_path());
    if (!removed.ok()) std::cerr << "idem: " << removed.error().message() << "\n";
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  void put(std::string_view bytes) {
    buffer_ += bytes;
    if (buffer_.size() >= kBufferBytes) flush();
  }

  void finish() {
    flush();
    if (!file_) {
      std::cout.flush();
      return;
    }
    file_->sync().throw_if_error();
    file_.reset();
    files_->rename(part_path(), path_).throw_if_error();
    files_->sync_directory(parent_directory(path_)).throw_if_error();
  }

  bool is_file() const { return !path_.empty(); }
  uint64_t bytes() const { return written_ + buffer_.size(); }

 private:
  std::string part_path() const { return path_ + ".part"; }

  void flush() {
    if (file_) {
      file_->write_at(written_, buffer_).throw_if_error();
    } else if (!std::cout.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()))) {
      throw std::runtime_error("standard output takes no more");
    }
    written_ += buffer_.size();
    buffer_.clear();
  }

  const std::string path_;  // "": standard output
  std::unique_ptr<FileSystem> files_;
  std::unique_ptr<File> file_;
  std::string buffer_;
  uint64_t written_ = 0;
};

std::string copy_text(const ExportOptions& options) {
  const std::string what = options.query.empty() ? quoted_table(options.table) : "(" + options.query + ")";
  std::string sql = fmt::format("COPY {} TO STDOUT WITH (FORMAT csv, HEADER {}", what,
                                options.no_header ? "false" : "true");
  if (!options.delimiter.empty()) sql += ", DELIMITER " + quoted_literal(options.delimiter);
  if (!options.null.empty()) sql += ", NULL " + quoted_literal(options.null);
  return sql + ")";
}

void run(const ExportOptions& options, const Invocation& invocation) {
  if (options.table.empty() == options.query.empty()) throw UsageError("export takes a table, or --query");
  if (invocation.json && options.file == "-")
    throw UsageError(
        "export writes CSV: --json is for what it says of a --file; idem sql --json writes rows");
  ServerLink link(options.connection.to_text());
  uint64_t total_rows = 0;
  if (!options.table.empty())
    total_rows = link.query("SELECT count(*) FROM " + quoted_table(options.table)).number(0, 0);
  SystemClock clock;
  ProgressBar bar(clock);
  Sink sink(options.file);
  uint64_t lines = 0;
  const uint64_t rows = link.copy_out(copy_text(options), [&](std::string_view bytes) {
    sink.put(bytes);
    lines += static_cast<uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    if (sink.is_file()) bar.update({.rows = lines, .bytes = sink.bytes(), .total_rows = total_rows});
  });
  sink.finish();
  bar.clear();
  if (!sink.is_file()) return;  // nothing but the rows
  const double seconds = static_cast<double>(bar.elapsed_nanos()) / 1e9;
  const auto rate = static_cast<uint64_t>(static_cast<double>(rows) / std::max(seconds, 1e-3));
  if (invocation.json) {
    JsonObject object;
    object.add("file", options.file)
        .add("rows", rows)
        .add("bytes", sink.bytes())
        .add("seconds", seconds)
        .add("rows_per_second", rate);
    std::cout << object.text() << "\n";
  } else {
    std::cout << fmt::format("{}: {} rows, {} in {:.2f} s ({} rows/s)\n", options.file, with_thousands(rows),
                             readable_bytes(sink.bytes()), seconds, with_thousands(rate));
  }
}

}  // namespace

void add_export_command(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command = app.add_subcommand("export", "Writes a table, or the rows of a query, to a CSV file");
  command->add_option("table", options->table, "the table or view, or schema.table");
  command->add_option("--query,-q", options->query, "or a query");
  command->add_option("--file,-o", options->file, "the file, which is replaced; default: standard output");
  command->add_option("--delimiter", options->delimiter, "character between fields (default ,)");
  command->add_option("--null", options->null, "text for NULL (default: nothing)");
  command->add_flag("--no-header", options->no_header, "without a line of names");
  options->connection.add_to(*command);
  command->callback([options, &invocation] { run(*options, invocation); });
}

}  // namespace idem::tools
