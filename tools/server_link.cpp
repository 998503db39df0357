#include "tools/server_link.h"

#include <libpq-fe.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

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
  if (const std::string position = field(PG_DIAG_STATEMENT_POSITION); !position.empty()) text += " (at character " + position + ")";
  SqlError error(state.empty() ? sqlstate::kConnectionFailure : std::string_view(state), state.empty() ? text : state + ": " + text);
  error.with_detail(field(PG_DIAG_MESSAGE_DETAIL)).with_hint(field(PG_DIAG_MESSAGE_HINT)).with_context(field(PG_DIAG_CONTEXT));
  return error;
}

bool is_copy(ExecStatusType status) {
  return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

}  // namespace

void ResultDeleter::operator()(pg_result* result) const { PQclear(result); }

ServerLink::ServerLink(const std::string& connection_text) : connection_(PQconnectdb(connection_text.c_str())) {
  if (PQstatus(connection_) == CONNECTION_OK) {
    PQsetNoticeProcessor(connection_, [](void*, const char* text) { std::cerr << text; }, nullptr);
    return;
  }
  const std::string text = trimmed(PQerrorMessage(connection_));
  PQfinish(connection_);
  throw UsageError(text);
}

ServerLink::~ServerLink() { PQfinish(connection_); }

void ServerLink::fail_connection() { throw SqlError(sqlstate::kConnectionFailure, trimmed(PQerrorMessage(connection_))); }

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
      error = SqlError(sqlstate::kFeatureNotSupported, "COPY FROM STDIN and TO STDOUT are not possible here: use idem import or psql");
    } else if (is_copy(status)) {
      throw SqlError(sqlstate::kFeatureNotSupported, "COPY TO STDOUT is not possible here: use psql");
    } else if (!error && on_result) {
      on_result(result.get());
    }
  }
  if (error) throw *error;
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
  uint64_t rows = 0;
  std::optional<SqlError> error;
  while (ResultPtr result{PQgetResult(connection_)}) {
    if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) rows = std::strtoull(PQcmdTuples(result.get()), nullptr, 10);
    else if (!error) error = error_of(result.get());
    if (PQstatus(connection_) != CONNECTION_OK) break;
  }
  if (error) throw *error;
  return rows;
}

std::string quoted_identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string quoted_literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

}  // namespace idem::tools
