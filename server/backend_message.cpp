#include "server/backend_message.h"

#include <algorithm>

#include "common/utf8.h"
#include "server/frontend_message.h"

namespace idem {

namespace {

constexpr uint32_t kFirstObjectOid = 16384;

void put32(char* at, uint32_t v) {
  at[0] = static_cast<char>(v >> 24);
  at[1] = static_cast<char>(v >> 16);
  at[2] = static_cast<char>(v >> 8);
  at[3] = static_cast<char>(v);
}

}  // namespace

int16_t format_of_column(const std::vector<int16_t>& formats, size_t i) {
  if (formats.empty()) return 0;
  return formats.size() == 1 ? formats[0] : formats[i];
}

void MessageWriter::begin(char type) {
  out_.push_back(type);
  start_ = out_.size();
  out_.append(4, '\0');
}

void MessageWriter::end() { put32(out_.data() + start_, static_cast<uint32_t>(out_.size() - start_)); }

void MessageWriter::int16(int v) {
  out_.push_back(static_cast<char>(v >> 8));
  out_.push_back(static_cast<char>(v));
}

void MessageWriter::int32(int64_t v) {
  char raw[4];
  put32(raw, static_cast<uint32_t>(v));
  out_.append(raw, 4);
}

void MessageWriter::authentication(int32_t code, std::string_view body) {
  begin('R');
  int32(code);
  bytes(body);
  end();
}

void MessageWriter::authentication_sasl_mechanisms() {
  using namespace std::string_view_literals;
  authentication(10, "SCRAM-SHA-256\0\0"sv);
}

void MessageWriter::backend_key_data(int32_t pid, uint32_t key) {
  begin('K');
  int32(pid);
  int32(key);
  end();
}

void MessageWriter::parameter_status(std::string_view name, std::string_view value) {
  begin('S');
  text(name);
  text(value);
  end();
}

void MessageWriter::negotiate_protocol_version(const std::vector<std::string>& unknown_options) {
  begin('v');
  int32(kProtocolVersion3);  // the newest version served: 3.0
  int32(static_cast<int64_t>(unknown_options.size()));
  for (const std::string& option : unknown_options) text(option);
  end();
}

void MessageWriter::ready_for_query(char status) {
  begin('Z');
  int8(static_cast<uint8_t>(status));
  end();
}

void MessageWriter::command_complete(std::string_view tag) {
  begin('C');
  text(tag);
  end();
}

void MessageWriter::diagnostic(char type, const SqlError& error, std::string_view severity,
                               std::string_view statement) {
  auto field = [&](char code, std::string_view value) {
    if (value.empty()) return;
    int8(static_cast<uint8_t>(code));
    text(value);
  };
  begin(type);
  field('S', severity);
  field('V', severity);
  field('C', error.sqlstate());
  field('M', error.message().empty() ? "unknown error" : error.message());
  field('D', error.detail());
  field('H', error.hint());
  if (error.position() && *error.position() <= statement.size() + 1) {
    field('P', std::to_string(utf8_length(statement.substr(0, *error.position() - 1)) + 1));
  }
  field('W', error.context());
  int8(0);
  end();
}

void MessageWriter::error_response(const SqlError& error, std::string_view severity,
                                   std::string_view statement) {
  diagnostic('E', error, severity, statement);
}

void MessageWriter::notice_response(const SqlError& notice, std::string_view severity) {
  diagnostic('N', notice, severity, {});
}

void MessageWriter::notification_response(int32_t pid, std::string_view channel, std::string_view payload) {
  begin('A');
  int32(pid);
  text(channel);
  text(payload);
  end();
}

void MessageWriter::row_description(const std::vector<PlanColumn>& columns,
                                    const std::vector<int16_t>& formats) {
  begin('T');
  int16(static_cast<int>(columns.size()));
  for (size_t i = 0; i < columns.size(); i++) {
    const PlanColumn& c = columns[i];
    text(c.name);
    uint32_t table = static_cast<uint32_t>(c.table);
    int32(table == 0 ? 0 : table + kFirstObjectOid);
    int16(table == 0 ? 0 : static_cast<int>(c.attribute));
    int32(type_oid(c.type));
    int16(type_length(c.type));
    int32(type_modifier_on_wire(c.type));
    int16(format_of_column(formats, i));
  }
  end();
}

void MessageWriter::parameter_description(const std::vector<SqlType>& types) {
  begin('t');
  int16(static_cast<int>(types.size()));
  for (SqlType type : types) int32(type_oid(type));
  end();
}

void MessageWriter::copy_response(char type, bool binary, size_t columns) {
  begin(type);
  int8(binary ? 1 : 0);
  int16(static_cast<int>(columns));
  for (size_t i = 0; i < columns; i++) int16(binary ? 1 : 0);
  end();
}

}  // namespace idem
