#pragma once

#include <algorithm>

#include "parser/ast_ddl.h"
#include "parser/ast_session.h"
#include "parser/parser.h"
#include "parser/token_cursor.h"

namespace idem::parser {

// Binding strengths of operators, weakest first, as in PostgreSQL.
namespace precedence {
enum Level : int {
  kLowest = 0,
  kOr = 1,
  kAnd = 2,
  kNot = 3,
  kIs = 4,
  kComparison = 5,  // does not chain: a < b < c is an error
  kRange = 6,       // BETWEEN, IN, LIKE, ILIKE, SIMILAR TO
  kOther = 7,       // every other operator symbol, OPERATOR(…)
  kSum = 8,
  kProduct = 9,
  kPower = 10,
  kAtTimeZone = 11,
  kCollate = 12,
  kSign = 13,     // unary + and -
  kPostfix = 14,  // :: [ ] .
  kPrimary = 15,
};
}  // namespace precedence

int operator_precedence(std::string_view symbol);

// The recursive descent over one text. One object parses one text on one thread; the methods are spread over
// the parse_*.cpp files by subject, in the order in which they stand here.
class StatementParser : public TokenCursor {
 public:
  using TokenCursor::TokenCursor;

  std::vector<ParsedStatement> parse_all();
  ParsedStatement parse_statement_with_range();
  uint32_t parameter_count() const { return parameter_count_; }

  // parse_type_name.cpp
  ast::TypeName parse_type_name();
  bool at_type_keyword() const;
  std::string parse_interval_fields();

  // parse_expression.cpp
  ast::ExpressionPtr parse_expression(int weakest = precedence::kLowest);
  ast::ExpressionList parse_expression_list();

  // parse_select.cpp
  ast::QueryPtr parse_query();
  bool at_query(size_t ahead = 0) const;

  // parse_statement.cpp
  ast::StatementPtr parse_statement();

 private:
  // Nested calls and trees that grow to the left are both bounded, so that nobody who walks the tree by
  // recursion runs out of stack.
  static constexpr uint32_t kMaxNesting = 1000;
  static constexpr uint32_t kMaxHeight = 2500;
  class Nesting {
   public:
    explicit Nesting(StatementParser& parser) : parser_(parser) {
      if (++parser_.nesting_ > kMaxNesting) parser_.too_complex();
    }
    ~Nesting() { --parser_.nesting_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    StatementParser& parser_;
  };
  // While it lives, height_ is the height of what is parsed in its scope; afterwards the greatest of it and
  // before.
  class HeightScope {
   public:
    explicit HeightScope(StatementParser& parser) : parser_(parser), outer_(parser.height_) {
      parser_.height_ = 0;
    }
    ~HeightScope() { parser_.height_ = std::max(outer_, parser_.height_ + 1); }
    HeightScope(const HeightScope&) = delete;
    HeightScope& operator=(const HeightScope&) = delete;

   private:
    StatementParser& parser_;
    uint32_t outer_;
  };
  // One more level on top of a tree of height `left` and of what was parsed since height_ was set to zero.
  void grow_left(uint32_t left) {
    height_ = std::max(left, height_) + 1;
    if (height_ > kMaxHeight) too_complex();
  }
  [[noreturn]] void too_complex();

  template <class T>
  std::unique_ptr<T> make(uint32_t at_position) {
    auto node = std::make_unique<T>();
    node->position = at_position;
    return node;
  }

  // parse_expression.cpp
  ast::ExpressionPtr parse_prefix();
  bool parse_infix(ast::ExpressionPtr& left, int weakest);
  bool parse_infix_keyword(ast::ExpressionPtr& left, int weakest);
  void parse_logical(ast::ExpressionPtr& left, bool is_and);
  void parse_is(ast::ExpressionPtr& left);
  void parse_in(ast::ExpressionPtr& left, bool negated);
  void parse_between(ast::ExpressionPtr& left, bool negated);
  void parse_like(ast::ExpressionPtr& left, bool negated);
  void parse_overlaps(ast::ExpressionPtr& left);
  void parse_binary_operator(ast::ExpressionPtr& left, int strength, std::string symbol, std::string schema,
                             uint32_t at_position);
  ast::ExpressionPtr parse_quantified(ast::ExpressionPtr left, std::string symbol, std::string schema,
                                      uint32_t at_position);
  bool at_quantifier() const;
  std::pair<std::string, std::string> parse_operator_call();  // OPERATOR(schema.symbol): schema, symbol

  // parse_primary.cpp
  ast::ExpressionPtr parse_primary();
  ast::ExpressionPtr parse_postfix(ast::ExpressionPtr operand);
  ast::ExpressionPtr parse_literal();
  ast::ExpressionPtr parse_number();
  ast::ExpressionPtr parse_keyword_primary();
  ast::ExpressionPtr parse_name_primary();
  ast::ExpressionPtr parse_parenthesized();
  ast::ExpressionPtr parse_case();
  ast::ExpressionPtr parse_cast();
  ast::ExpressionPtr parse_array();
  ast::ExpressionPtr parse_array_items(uint32_t at_position);
  ast::ExpressionPtr parse_row();
  ast::ExpressionPtr parse_subquery(ast::Subquery::Form form, uint32_t at_position);
  ast::ExpressionPtr parse_typed_literal();
  bool at_typed_literal() const;
  ast::ExpressionPtr parse_subscript(ast::ExpressionPtr operand);

  // parse_function.cpp
  std::unique_ptr<ast::FunctionCall> parse_function_call(std::vector<ast::Identifier> name,
                                                         uint32_t at_position);
  void parse_function_arguments(ast::FunctionCall& call);
  void parse_function_tail(ast::FunctionCall& call);
  ast::ExpressionPtr parse_special_function();
  std::unique_ptr<ast::FunctionCall> named_call(std::string_view name, uint32_t at_position);
  void parse_extract(ast::FunctionCall& call);
  void parse_position(ast::FunctionCall& call);
  void parse_substring(ast::FunctionCall& call);
  void parse_overlay(ast::FunctionCall& call);
  void parse_trim(ast::FunctionCall& call);
  ast::ExpressionPtr parse_bare_function(bool may_have_precision);
  ast::WindowSpec parse_window_spec();
  std::unique_ptr<ast::WindowFrame> parse_window_frame();
  ast::FrameBound parse_frame_bound();
  std::vector<ast::OrderItem> parse_order_items();

  // parse_select.cpp
  ast::QueryPtr parse_query_rest(ast::QueryPtr left);  // set operators, ORDER BY, LIMIT, … after an operand
  bool at_query_rest();
  std::unique_ptr<ast::With> parse_with();
  ast::QueryPtr parse_set_operations(ast::QueryPtr left, int weakest);
  ast::QueryPtr parse_query_operand();
  ast::QueryPtr parse_select();
  ast::QueryPtr parse_values();
  ast::QueryPtr parse_table_query();
  void parse_query_tail(ast::Query& query);
  void parse_limit(ast::Query& query);
  void parse_fetch_first(ast::Query& query);
  ast::LockingClause parse_locking();
  std::vector<ast::SelectItem> parse_select_items();
  ast::SelectItem parse_select_item();
  void parse_select_into();
  void parse_where_to_window(ast::Select& select);
  void parse_select_clauses(ast::Select& select);
  std::vector<ast::GroupItem> parse_group_items();
  ast::GroupItem parse_group_item();
  std::unique_ptr<ast::SampleBy> parse_sample_by();
  std::unique_ptr<ast::LatestOn> parse_latest_on();
  ast::TimeSpan parse_time_span();

  // parse_from.cpp
  std::vector<ast::TableRefPtr> parse_from_list();
  ast::TableRefPtr parse_table_ref();
  ast::TableRefPtr parse_table_operand();
  ast::TableRefPtr parse_parenthesized_table();
  ast::TableRefPtr parse_named_table();
  ast::TableRefPtr parse_table_function(bool lateral);
  ast::TableRefPtr parse_rows_from(bool lateral);
  ast::TableRefPtr derived_table(ast::QueryPtr query, uint32_t at_position);
  void parse_column_definitions(ast::TableFunction& function);
  bool parse_join(ast::TableRefPtr& left);
  bool at_join() const;
  bool parse_join_kind(ast::Join& join);
  void parse_join_condition(ast::Join& join);
  void use_key_columns(ast::Join& join);
  void parse_window_join_range(ast::Join& join);
  ast::WindowJoinBound parse_window_join_bound();
  void parse_alias(ast::TableRef& table);
  bool at_bare_alias();
  std::unique_ptr<ast::VersionClause> parse_version_clause();
  bool at_version_clause();

  // parse_dml.cpp
  ast::StatementPtr parse_with_statement();
  ast::StatementPtr parse_insert(std::unique_ptr<ast::With> with);
  ast::StatementPtr parse_update(std::unique_ptr<ast::With> with);
  ast::StatementPtr parse_delete(std::unique_ptr<ast::With> with);
  ast::StatementPtr parse_merge(std::unique_ptr<ast::With> with);
  void parse_insert_source(ast::InsertStatement& insert);
  std::unique_ptr<ast::OnConflict> parse_on_conflict();
  std::vector<ast::SelectItem> parse_returning();
  std::vector<ast::Assignment> parse_assignments();
  void parse_assignment(std::vector<ast::Assignment>& assignments);
  ast::MergeClause parse_merge_clause();
  void parse_merge_insert(ast::MergeClause& clause);
  void parse_where_or_current_of(ast::ExpressionPtr& where, ast::Identifier& cursor);

  // parse_copy.cpp
  ast::StatementPtr parse_copy();
  void parse_copy_endpoint(ast::CopyStatement& copy);
  void parse_old_copy_option(ast::CopyStatement& copy);

  // parse_create.cpp
  ast::StatementPtr parse_create();
  ast::StatementPtr parse_create_table(uint32_t at_position, bool or_replace, bool temporary, bool unlogged);
  void parse_table_elements(ast::CreateTableStatement& create);
  void parse_table_constraint(ast::CreateTableStatement& create);
  ast::ColumnDefinition parse_column_definition();
  bool parse_column_option(ast::ColumnDefinition& column);
  ast::KeepPolicy parse_keep_policy();
  bool parse_table_clause(ast::CreateTableStatement& create);
  bool refuse_table_clause();
  void parse_loose_options(std::vector<ast::Option>& options);
  void refuse_constraint();
  void parse_create_table_as(ast::CreateTableStatement& create);
  bool at_column_name_list();
  ast::PartitionUnit parse_partition_unit();
  ast::DedupClause parse_dedup_keys();
  ast::TtlClause parse_ttl();
  ast::OnCommit parse_on_commit();
  bool accept_with_data(bool* with_no_data);
  bool accept_if_not_exists();
  bool accept_if_exists();
  ast::StatementPtr parse_create_view(uint32_t at_position, bool or_replace, bool temporary);
  ast::StatementPtr parse_create_materialized_view(uint32_t at_position);
  ast::RefreshClause parse_refresh_clause();  // behind REFRESH
  ast::StatementPtr parse_create_schema(uint32_t at_position);
  ast::StatementPtr parse_create_role(uint32_t at_position, bool is_user);
  ast::StatementPtr parse_create_change_slot(uint32_t at_position);

  // parse_alter.cpp
  ast::StatementPtr parse_alter();
  ast::StatementPtr parse_alter_table(ast::ObjectKind object, uint32_t at_position);
  ast::AlterAction parse_alter_action(ast::ObjectKind object);
  void parse_alter_add(ast::AlterAction& action);
  void parse_alter_drop(ast::AlterAction& action);
  void parse_alter_column(ast::AlterAction& action);
  void parse_alter_set(ast::AlterAction& action);
  void parse_alter_rename(ast::AlterAction& action, ast::ObjectKind object);
  void parse_partition_selection(ast::AlterAction& action);
  void parse_create_tag(ast::AlterAction& action);
  ast::StatementPtr parse_alter_role(uint32_t at_position);
  ast::StatementPtr parse_alter_system(uint32_t at_position);
  ast::StatementPtr parse_alter_schema(uint32_t at_position);
  ast::StatementPtr parse_alter_default_privileges(uint32_t at_position);

  // parse_admin.cpp
  ast::StatementPtr parse_drop();
  ast::StatementPtr parse_truncate();
  ast::StatementPtr parse_restore();
  ast::StatementPtr parse_undrop();
  ast::StatementPtr parse_vacuum();
  ast::StatementPtr parse_analyze();
  ast::StatementPtr parse_refresh();
  ast::StatementPtr parse_advance();
  ast::StatementPtr parse_forget();
  ast::StatementPtr parse_lock();
  ast::StatementPtr parse_comment();
  std::vector<ast::ObjectName> parse_object_names(std::string_view what);
  bool accept_cascade();

  // parse_role.cpp
  ast::StatementPtr parse_grant(bool is_grant);
  void parse_grant_body(ast::Grant& grant, bool default_privileges);
  std::vector<ast::Privilege> parse_privileges();
  void parse_grant_target(ast::Grant& grant);
  ast::RoleName parse_role_name();
  std::vector<ast::RoleName> parse_role_names();
  bool parse_role_option(ast::RoleOptions& options);

  // parse_session.cpp
  ast::StatementPtr parse_set();
  ast::StatementPtr parse_set_transaction(uint32_t at_position, bool session);
  std::string parse_setting_name();
  std::vector<std::string> parse_setting_values();
  std::string parse_setting_word();
  void parse_time_zone(ast::SetStatement& set);
  void parse_named_setting(ast::SetStatement& set);
  ast::StatementPtr parse_reset();
  ast::StatementPtr parse_show();
  ast::StatementPtr parse_describe();
  ast::StatementPtr parse_prepare();
  ast::StatementPtr parse_execute();
  ast::StatementPtr parse_deallocate();
  ast::StatementPtr parse_explain();
  ast::StatementPtr parse_discard();
  ast::StatementPtr parse_listen(ast::ListenStatement::Action action);

  // parse_transaction.cpp
  ast::StatementPtr parse_begin();
  ast::StatementPtr parse_begin_run(uint32_t at_position);
  ast::TransactionModes parse_transaction_modes();
  ast::IsolationLevel parse_isolation_level();
  ast::StatementPtr parse_commit();
  ast::StatementPtr parse_rollback();
  ast::StatementPtr parse_savepoint(ast::TransactionStatement::Action action);
  bool parse_chain();
  ast::StatementPtr parse_declare();
  ast::StatementPtr parse_fetch(bool move);
  ast::StatementPtr parse_close();

  // parse_option.cpp
  std::vector<ast::Option> parse_options();  // (name [=] value, …)
  ast::Option parse_option();
  bool parse_option_value(ast::Option& option);

  // parse_statement.cpp
  ast::StatementPtr unsupported_statement(std::string what, uint32_t at_position);
  ast::StatementPtr parse_explainable();
  ast::StatementPtr parse_query_statement();
  ast::StatementPtr parse_other_statement();

  uint32_t nesting_ = 0;
  uint32_t height_ = 0;
  uint32_t parameter_count_ = 0;
  // Of CREATE TABLE … AS query without parentheses: TIMESTAMP(…), WAL and the like end the query instead of
  // naming an alias. The first is for the next parse_query(), the second for the query that is being parsed.
  bool next_query_has_table_clauses_ = false;
  bool table_clauses_follow_ = false;
  bool into_allowed_ = false;  // the next SELECT may have INTO
  std::unique_ptr<ast::CreateTableStatement> select_into_;
};

}  // namespace idem::parser
