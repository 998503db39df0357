#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

struct pg_conn;
struct pg_result;

namespace idem::tools {

struct ResultDeleter {
  void operator()(pg_result* result) const;
};
using ResultPtr = std::unique_ptr<pg_result, ResultDeleter>;

// A connection for what libpqxx 6 does not offer: every result of a text of several statements, and COPY of bytes as they are.
// Used by one thread. Errors of the server are SqlError with all their fields; notices go to standard error. A statement that
// fails leaves the connection usable.
class ServerLink {
 public:
  // Throws UsageError when there is no server, or it does not let us in.
  explicit ServerLink(const std::string& connection_text);
  ~ServerLink();
  ServerLink(const ServerLink&) = delete;
  ServerLink& operator=(const ServerLink&) = delete;

  // Runs the statements of `sql` and gives the result of each to `on_result`. COPY among them is refused.
  void execute(const std::string& sql, const std::function<void(const pg_result*)>& on_result = {});

  void begin_copy(const std::string& copy_statement);
  void put_copy_data(std::string_view bytes);
  // The number of rows that the server took.
  uint64_t end_copy();

 private:
  [[noreturn]] void fail_connection();

  pg_conn* connection_;  // libpq's handle; closed by the destructor
};

// "a b" → "\"a b\"".
std::string quoted_identifier(std::string_view name);
std::string quoted_literal(std::string_view text);

}  // namespace idem::tools
