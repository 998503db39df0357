#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "query/logical_plan.h"

namespace idem {

// Builds messages of PostgreSQL's wire protocol 3.0, server to client, at the end of a buffer. Integers are in
// network order; each message is its type byte, a length that counts itself, and the body
// (PostgreSQL 15 documentation, chapter 55.7).
class MessageWriter {
 public:
  explicit MessageWriter(std::string& out) : out_(out) {}

  void begin(char type);
  void end();
  void int8(uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void int16(int v);
  void int32(int64_t v);
  void bytes(std::string_view text) { out_.append(text); }
  void text(std::string_view text) { out_.append(text).push_back('\0'); }

  void authentication(int32_t code, std::string_view body = {});
  void authentication_sasl_mechanisms();
  void backend_key_data(int32_t pid, uint32_t key);
  void parameter_status(std::string_view name, std::string_view value);
  void negotiate_protocol_version(const std::vector<std::string>& unknown_options);
  void ready_for_query(char status);
  void command_complete(std::string_view tag);
  void notification_response(int32_t pid, std::string_view channel, std::string_view payload);
  // Fields S V C M D H P W. `statement` turns the error's byte position into characters.
  void error_response(const SqlError& error, std::string_view severity, std::string_view statement);
  void notice_response(const SqlError& notice, std::string_view severity);
  // formats: as in Bind (none, one for all, or one for each column).
  void row_description(const std::vector<PlanColumn>& columns, const std::vector<int16_t>& formats);
  void parameter_description(const std::vector<SqlType>& types);
  void copy_response(char type, bool binary, size_t columns);  // type 'G' in, 'H' out
  void empty(char type) {                                      // messages without a body
    begin(type);
    end();
  }

 private:
  void diagnostic(char type, const SqlError& error, std::string_view severity, std::string_view statement);

  std::string& out_;
  size_t start_ = 0;
};

// The format code of column i under Bind's rule.
int16_t format_of_column(const std::vector<int16_t>& formats, size_t i);

}  // namespace idem
