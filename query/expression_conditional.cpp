#include <algorithm>
#include <array>

#include "query/comparison_kernels.h"
#include "query/expression_node.h"

namespace idem {

namespace {

using Rows = std::array<uint16_t, kVectorSize>;

class IsNullNode final : public ExpressionNode {
 public:
  explicit IsNullNode(NodePtr child) : ExpressionNode(TypeId::kBoolean), child_(std::move(child)) {}
  bool can_fail() const override { return child_->can_fail(); }
  void reset() override { child_->reset(); }
  void evaluate(EvaluationInput& input, Selection selection, Vector* result) override {
    Vector value;
    child_->evaluate(input, selection, &value);
    if (value.is_constant() || !value.may_have_nulls()) {
      *result = Vector::constant(Value::of_bool(!value.is_valid(0)));
      return;
    }
    auto* out = result->allocate_as<uint8_t>(TypeId::kBoolean, input.chunk.size);
    for (uint32_t i = 0; i < selection.count; ++i) out[selection[i]] = !value.is_valid(selection[i]);
  }
  uint32_t select(EvaluationInput& input, Selection selection, bool wanted, uint16_t* out) override {
    if (selection.count == 0) return 0;
    Vector value;
    child_->evaluate(input, selection, &value);
    return select_valid(value, selection, !wanted, out);
  }

 private:
  NodePtr child_;
};

class IsDistinctNode final : public ExpressionNode {
 public:
  IsDistinctNode(NodePtr left, NodePtr right)
      : ExpressionNode(TypeId::kBoolean), left_(std::move(left)), right_(std::move(right)) {}
  bool can_fail() const override { return left_->can_fail() || right_->can_fail(); }
  void reset() override {
    left_->reset();
    right_->reset();
  }
  void evaluate(EvaluationInput& input, Selection selection, Vector* result) override {
    Vector left, right;
    left_->evaluate(input, selection, &left);
    right_->evaluate(input, selection, &right);
    auto* out = result->allocate_as<uint8_t>(TypeId::kBoolean, input.chunk.size);
    compare_distinct(left, right, input.chunk.size, selection, out);
  }

 private:
  NodePtr left_, right_;
};

class CaseNode final : public ExpressionNode {
 public:
  CaseNode(SqlType result_type, std::vector<NodePtr> children)
      : ExpressionNode(result_type), children_(std::move(children)) {}
  bool can_fail() const override {
    return std::any_of(children_.begin(), children_.end(),
                       [](const NodePtr& child) { return child->can_fail(); });
  }
  void reset() override {
    for (const NodePtr& child : children_) child->reset();
  }

  void evaluate(EvaluationInput& input, Selection selection, Vector* result) override {
    Rows open_rows, taken_rows;
    Selection open = selection;
    std::optional<VectorScatter> scatter;
    Vector value;
    for (size_t i = 0; i + 1 < children_.size() && open.count > 0; i += 2) {
      const uint32_t taken = children_[i]->select(input, open, true, taken_rows.data());
      if (taken == 0) continue;
      if (taken == selection.count) return branch(input, i + 1, selection, result);
      if (!scatter) scatter.emplace(type_, input.chunk.size, result);
      const Selection rows{taken_rows.data(), taken};
      children_[i + 1]->evaluate(input, rows, &value);
      scatter->copy(value, rows);
      open = {open_rows.data(), subtract_rows(open, taken_rows.data(), taken, open_rows.data())};
    }
    if (open.count == 0) return;
    if (!scatter) return branch(input, children_.size() - 1, open, result);
    children_.back()->evaluate(input, open, &value);
    scatter->copy(value, open);
  }

 private:
  // All rows go one way.
  void branch(EvaluationInput& input, size_t child, Selection selection, Vector* result) {
    children_[child]->evaluate(input, selection, result);
    if (result->type.id == TypeId::kSymbol) *result = decoded(*result, input.chunk.size, selection);
    if (type_.id != TypeId::kSymbol) result->type = type_;
  }

  std::vector<NodePtr> children_;
};

class CoalesceNode final : public ExpressionNode {
 public:
  CoalesceNode(SqlType result_type, std::vector<NodePtr> children)
      : ExpressionNode(result_type), children_(std::move(children)) {}
  bool can_fail() const override {
    return std::any_of(children_.begin(), children_.end(),
                       [](const NodePtr& child) { return child->can_fail(); });
  }
  void reset() override {
    for (const NodePtr& child : children_) child->reset();
  }

  void evaluate(EvaluationInput& input, Selection selection, Vector* result) override {
    Rows open_rows, valid_rows;
    Selection open = selection;
    std::optional<VectorScatter> scatter;
    Vector value;
    for (size_t i = 0; i < children_.size() && open.count > 0; ++i) {
      const bool is_last = i + 1 == children_.size();
      children_[i]->evaluate(input, open, &value);
      const uint32_t valid = is_last ? open.count : select_valid(value, open, true, valid_rows.data());
      if (valid == 0) continue;
      if (valid == selection.count) {
        *result = decoded(value, input.chunk.size, selection);
        if (type_.id != TypeId::kSymbol) result->type = type_;
        return;
      }
      if (!scatter) scatter.emplace(type_, input.chunk.size, result);
      const Selection rows = is_last ? open : Selection{valid_rows.data(), valid};
      scatter->copy(value, rows);
      if (is_last) return;
      open = {open_rows.data(), subtract_rows(open, valid_rows.data(), valid, open_rows.data())};
    }
  }

 private:
  std::vector<NodePtr> children_;
};

}  // namespace

NodePtr compile_conditional(const BoundExpression& expression) {
  std::vector<NodePtr> children;
  for (const BoundPtr& child : expression.children) children.push_back(compile_expression(*child));
  switch (expression.kind) {
    case BoundKind::kIsNull: return std::make_unique<IsNullNode>(std::move(children[0]));
    case BoundKind::kIsDistinct:
      return std::make_unique<IsDistinctNode>(std::move(children[0]), std::move(children[1]));
    case BoundKind::kCase: return std::make_unique<CaseNode>(expression.type, std::move(children));
    default: return std::make_unique<CoalesceNode>(expression.type, std::move(children));
  }
}

}  // namespace idem
