#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast_node.h"
#include "parser/lexer.h"

namespace idem::parser {

constexpr bool is_string_token(TokenKind kind) {
  return kind >= TokenKind::kString && kind <= TokenKind::kDollarString;
}

// Walks over the tokens of a text: looking, accepting, expecting, and failing as PostgreSQL does.
//
// A second walk over a text that failed, with `explain` on, notes what was looked for at each token, so that
// the error can say what was expected; the first walk pays nothing for it.
class TokenCursor {
 public:
  // `text` and `tokens` must outlive the cursor.
  TokenCursor(std::string_view text, const Tokens& tokens, bool explain)
      : text_(text), tokens_(tokens), token_(tokens.list.data()), explain_(explain) {}

  bool at_end() const { return token_->kind == TokenKind::kEnd; }
  const Token& token() const { return *token_; }
  const Token& peek(size_t ahead = 1) const { return token_[ahead]; }
  uint32_t position() const { return token_->offset + 1; }
  std::string_view source(const Token& token) const { return text_.substr(token.offset, token.length); }
  std::string_view source() const { return source(*token_); }

  void advance() {
    if (explain_) expected_.clear();
    if (token_->kind != TokenKind::kEnd) ++token_;
  }

  bool at(Keyword keyword) {
    if (token_->keyword == keyword) return true;
    if (explain_) note(keyword);
    return false;
  }
  bool at(Keyword first, Keyword second) {
    if (token_->keyword == first && token_[1].keyword == second) return true;
    if (explain_) note(first, second);
    return false;
  }
  bool at(TokenKind kind) {
    if (token_->kind == kind) return true;
    if (explain_) note(kind);
    return false;
  }
  // Without a note: to choose between readings of the same words.
  bool next_is(Keyword keyword, size_t ahead = 1) const { return peek(ahead).keyword == keyword; }
  bool next_is(TokenKind kind, size_t ahead = 1) const { return peek(ahead).kind == kind; }
  bool is_operator(std::string_view symbol, size_t ahead = 0) const {
    return peek(ahead).kind == TokenKind::kOperator && source(peek(ahead)) == symbol;
  }

  bool accept(Keyword keyword) {
    if (!at(keyword)) return false;
    advance();
    return true;
  }
  bool accept(Keyword first, Keyword second) {
    if (!at(first, second)) return false;
    advance();
    advance();
    return true;
  }
  bool accept(TokenKind kind) {
    if (!at(kind)) return false;
    advance();
    return true;
  }
  bool accept_operator(std::string_view symbol) {
    if (!is_operator(symbol)) return false;
    advance();
    return true;
  }
  void expect(Keyword keyword) {
    if (!accept(keyword)) fail();
  }
  void expect(Keyword first, Keyword second) {
    expect(first);
    expect(second);
  }
  void expect(TokenKind kind) {
    if (!accept(kind)) fail();
  }

  // "syntax error at or near …"; `expected` says in words what should have stood here, e.g. "a table name".
  [[noreturn]] void fail(std::string_view expected = {});
  [[noreturn]] void unsupported(std::string_view what, uint32_t at_position);  // 0A000
  void note_expected(std::string_view what) {
    if (explain_) note(what);
  }

  // Names. PostgreSQL's ColId, type_function_name and ColLabel.
  static bool is_column_name(const Token& token);
  static bool is_function_name(const Token& token);
  static bool is_label(const Token& token) {
    return token.kind == TokenKind::kWord || token.kind == TokenKind::kQuotedIdentifier ||
           token.kind == TokenKind::kUnicodeIdentifier;
  }
  ast::Identifier take_identifier();                         // the token whatever it is
  ast::Identifier parse_name(std::string_view what);         // ColId
  ast::Identifier parse_label(std::string_view what);        // any word
  ast::Identifier parse_ddl_name(std::string_view what);     // ColId or 'name'
  ast::ObjectName parse_object_name(std::string_view what);  // up to three parts; 'name' too
  std::vector<ast::Identifier> parse_qualified_name(std::string_view what);
  std::vector<ast::Identifier> parse_name_list(std::string_view what);  // a, b
  std::vector<ast::Identifier> parse_name_list_in_parens(std::string_view what);

  // Constants.
  bool at_string() {
    if (is_string_token(token_->kind)) return true;
    note_expected("a string");
    return false;
  }
  std::string take_string();
  std::string parse_string(std::string_view what);
  int64_t parse_integer(std::string_view what);  // unsigned digits, 22003 beyond int64
  int64_t parse_signed_integer(std::string_view what);

 protected:
  // What a failed walk looked for, with the nearest spelling. For the error's hint.
  std::string hint() const;

 private:
  void note(Keyword first, Keyword second = Keyword::kNotKeyword);
  void note(TokenKind kind);
  void note(std::string_view what);

  std::string_view text_;
  const Tokens& tokens_;
  const Token* token_;
  bool explain_;
  std::vector<std::string> expected_;  // at the current token
};

}  // namespace idem::parser
