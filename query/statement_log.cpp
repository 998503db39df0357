#include "query/statement_log.h"

#include <algorithm>

#include "parser/token_cursor.h"

namespace idem {

namespace {

using ast::StatementKind;

constexpr std::string_view kKeyword = "password";

bool names_password(std::string_view text) {
  const auto same_letters = [](char c, char lower) {
    return c == lower || (c >= 'A' && c <= 'Z' && c + 32 == lower);
  };
  return std::search(text.begin(), text.end(), kKeyword.begin(), kKeyword.end(), same_letters) != text.end();
}

}  // namespace

bool is_audited(StatementKind kind) {
  switch (kind) {
    case StatementKind::kCreateTable:
    case StatementKind::kAlterTable:
    case StatementKind::kDrop:
    case StatementKind::kTruncate:
    case StatementKind::kCreateSchema:
    case StatementKind::kAlterSchema:
    case StatementKind::kCreateView:
    case StatementKind::kCreateMaterializedView:
    case StatementKind::kCreateRole:
    case StatementKind::kAlterRole:
    case StatementKind::kGrant:
    case StatementKind::kAlterDefaultPrivileges:
    case StatementKind::kAlterSystem:
    case StatementKind::kRestoreTable:
    case StatementKind::kUndrop:
    case StatementKind::kVacuum:
    case StatementKind::kForgetRun:
    case StatementKind::kCreateChangeSlot: return true;
    default: return false;
  }
}

std::string without_passwords(std::string_view sql) {
  using parser::TokenKind;
  if (!names_password(sql)) return std::string(sql);
  std::string out;
  size_t shown = 0;
  const auto mask = [&](size_t begin, size_t end) {
    out.append(sql.substr(shown, begin - shown)).append("'***'");
    shown = end;
  };
  bool is_password = false;  // the token before says so
  for (const parser::Token& token : parser::tokenize(sql).list) {
    if (token.kind == TokenKind::kError) {
      // What cannot be read (it may have been cut) is not shown where it may hold one.
      if (is_password || names_password(sql.substr(token.offset))) mask(token.offset, sql.size());
      break;
    }
    if (is_password && parser::is_string_token(token.kind)) mask(token.offset, token.offset + token.length);
    is_password = token.kind == TokenKind::kWord && token.keyword == parser::Keyword::kPassword;
  }
  return out.append(sql.substr(shown));
}

}  // namespace idem
