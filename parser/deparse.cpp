#include "parser/deparse.h"

#include "parser/deparser.h"

namespace idem::parser {

void Deparser::statement(const ast::Statement& s) {
  if (dml_statement(s) || ddl_statement(s) || admin_statement(s)) return;
  session_statement(s);
}

std::string deparse(const ast::Expression& expression) {
  Deparser deparser;
  deparser.expression(expression);
  return deparser.take();
}

std::string deparse(const ast::Query& query) {
  Deparser deparser;
  deparser.query(query);
  return deparser.take();
}

std::string deparse(const ast::Statement& statement) {
  Deparser deparser;
  deparser.statement(statement);
  return deparser.take();
}

std::string deparse(const ast::TypeName& type) {
  Deparser deparser;
  deparser.type(type);
  return deparser.take();
}

std::string deparse(const ast::ObjectName& name) {
  Deparser deparser;
  deparser.object(name);
  return deparser.take();
}

std::string normalized_text(const ParsedStatement& statement) {
  return statement.statement ? deparse(*statement.statement) : std::string();
}

}  // namespace idem::parser
