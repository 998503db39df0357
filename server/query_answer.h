#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "query/copy_writer.h"
#include "query/session.h"
#include "server/http_message.h"
#include "server/json_rows.h"

namespace idem {

// What there is to tell of a query beside its rows.
struct QueryOutcome {
  bool has_rows = false;
  std::string tag;  // where it has none: "INSERT 0 3"; "" of an empty query
  uint64_t rows_read = 0;
  std::optional<WriteCounts> written;  // of the transaction that it committed
  std::vector<Notice> notices;
  std::optional<std::vector<std::string>> plan;
  std::optional<std::pair<int64_t, int64_t>> timings_micros;  // compile, execute
};

// The answer to a query in one of the forms of docs/http.md, written while its rows come.
class QueryAnswer {
 public:
  virtual ~QueryAnswer() = default;
  virtual void begin_rows(const std::vector<PlanColumn>& columns) = 0;
  // The selected rows [first, first + count) of the chunk. May wait for the client: ConnectionClosed.
  virtual void rows(const DataChunk& chunk, uint32_t first, uint32_t count) = 0;
  virtual HttpAnswer finish(const QueryOutcome& outcome) = 0;
  virtual HttpAnswer fail(const SqlError& error, uint64_t rows_read) = 0;
};

struct JsonAnswerOptions {
  std::string query;
  bool has_metadata = true, quotes_large_numbers = false;
};
std::unique_ptr<QueryAnswer> make_json_answer(HttpChannel& channel, JsonAnswerOptions options);

struct CsvAnswerOptions {
  std::string query;
  char delimiter = ',';
  bool has_header = true;
};
std::unique_ptr<QueryAnswer> make_csv_answer(HttpChannel& channel, CsvAnswerOptions options);

// An error of /exec, as the members of an object (without braces). `query`: for the error's place in characters.
std::string json_error_members(const SqlError& error, std::string_view query);
// The answer {"query":…,"error":…,…} with the status of the error.
HttpAnswer json_error_answer(const SqlError& error, std::string_view query);

}  // namespace idem
