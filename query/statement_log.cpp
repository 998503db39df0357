#include "query/statement_log.h"

#include <algorithm>

#include "common/error.h"
#include "parser/parser.h"
#include "parser/token_cursor.h"

namespace idem {

namespace {

using ast::StatementKind;

bool names(std::string_view text, std::string_view lower_case_word) {
  const auto same_letters = [](char c, char lower) {
    return c == lower || (c >= 'A' && c <= 'Z' && c + 32 == lower);
  };
  return std::search(text.begin(), text.end(), lower_case_word.begin(), lower_case_word.end(),
                     same_letters) != text.end();
}

bool names_password(std::string_view text) { return names(text, "password"); }

bool may_change_roles(std::string_view text) {
  return (names(text, "create") || names(text, "alter")) &&
         (names(text, "role") || names(text, "user") || names(text, "group"));
}

bool is_readable(std::string_view sql) {
  try {
    parser::parse_statements(sql);
    return true;
  } catch (const SqlError&) { return false; }
}

// Masks parts of a text, from its begin on.
class Mask {
 public:
  explicit Mask(std::string_view text) : text_(text) {}
  void hide(size_t begin, size_t end) {
    if (begin < hidden_to_) return;
    out_.append(text_.substr(hidden_to_, begin - hidden_to_)).append("'***'");
    hidden_to_ = end;
  }
  std::string finish() { return out_.append(text_.substr(hidden_to_)); }

 private:
  const std::string_view text_;
  std::string out_;
  size_t hidden_to_ = 0;
};

// Where a text that is no SQL may hold a password: behind the word, behind the name of a role, in what is no token.
bool may_show_password(std::string_view sql, const parser::Token* first, const parser::Token& token) {
  using parser::Keyword;
  const parser::Token* const before = &token - 1;
  if (token.kind == parser::TokenKind::kError && names_password(sql.substr(token.offset))) return true;
  if (&token == first) return false;
  if (before->keyword == Keyword::kPassword) return true;
  if (&token - first < 3 || before->kind == parser::TokenKind::kSemicolon) return false;
  const Keyword verb = before[-2].keyword, what = before[-1].keyword;
  const bool begins = &before[-2] == first || before[-3].kind == parser::TokenKind::kSemicolon;
  return begins && (verb == Keyword::kCreate || verb == Keyword::kAlter) &&
         (what == Keyword::kRole || what == Keyword::kUser || what == Keyword::kGroup);
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
  if (!names_password(sql) && !may_change_roles(sql)) return std::string(sql);
  const bool is_sql = is_readable(sql);
  const parser::Tokens tokens = parser::tokenize(sql);
  Mask mask(sql);
  size_t end = 0;            // of the token before
  bool is_password = false;  // which says so
  for (const parser::Token& token : tokens.list) {
    if (names_password(sql.substr(end, token.offset - end))) mask.hide(end, token.offset);  // a comment
    if (!is_sql && token.kind != parser::TokenKind::kEnd &&
        may_show_password(sql, tokens.list.data(), token)) {
      mask.hide(token.offset, sql.size());
      break;
    }
    end = token.offset + token.length;
    if (is_password && parser::is_string_token(token.kind)) mask.hide(token.offset, end);
    if (is_password && token.kind == parser::TokenKind::kOperator) continue;
    is_password = token.kind == parser::TokenKind::kWord && token.keyword == parser::Keyword::kPassword;
  }
  return mask.finish();
}

}  // namespace idem
