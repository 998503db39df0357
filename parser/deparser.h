#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "parser/ast_ddl.h"
#include "parser/ast_session.h"

namespace idem::parser {

// Writes trees as text. One object makes one text; the methods are spread over the deparse_*.cpp files by
// subject.
class Deparser {
 public:
  std::string take() { return std::move(out_); }

  // deparse_name.cpp
  void name(const ast::Identifier& identifier);
  void names(const std::vector<ast::Identifier>& identifiers);
  void names_in_parens(const std::vector<ast::Identifier>& identifiers);
  void dotted(const std::vector<ast::Identifier>& parts);
  void object(const ast::ObjectName& object_name);
  void objects(const std::vector<ast::ObjectName>& object_names);
  void word(std::string_view text);     // a name that is kept as plain text
  void literal(std::string_view text);  // 'text'
  void literals(const std::vector<std::string>& texts);
  void type(const ast::TypeName& type_name);
  // (name value, …), or with " = " between as in WITH (…) and SET (…).
  void options(const std::vector<ast::Option>& option_list, std::string_view between = " = ");

  // deparse_expression.cpp
  void expression(const ast::Expression& e);
  void statement(const ast::Statement& s);

  // deparse_query.cpp
  void query(const ast::Query& q);

 private:
  void put(std::string_view text) { out_ += text; }
  template <class List, class Item>
  void list(const List& items, Item item) {
    bool first = true;
    for (const auto& i : items) {
      if (!first) out_ += ", ";
      first = false;
      item(i);
    }
  }

  // deparse_expression.cpp
  void operand(const ast::Expression& e, int weakest);  // in parentheses where it binds more weakly than that
  void expressions(const ast::ExpressionList& items);
  void literal_value(const ast::Literal& e);
  void operation(const ast::Operator& e);
  void symbol(const std::string& operator_symbol, const std::string& schema);
  void logical(const ast::Logical& e);
  void quantified(const ast::Quantified& e);
  void in(const ast::In& e);
  void like(const ast::Like& e);
  void is(const ast::Is& e);
  void case_expression(const ast::Case& e);
  void subscript(const ast::Subscript& e);
  void function(const ast::FunctionCall& e);
  void function_name(const ast::FunctionCall& e);
  void array_items(const ast::Array& e);
  void window(const ast::WindowSpec& w);
  void frame_bound(const ast::FrameBound& bound);
  void order_items(const std::vector<ast::OrderItem>& items);

  // deparse_query.cpp
  void with(const ast::With& w);
  void select(const ast::Select& s);
  void select_items(const std::vector<ast::SelectItem>& items);
  void values(const std::vector<ast::ExpressionList>& rows);
  void set_operation(const ast::Query& q);
  void group_items(const std::vector<ast::GroupItem>& items);
  void sample_by(const ast::SampleBy& s);
  void latest_on(const ast::LatestOn& l);
  void query_tail(const ast::Query& q);
  void time_span(const ast::TimeSpan& span);
  void table(const ast::TableRef& t);
  void tables(const std::vector<ast::TableRefPtr>& list_of_tables);
  void joined_operand(const ast::TableRef& t);
  void named_table(const ast::NamedTable& t);
  void table_function(const ast::TableFunction& t);
  void join(const ast::Join& j);
  void window_join_bound(const ast::WindowJoinBound& bound);
  void alias(const ast::TableRef& t);
  void version(const ast::VersionClause& v);

  // deparse_dml.cpp
  bool dml_statement(const ast::Statement& s);
  void insert(const ast::InsertStatement& s);
  void update(const ast::UpdateStatement& s);
  void delete_from(const ast::DeleteStatement& s);
  void merge(const ast::MergeStatement& s);
  void merge_clause(const ast::MergeClause& c);
  void copy(const ast::CopyStatement& s);
  void assignments(const std::vector<ast::Assignment>& list_of_assignments);
  void returning(const std::vector<ast::SelectItem>& items);
  void where(const ast::ExpressionPtr& condition, const ast::Identifier& cursor);

  // deparse_ddl.cpp
  bool ddl_statement(const ast::Statement& s);
  void create_table(const ast::CreateTableStatement& s);
  void column(const ast::ColumnDefinition& c);
  void dedup(const ast::DedupClause& d);
  void ttl(const ast::TtlClause& t);
  void create_view(const ast::CreateViewStatement& s);
  void create_materialized_view(const ast::CreateMaterializedViewStatement& s);
  void refresh_clause(const ast::RefreshClause& r);
  void alter_table(const ast::AlterTableStatement& s);
  void alter_action(const ast::AlterAction& a);
  void partitions(const ast::AlterAction& a);

  // deparse_admin.cpp
  bool admin_statement(const ast::Statement& s);
  void role(const ast::RoleName& r);
  void roles(const std::vector<ast::RoleName>& list_of_roles);
  void role_options(const ast::RoleOptions& o);
  void alter_role(const ast::AlterRoleStatement& s);
  void setting_change(const std::string& setting, bool reset, const std::vector<std::string>& setting_values);
  void grant(const ast::Grant& g);
  void vacuum(const ast::VacuumStatement& s);
  void comment(const ast::CommentStatement& s);
  std::string_view object_kind(ast::ObjectKind kind);

  // deparse_session.cpp
  bool session_statement(const ast::Statement& s);
  void show(const ast::ShowStatement& s);
  void set(const ast::SetStatement& s);
  void transaction(const ast::TransactionStatement& s);
  void modes(const ast::TransactionModes& m);
  void declare(const ast::DeclareCursorStatement& s);
  void fetch(const ast::FetchStatement& s);
  void setting_name(const std::string& setting);

  std::string out_;
};

}  // namespace idem::parser
