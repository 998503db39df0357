#include "parser/statement_parser.h"

namespace idem::parser {

using namespace ast;

StatementPtr StatementParser::parse_copy() {
  auto copy = make<CopyStatement>(position());
  expect(Keyword::kCopy);
  const uint32_t binary_position = position();
  const bool binary = accept(Keyword::kBinary);
  if (token().kind == TokenKind::kLeftParen) {
    advance();
    const Keyword word = token().keyword;
    if (word == Keyword::kInsert || word == Keyword::kUpdate || word == Keyword::kDelete ||
        word == Keyword::kMerge) {
      unsupported("COPY of a statement that modifies data", position());
    }
    copy->query = parse_query();
    expect(TokenKind::kRightParen);
  } else {
    copy->table = parse_object_name("a table name");
    if (token().kind == TokenKind::kLeftParen) copy->columns = parse_name_list_in_parens("a column name");
  }
  if (!copy->query && accept(Keyword::kFrom)) {
    copy->from = true;
  } else {
    expect(Keyword::kTo);
  }
  parse_copy_endpoint(*copy);

  using Kind = Option::ValueKind;
  if (binary) copy->options.push_back({"format", Kind::kWord, "binary", {}, binary_position});
  if (accept(Keyword::kUsing) && !at(Keyword::kDelimiters)) fail();
  if (at(Keyword::kDelimiters)) {
    Option option{"delimiter", Kind::kString, {}, {}, position()};
    advance();
    option.value = parse_string("a delimiter");
    copy->options.push_back(std::move(option));
  }
  accept(Keyword::kWith);
  if (at(TokenKind::kLeftParen)) {
    for (Option& option : parse_options()) copy->options.push_back(std::move(option));
  } else {
    while (token().kind == TokenKind::kWord && token().keyword != Keyword::kWhere)
      parse_old_copy_option(*copy);
  }
  if (at(Keyword::kWhere)) {
    if (!copy->from) {
      throw sql_error(sqlstate::kSyntaxError, "WHERE clause not allowed with COPY TO")
          .with_position(position());
    }
    advance();
    copy->where = parse_expression();
  }
  return copy;
}

void StatementParser::parse_copy_endpoint(CopyStatement& copy) {
  if (at(Keyword::kProgram)) unsupported("COPY with a program", position());
  if (accept(Keyword::kStdin) || accept(Keyword::kStdout)) {
    copy.endpoint = copy.from ? CopyStatement::Endpoint::kStdin : CopyStatement::Endpoint::kStdout;
    return;
  }
  copy.endpoint = CopyStatement::Endpoint::kFile;
  copy.file = parse_string("a file name");
}

// One option of COPY t FROM 'file' CSV DELIMITER ';' HEADER, under the name that it has in the new syntax.
void StatementParser::parse_old_copy_option(CopyStatement& copy) {
  using Kind = Option::ValueKind;
  Option option;
  option.position = position();
  const Keyword word = token().keyword;
  option.name = fold_identifier(source());
  const auto columns = [&] {
    if (accept_operator("*")) {
      option.kind = Kind::kStar;
      return;
    }
    option.kind = Kind::kList;
    for (const Identifier& name : parse_name_list("a column name")) option.list.push_back(name.text);
  };
  switch (word) {
    case Keyword::kCsv:
    case Keyword::kBinary:
      advance();
      option.value = option.name;
      option.name = "format";
      option.kind = Kind::kWord;
      break;
    case Keyword::kFreeze: advance(); break;
    case Keyword::kHeader:
      advance();
      if (token().keyword == Keyword::kTrue || token().keyword == Keyword::kFalse ||
          token().keyword == Keyword::kMatch) {
        option.kind = Kind::kWord;
        option.value = take_identifier().text;
      }
      break;
    case Keyword::kDelimiter:
    case Keyword::kNull:
    case Keyword::kQuote:
    case Keyword::kEscape:
      advance();
      accept(Keyword::kAs);
      option.kind = Kind::kString;
      option.value = parse_string("a string");
      break;
    case Keyword::kEncoding:
      advance();
      option.kind = Kind::kString;
      option.value = parse_string("an encoding");
      break;
    case Keyword::kForce:
      advance();
      if (accept(Keyword::kNot)) {
        expect(Keyword::kNull);
        option.name = "force_not_null";
      } else if (accept(Keyword::kNull)) {
        option.name = "force_null";
      } else {
        expect(Keyword::kQuote);
        option.name = "force_quote";
      }
      columns();
      break;
    default: fail("an option of COPY such as CSV, HEADER, DELIMITER, NULL, QUOTE, ESCAPE, ENCODING");
  }
  copy.options.push_back(std::move(option));
}

}  // namespace idem::parser
