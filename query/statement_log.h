#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parser/ast_statement.h"

namespace idem {

class SqlError;
struct SessionActivity;

// What is written into the server's log about statements. The server's; thread-safe.
class StatementLog {
 public:
  virtual ~StatementLog() = default;
  virtual bool audits() const = 0;
  // A request took longer than log_min_duration_statement says.
  virtual void slow(const SessionActivity& who, std::string_view text, int64_t micros) = 0;
  // A statement changed (or, with an error, did not) what there is or who may do what.
  virtual void audited(const SessionActivity& who, std::string_view text, const SqlError* error) = 0;
};

bool is_audited(ast::StatementKind kind);

// The text with the literals behind PASSWORD masked: what may be logged and shown to others. What cannot be read is shown up to where a
// password may be, whatever is written there.
std::string without_passwords(std::string_view sql);

}  // namespace idem
