#include "query/copy_new_columns.h"

#include "common/csv_guess.h"
#include "common/error.h"
#include "query/line_target.h"
#include "query/session_state.h"

namespace idem {

namespace {

constexpr size_t kSampleBytes = 1 << 20;
constexpr size_t kSampleRecords = 10'000;

}  // namespace

NewColumns::NewColumns(SessionState& session, const ast::CopyStatement& statement, const CopyFormat& format)
    : session_(session), table_(statement.table), format_(format) {
  const auto refuse = [](std::string_view why) {
    throw sql_error(sqlstate::kSyntaxError, "COPY ON_NEW_COLUMN add {}", why);
  };
  if (format.kind != CopyFormat::Kind::kCsv) refuse("requires FORMAT csv");
  if (format.header == CopyFormat::Header::kNone) refuse("requires HEADER");
  if (!statement.columns.empty()) refuse("takes the columns from the header, not from a list");
  if (format.escape != format.quote) {
    throw SqlError(sqlstate::kFeatureNotSupported,
                   "COPY ON_NEW_COLUMN add with an ESCAPE other than QUOTE is not supported");
  }
}

bool NewColumns::has_enough() const { return sample_.size() >= kSampleBytes; }

std::vector<ast::Identifier> NewColumns::add(bool is_end) {
  const CsvShape shape{format_.delimiter, format_.quote, format_.null, true};
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (sample_.starts_with(kByteOrderMark)) sample_.erase(0, kByteOrderMark.size());
  std::vector<std::vector<CsvField>> records = read_csv_records(sample_, shape, is_end, kSampleRecords);
  std::vector<ast::Identifier> columns;
  if (records.empty()) {
    if (!is_end)
      throw sql_error(sqlstate::kBadCopyFileFormat, "the header line does not end within {} bytes",
                      kSampleBytes);
    return columns;
  }
  std::vector<std::string> names;
  for (const CsvField& field : records[0]) names.push_back(field.text);
  records.erase(records.begin());

  const std::shared_ptr<const TableSchema> schema = session_.target_table(table_)->schema;
  std::string definitions;
  for (const GuessedColumn& guessed : guess_columns(names, records, shape)) {
    int found = schema->find_column(guessed.name);
    if (found < 0) found = schema->find_column(folded_identifier(guessed.name));
    const std::string name = found < 0 ? guessed.name : schema->columns[static_cast<size_t>(found)].name;
    columns.push_back({name, table_.name.position, true});
    if (found >= 0) continue;
    definitions += fmt::format("{}ADD COLUMN {} {}", definitions.empty() ? " " : ", ",
                               quoted_identifier(name), guessed.type);
  }
  if (definitions.empty()) return columns;
  const std::string target = quoted_identifier(schema->schema_name) + "." + quoted_identifier(schema->name);
  run_command(session_, "ALTER TABLE " + target + definitions);
  return columns;
}

}  // namespace idem
