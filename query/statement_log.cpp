#include "query/statement_log.h"

#include <algorithm>

namespace idem {

namespace {

using ast::StatementKind;

constexpr std::string_view kKeyword = "password";

bool same_letters(char c, char lower) { return c == lower || (c >= 'A' && c <= 'Z' && c + 32 == lower); }

// Behind the literal that begins at `at`; `at` itself if none does. One that does not end reaches to the end.
size_t end_of_literal(std::string_view sql, size_t at) {
  const bool has_escapes = at < sql.size() && same_letters(sql[at], 'e');
  size_t begin = at + has_escapes;
  if (begin < sql.size() && sql[begin] == '\'') {
    for (size_t i = begin + 1; i < sql.size(); ++i) {
      if (has_escapes && sql[i] == '\\') ++i;
      else if (sql[i] == '\'' && !sql.substr(i + 1).starts_with('\'')) return i + 1;
      else if (sql[i] == '\'') ++i;
    }
    return sql.size();
  }
  if (at >= sql.size() || sql[at] != '$') return at;
  const size_t tag_end = sql.find('$', at + 1);
  if (tag_end == sql.npos) return at;
  const std::string_view tag = sql.substr(at, tag_end + 1 - at);
  const size_t end = sql.find(tag, tag_end + 1);
  return end == sql.npos ? sql.size() : end + tag.size();
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
  std::string out;
  while (true) {
    const auto found = std::search(sql.begin(), sql.end(), kKeyword.begin(), kKeyword.end(), same_letters);
    if (found == sql.end()) return out.append(sql);
    size_t at = static_cast<size_t>(found - sql.begin()) + kKeyword.size();
    at = std::min(sql.find_first_not_of(" \t\r\n", at), sql.size());
    const size_t end = end_of_literal(sql, at);
    out.append(sql.substr(0, at));
    if (end > at) out += "'***'";
    sql.remove_prefix(end);
  }
}

}  // namespace idem
