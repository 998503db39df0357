#include "parser/clone.h"
#include "query/query_binder.h"

namespace idem::binding {

namespace {

using ast::ExpressionPtr;

ExpressionPtr make_operator(ExpressionPtr left, std::string_view symbol, ExpressionPtr right) {
  auto node = std::make_unique<ast::Operator>();
  node->position = left->position;
  node->symbol = symbol;
  node->left = std::move(left);
  node->right = std::move(right);
  return node;
}

ExpressionPtr make_is(ExpressionPtr operand, ast::Is::Test test, bool negated,
                      ExpressionPtr right = nullptr) {
  auto node = std::make_unique<ast::Is>();
  node->position = operand->position;
  node->test = test;
  node->negated = negated;
  node->operand = std::move(operand);
  node->right = std::move(right);
  return node;
}

ExpressionPtr make_logical(bool is_and, ExpressionPtr left, ExpressionPtr right) {
  auto node = std::make_unique<ast::Logical>();
  node->position = left->position;
  node->is_and = is_and;
  node->operands.push_back(std::move(left));
  node->operands.push_back(std::move(right));
  return node;
}

ExpressionPtr integer_literal(int64_t value, uint32_t position) {
  auto node = std::make_unique<ast::Literal>();
  node->position = position;
  node->literal = ast::LiteralKind::kInteger;
  node->integer = value;
  return node;
}

// f(…) WITHIN GROUP (ORDER BY …) over the rows of a group and one more, the hypothetical one, whose sort keys are the
// arguments: computed as counts of the rows that come before it.
class HypotheticalRow {
 public:
  explicit HypotheticalRow(const ast::FunctionCall& call) : call_(call) {}

  // Rows before it; with `ties` also its equals.
  ExpressionPtr rows_before(bool ties) const { return count(filtered(comes_before(0, ties)), false); }
  // Different rows before it.
  ExpressionPtr distinct_rows_before() const { return count(filtered(comes_before(0, false)), true); }
  ExpressionPtr all_rows() const { return count(call_.filter ? ast::clone(*call_.filter) : nullptr, false); }

 private:
  ExpressionPtr row_key(size_t i) const { return ast::clone(*call_.order_by[i].expression); }
  ExpressionPtr own_key(size_t i) const { return ast::clone(*call_.arguments[i]); }

  ExpressionPtr comes_before(size_t i, bool ties) const {
    if (i == call_.order_by.size()) {
      auto node = std::make_unique<ast::Literal>();
      node->literal = ast::LiteralKind::kBoolean;
      node->boolean = ties;
      return node;
    }
    const ast::OrderItem& item = call_.order_by[i];
    const bool descending =
        item.direction == ast::OrderItem::Direction::kDescending || item.using_operator == ">";
    const bool nulls_first = item.nulls == ast::OrderItem::Nulls::kDefault
                                 ? descending
                                 : item.nulls == ast::OrderItem::Nulls::kFirst;
    using Test = ast::Is::Test;
    ExpressionPtr beside_null = make_logical(true, make_is(row_key(i), Test::kNull, !nulls_first),
                                             make_is(own_key(i), Test::kNull, nulls_first));
    ExpressionPtr before = make_logical(false, std::move(beside_null),
                                        make_operator(row_key(i), descending ? ">" : "<", own_key(i)));
    ExpressionPtr equal = make_is(row_key(i), Test::kDistinctFrom, true, own_key(i));
    return make_logical(false, std::move(before),
                        make_logical(true, std::move(equal), comes_before(i + 1, ties)));
  }

  ExpressionPtr filtered(ExpressionPtr condition) const {
    if (!call_.filter) return condition;
    return make_logical(true, ast::clone(*call_.filter), std::move(condition));
  }

  ExpressionPtr count(ExpressionPtr filter, bool distinct) const {
    auto node = std::make_unique<ast::FunctionCall>();
    node->position = call_.position;
    node->name.push_back({"count", call_.position, false});
    node->filter = std::move(filter);
    node->star = !distinct;
    node->distinct = distinct;
    if (!distinct) return node;
    auto row = std::make_unique<ast::Row>();
    row->position = call_.position;
    row->explicit_row = true;
    for (size_t i = 0; i < call_.order_by.size(); ++i) row->items.push_back(row_key(i));
    node->arguments.push_back(std::move(row));
    return node;
  }

  const ast::FunctionCall& call_;
};

ExpressionPtr as_double(ExpressionPtr operand) {
  auto node = std::make_unique<ast::Cast>();
  node->position = operand->position;
  node->type.name = "float8";
  node->operand = std::move(operand);
  return node;
}

ExpressionPtr rewritten(const ast::FunctionCall& call, std::string_view name) {
  const HypotheticalRow row(call);
  const auto one = [&] { return integer_literal(1, call.position); };
  if (name == "rank") return make_operator(row.rows_before(false), "+", one());
  if (name == "dense_rank") return make_operator(row.distinct_rows_before(), "+", one());
  if (name == "cume_dist") {
    return make_operator(as_double(make_operator(row.rows_before(true), "+", one())), "/",
                         make_operator(row.all_rows(), "+", one()));
  }
  // percent_rank: of no rows it is 0.
  auto divisor = std::make_unique<ast::FunctionCall>();
  divisor->position = call.position;
  divisor->name.push_back({"greatest", call.position, false});
  divisor->arguments.push_back(row.all_rows());
  divisor->arguments.push_back(one());
  return make_operator(as_double(row.rows_before(false)), "/", std::move(divisor));
}

}  // namespace

BoundPtr QueryBinder::bind_hypothetical(const ast::FunctionCall& call, const std::string& name,
                                        ExpressionContext& context) {
  if (call.arguments.size() != call.order_by.size()) {
    throw sql_error(sqlstate::kUndefinedFunction,
                    "function {} with {} arguments and {} ordering columns does not exist", name,
                    call.arguments.size(), call.order_by.size())
        .with_hint(fmt::format(
            "To use the hypothetical-set aggregate {}, the number of hypothetical direct arguments "
            "must match the number of ordering columns.",
            name))
        .with_position(call.position);
  }
  return bind(*rewritten(call, name), context);
}

}  // namespace idem::binding
