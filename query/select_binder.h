#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "query/query_binder.h"

namespace idem::binding {

// Binds one SELECT. Everything is first bound over the FROM list, with marks where aggregates, window and
// set-returning functions stand; then the nodes are stacked and the expressions rewritten from one to the
// next:
//
//   FROM → WHERE → LATEST ON → GROUP BY | SAMPLE BY → HAVING → windows → set-returning functions → select
//   list
//        → DISTINCT → ORDER BY → DISTINCT ON → LIMIT → hidden columns dropped
class SelectBinder {
 public:
  SelectBinder(QueryBinder& binder, const ast::Query& query, const Environment& environment,
               const OutputOptions& options);
  QueryResult run();

 private:
  struct Item {
    BoundPtr expression;
    std::string name;
    uint32_t position = 0;
    TableId table{};
    uint32_t attribute = 0;
  };
  struct OrderedItem {
    size_t item = 0;
    SortKey key;  // without expression
  };

  ExpressionContext context(std::string_view clause) const;
  PlanPtr add_node(PlanKind kind);  // over plan_, with its columns; becomes plan_

  // select_binder.cpp
  void bind_items();
  void add_item(const ast::SelectItem& item, ExpressionContext& context);
  void bind_order();
  size_t ordering_item(const ast::Expression& expression, std::string_view clause);
  void bind_distinct_on();
  void stack_windows();
  void stack_sets();
  void stack_project();
  bool order_chooses_rows() const;
  void stack_distinct_and_order();
  void for_each_output(const std::function<void(BoundPtr&)>& work);
  void for_each_window_expression(const std::function<void(BoundPtr&)>& work);
  int find_timestamp() const;

  // bind_grouping.cpp
  void bind_group_by();
  std::vector<std::vector<uint32_t>> group_item_sets(const ast::GroupItem& item);
  uint32_t group_index(const ast::Expression& expression);
  uint32_t add_group(BoundPtr expression);
  void add_implicit_groups();
  void bind_where();
  void collect_ungrouped(const BoundExpression& expression);
  bool is_aggregated() const;
  void stack_grouped_sets();
  void stack_aggregate();
  void stack_window_join();
  void rewrite_grouped(BoundPtr& expression, bool in_subquery);
  void rewrite_all_grouped();
  BoundPtr grouping_value(size_t call);
  [[noreturn]] void throw_ungrouped(const BoundExpression& column, bool in_subquery) const;

  // bind_sample.cpp
  void stack_latest_on();
  void sort_by_timestamp(uint32_t column);
  void stack_sample_by();
  void add_sample_groups();
  SampleSpec sample_spec();
  int64_t sample_constant(const ast::Expression& expression, SqlType type, std::string_view what);
  std::string sample_text(const ast::Expression& expression, std::string_view what);

  QueryBinder& binder_;
  const ast::Query& query_;
  const ast::Select& select_;
  Environment environment_;
  OutputOptions options_;

  Scope scope_;
  PlanPtr plan_;
  AggregateSink aggregates_;
  WindowSink windows_;
  SetSink sets_;
  std::vector<Item> items_;  // select list, then hidden ones
  size_t visible_ = 0;
  std::vector<OrderedItem> order_;
  std::vector<size_t> distinct_on_;  // items
  BoundPtr having_;

  std::vector<BoundPtr> groups_;
  std::vector<std::vector<uint32_t>> grouping_sets_;
  bool has_group_clause_ = false, has_grouping_sets_ = false;
  PlanPtr window_join_;  // the FROM list is one: aggregates are computed there
  // While expressions are rewritten: where groups and aggregates stand in the node below.
  uint32_t group_offset_ = 0, aggregate_offset_ = 0;
  const BoundExpression* bucket_source_ = nullptr;  // SAMPLE BY: the timestamp, which becomes column 0
  int timestamp_column_ = -1;  // of the designated timestamp in the input of the select list
};

}  // namespace idem::binding
