#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/decimal.h"
#include "common/error.h"
#include "common/string_arena.h"
#include "query/default_values.h"
#include "query/line_protocol.h"
#include "storage/column_batch.h"

namespace idem {

class SessionState;
struct StatementRun;

// "name" as a quoted identifier of SQL.
std::string quoted_identifier(std::string_view name);
// A name as an unquoted identifier of SQL means it.
std::string folded_identifier(std::string_view name);
// Runs one statement that gives no rows, in the session's transaction.
void run_command(SessionState& session, const std::string& sql);
// Somebody else created, altered or dropped the table at the same time: the whole is worth another try.
bool is_lost_race(const SqlError& error);
// The definition of the column that a tag or field becomes: `"rain" BOOLEAN KEEP NON NULL`.
std::string tag_definition(std::string_view name);
std::string field_definition(const LineField& field);

// One table that lines go to: the columns of the names that senders use, and a batch of rows.
class LineTarget {
 public:
  // 42501, 42809 … as INSERT.
  LineTarget(SessionState& session, std::string table);

  // Adds a row; columns that are missing are added first. False if the line does not fit, and why. Time in microseconds.
  bool append(const LinePoint& point, std::optional<int64_t> micros, int64_t now_micros, std::string* error);
  // Hands the rows to the transaction.
  void flush();

 private:
  struct Cell {
    uint64_t line = 0;      // that it is of
    bool is_text = false;   // the column has strings or symbols
    std::string_view text;  // of strings and symbols
    // Of others; no type has a larger one.
    alignas(Decimal) unsigned char element[sizeof(Decimal)] = {};
  };

  void bind();
  bool find_columns(const LinePoint& point);
  int column_of(std::string_view name, size_t place);
  bool add_missing_columns(const LinePoint& point, std::string* error);
  bool convert(const ColumnSchema& column, const LineValue& value, Cell* cell, std::string* error);
  bool convert_by_text(const ColumnSchema& column, std::string_view text, Cell* cell, std::string* error);
  void append_row();

  SessionState& session_;
  const std::string table_;
  std::shared_ptr<const TableSchema> schema_;
  std::shared_ptr<StatementRun> run_;  // of the defaults, as is all until default_values_
  EvaluationState default_state_;
  std::vector<BoundPtr> defaults_;
  std::optional<DefaultValues> default_values_;
  std::vector<Cell> cells_;     // a row, by column
  std::vector<size_t> needed_;  // columns that have to be given
  uint64_t line_ = 0;
  std::vector<int> columns_;  // of this line's tags and fields; -1: missing
  std::vector<std::pair<std::string, int>>
      places_;  // names of the line before, in its order, and their columns
  StringArena arena_;
  std::optional<ColumnBatch> batch_;
};

}  // namespace idem
