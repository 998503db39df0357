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

class BackgroundTask;
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
  // 42501, 42809 … as INSERT. `inserts`: what hands rows to the transaction; it must have ended whenever anything else uses the session.
  LineTarget(SessionState& session, BackgroundTask& inserts, std::string table);

  // Adds a row; columns that are missing are added first. False if the line does not fit, and why. Time in microseconds.
  bool append(const LinePoint& point, std::optional<int64_t> micros, int64_t now_micros, std::string* error);
  // Hands the rows to the transaction, many of them in the background. Throws what handing on those before threw.
  void flush();

 private:
  // A tag or a field of lines of one shape, and its value in the line at hand.
  struct Place {
    size_t column = 0;
    bool is_text = false;   // the column has strings or symbols
    std::string_view text;  // of strings and symbols
    // Of others; no type has a larger one.
    alignas(Decimal) unsigned char element[sizeof(Decimal)] = {};
  };

  void bind();
  bool follow_shape(const LinePoint& point, std::string* error);
  bool find_columns(const LinePoint& point);
  int column_of(std::string_view name, size_t place);
  bool add_missing_columns(const LinePoint& point, std::string* error);
  bool convert(const LineValue& value, Place* place, std::string* error);
  bool convert_by_text(const ColumnSchema& column, std::string_view text, Place* place, std::string* error);
  void append_row(int64_t micros);

  SessionState& session_;
  BackgroundTask& inserts_;
  const std::string table_;
  std::shared_ptr<const TableSchema> schema_;
  std::shared_ptr<StatementRun> run_;  // of the defaults, as is all until default_values_
  EvaluationState default_state_;
  std::vector<BoundPtr> defaults_;
  std::optional<DefaultValues> default_values_;
  std::vector<std::pair<std::string, int>> names_;  // of the line before, in its order, and their columns
  std::vector<int> columns_;                        // of this line's tags and fields; -1: missing
  // Of lines of this shape; 0: of none. The columns that they do not give are missing_, without the time.
  uint64_t shape_ = 0;
  std::vector<Place> places_;
  std::vector<size_t> missing_;
  StringArena arena_;
  std::optional<ColumnBatch> batch_;
};

}  // namespace idem
