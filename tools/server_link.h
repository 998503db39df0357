#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "tools/text_table.h"

struct pg_conn;
struct pg_result;

namespace idem::tools {

struct ResultDeleter {
  void operator()(pg_result* result) const;
};
using ResultPtr = std::unique_ptr<pg_result, ResultDeleter>;

// A connection to the server. Used by one thread. Errors of the server are SqlError with all their fields; notices go to standard
// error. A statement that fails leaves the connection usable.
class ServerLink {
 public:
  // Throws UsageError when there is no server, or it does not let us in.
  explicit ServerLink(const std::string& connection_text);
  ~ServerLink();
  ServerLink(const ServerLink&) = delete;
  ServerLink& operator=(const ServerLink&) = delete;

  // Runs the statements of `sql` and gives the result of each to `on_result`. COPY among them is refused.
  void execute(const std::string& sql, const std::function<void(const pg_result*)>& on_result = {});
  // The rows of the last statement of `sql`.
  TextTable query(const std::string& sql);
  // The first value of the only row; nothing if it is NULL.
  TextTable::Cell value(const std::string& sql);
  std::string server_version() const;

  void begin_copy(const std::string& copy_statement);
  void put_copy_data(std::string_view bytes);
  // The number of rows that the server took.
  uint64_t end_copy();

  // Gives the bytes of COPY … TO STDOUT to `on_data`, which may throw; returns the number of rows.
  uint64_t copy_out(const std::string& copy_statement, const std::function<void(std::string_view)>& on_data);

 private:
  [[noreturn]] void fail_connection();
  uint64_t copied_rows();  // at the end of a COPY

  pg_conn* connection_;  // libpq's handle; closed by the destructor
};

TextTable to_table(const pg_result* result);

// "a b" → "\"a b\"".
std::string quoted_identifier(std::string_view name);
std::string quoted_literal(std::string_view text);
// "schema.table" or "table", each part quoted only where it needs to be.
std::string quoted_table(std::string_view name);

}  // namespace idem::tools
