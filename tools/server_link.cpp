#include "tools/server_link.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <libpq-fe.h>

#include "common/error.h"
#include "tools/command.h"

namespace idem::tools {

namespace {

std::string trimmed(const char* text) {
  std::string out = text ? text : "";
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

SqlError error_of(const PGresult* result) {
  const auto field = [&](int code) { return trimmed(PQresultErrorField(result, code)); };
  const std::string state = field(PG_DIAG_SQLSTATE);
  std::string text = field(PG_DIAG_MESSAGE_PRIMARY);
  if (text.empty()) text = trimmed(PQresultErrorMessage(result));
  if (const std::string position = field(PG_DIAG_STATEMENT_POSITION); !position.empty())
    text += " (at character " + position + ")";
  SqlError error(state.empty() ? sqlstate::kConnectionFailure : std::string_view(state),
                 state.empty() ? text : state + ": " + text);
  error.with_detail(field(PG_DIAG_MESSAGE_DETAIL))
      .with_hint(field(PG_DIAG_MESSAGE_HINT))
      .with_context(field(PG_DIAG_CONTEXT));
  return error;
}

// Between two quotes, those within doubled.
std::string doubled(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out + quote;
}

TextTable::Kind kind_of(Oid type) {
  switch (type) {
    case 16: return TextTable::Kind::kBoolean;
    case 20:
    case 21:
    case 23:
    case 26:
    case 700:
    case 701:
    case 1700: return TextTable::Kind::kNumber;
    case 114:
    case 3802: return TextTable::Kind::kJson;
    default: return TextTable::Kind::kText;
  }
}

bool is_copy(ExecStatusType status) {
  return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

}  // namespace

void ResultDeleter::operator()(pg_result* result) const { PQclear(result); }

ServerLink::ServerLink(const std::string& connection_text)
    : connection_(PQconnectdb(connection_text.c_str())) {
  if (PQstatus(connection_) == CONNECTION_OK) {
    PQsetNoticeProcessor(
        connection_, [](void*, const char* text) { std::cerr << text; }, nullptr);
    return;
  }
  const std::string text = trimmed(PQerrorMessage(connection_));
  PQfinish(connection_);
  throw UsageError(text);
}

ServerLink::~ServerLink() { PQfinish(connection_); }

void ServerLink::fail_connection() {
  throw SqlError(sqlstate::kConnectionFailure, trimmed(PQerrorMessage(connection_)));
}

void ServerLink::execute(const std::string& sql, const std::function<void(const pg_result*)>& on_result) {
  if (PQsendQuery(connection_, sql.c_str()) != 1) fail_connection();
  std::optional<SqlError> error;
  while (ResultPtr result{PQgetResult(connection_)}) {
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
      if (!error) error = error_of(result.get());
      if (PQstatus(connection_) != CONNECTION_OK) break;
    } else if (status == PGRES_COPY_IN) {
      PQputCopyEnd(connection_, "COPY is not possible here");
      error = SqlError(sqlstate::kFeatureNotSupported,
                       "COPY FROM STDIN and TO STDOUT are not possible here: use idem import or psql");
    } else if (is_copy(status)) {
      throw SqlError(sqlstate::kFeatureNotSupported, "COPY TO STDOUT is not possible here: use psql");
    } else if (!error && on_result) {
      on_result(result.get());
    }
  }
  if (error) throw *error;
}

TextTable ServerLink::query(const std::string& sql) {
  TextTable table;
  execute(sql, [&table](const pg_result* result) { table = to_table(result); });
  return table;
}

TextTable::Cell ServerLink::value(const std::string& sql) {
  const TextTable table = query(sql);
  if (table.row_count() != 1) throw sql_error(sqlstate::kInternalError, "one row was expected of {}", sql);
  return table.cell(0, 0);
}

std::string ServerLink::server_version() const {
  const char* version = PQparameterStatus(connection_, "server_version");
  return version ? version : "";
}

void ServerLink::begin_copy(const std::string& copy_statement) {
  const ResultPtr result(PQexec(connection_, copy_statement.c_str()));
  if (PQresultStatus(result.get()) != PGRES_COPY_IN) throw error_of(result.get());
}

void ServerLink::put_copy_data(std::string_view bytes) {
  if (PQputCopyData(connection_, bytes.data(), static_cast<int>(bytes.size())) != 1) fail_connection();
}

uint64_t ServerLink::end_copy() {
  if (PQputCopyEnd(connection_, nullptr) != 1) fail_connection();
  return copied_rows();
}

uint64_t ServerLink::copied_rows() {
  uint64_t rows = 0;
  std::optional<SqlError> error;
  while (ResultPtr result{PQgetResult(connection_)}) {
    if (PQresultStatus(result.get()) == PGRES_COMMAND_OK)
      rows = std::strtoull(PQcmdTuples(result.get()), nullptr, 10);
    else if (!error) error = error_of(result.get());
    if (PQstatus(connection_) != CONNECTION_OK) break;
  }
  if (error) throw *error;
  return rows;
}

uint64_t ServerLink::copy_out(const std::string& copy_statement,
                              const std::function<void(std::string_view)>& on_data) {
  {
    const ResultPtr begun(PQexec(connection_, copy_statement.c_str()));
    if (PQresultStatus(begun.get()) != PGRES_COPY_OUT) throw error_of(begun.get());
  }
  const auto release = [](char* buffer) { PQfreemem(buffer); };
  while (true) {
    char* buffer = nullptr;
    const int bytes = PQgetCopyData(connection_, &buffer, 0);
    const std::unique_ptr<char, decltype(release)> owner(buffer, release);
    if (bytes == -2) fail_connection();
    if (bytes < 0) break;
    on_data(std::string_view(buffer, static_cast<size_t>(bytes)));
  }
  return copied_rows();
}

TextTable to_table(const pg_result* result) {
  TextTable table;
  const int columns = PQnfields(result);
  for (int c = 0; c < columns; ++c) table.add_column(PQfname(result, c), kind_of(PQftype(result, c)));
  for (int r = 0; r < PQntuples(result); ++r) {
    std::vector<TextTable::Cell> cells;
    for (int c = 0; c < columns; ++c) {
      cells.push_back(PQgetisnull(result, r, c) ? TextTable::Cell()
                                                : TextTable::Cell(PQgetvalue(result, r, c)));
    }
    table.add_row(std::move(cells));
  }
  return table;
}

std::string quoted_identifier(std::string_view name) { return doubled(name, '"'); }

std::string quoted_literal(std::string_view text) { return doubled(text, '\''); }

std::string quoted_table(std::string_view name) {
  const auto part = [](std::string_view text) {
    const bool plain = !text.empty() &&
                       text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == text.npos &&
                       (text[0] < '0' || text[0] > '9');
    return plain ? std::string(text) : quoted_identifier(text);
  };
  const size_t dot = name.find('.');
  return dot == name.npos ? part(name) : part(name.substr(0, dot)) + "." + part(name.substr(dot + 1));
}

}  // namespace idem::tools
