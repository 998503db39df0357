#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "query/expression_node.h"

namespace idem {

namespace {

using Rows = std::array<uint16_t, kVectorSize>;

// What a conjunct costs and lets through, as measured lately.
struct Conjunct {
  size_t child = 0;
  size_t segment = 0;  // conjuncts change places within their segment only
  double nanos_per_row = 1;
  double pass_rate = 0.5;
  // Least total work: cheap and selective ones first.
  double rank() const { return nanos_per_row / std::max(1.0 - pass_rate, 1e-3); }
};

class LogicalNode : public ExpressionNode {
 public:
  explicit LogicalNode(std::vector<NodePtr> children)
      : ExpressionNode(TypeId::kBoolean), children_(std::move(children)) {}
  bool can_fail() const override {
    return std::any_of(children_.begin(), children_.end(),
                       [](const NodePtr& child) { return child->can_fail(); });
  }
  void reset() override {
    for (const NodePtr& child : children_) child->reset();
  }

 protected:
  // Three-valued: `decisive` (false of AND, true of OR) ends the search of a row; NULL is remembered.
  void evaluate_with(EvaluationInput& input, Selection selection, bool decisive, Vector* result) {
    auto* out = result->allocate_as<uint8_t>(TypeId::kBoolean, input.chunk.size);
    Rows rows;
    Selection open = selection;
    uint64_t* words = nullptr;
    for (uint32_t i = 0; i < selection.count; ++i) out[selection[i]] = decisive ? 0 : 1;
    for (const NodePtr& child : children_) {
      if (open.count == 0) break;
      Vector value;
      child->evaluate(input, open, &value);
      const auto* bytes = value.values<uint8_t>();
      const uint32_t mask = value.is_constant() ? 0 : ~0U;
      uint32_t left = 0;
      for (uint32_t i = 0; i < open.count; ++i) {
        const uint32_t row = open[i];
        if (!value.is_valid(row)) {
          if (words == nullptr) words = result->allocate_validity(input.chunk.size);
          words[row >> 6] &= ~(uint64_t{1} << (row & 63));
        } else if ((bytes[row & mask] != 0) == decisive) {
          out[row] = decisive;
          if (words != nullptr) words[row >> 6] |= uint64_t{1} << (row & 63);
          continue;
        }
        rows[left++] = static_cast<uint16_t>(row);
      }
      open = {rows.data(), left};
    }
    if (words == nullptr) return;
    for (uint32_t i = 0; i < selection.count; ++i) {
      if (!result->is_valid(selection[i])) out[selection[i]] = 0;
    }
  }

  // Rows at which every child is `wanted`, in the children's order.
  uint32_t select_all(EvaluationInput& input, Selection selection, bool wanted, uint16_t* out) {
    Selection open = selection;
    for (const NodePtr& child : children_) {
      if (open.count == 0) return 0;
      open = {out, child->select(input, open, wanted, out)};
    }
    return open.count;
  }

  // Rows at which some child is `wanted`; later children see only rows that no earlier one has taken.
  uint32_t select_any(EvaluationInput& input, Selection selection, bool wanted, uint16_t* out) {
    Rows open_rows, found_rows;
    std::array<uint8_t, kVectorSize> taken;
    for (uint32_t i = 0; i < selection.count; ++i) taken[selection[i]] = 0;
    Selection open = selection;
    for (const NodePtr& child : children_) {
      if (open.count == 0) break;
      const uint32_t found = child->select(input, open, wanted, found_rows.data());
      for (uint32_t i = 0; i < found; ++i) taken[found_rows[i]] = 1;
      const uint32_t left = subtract_rows(open, found_rows.data(), found, open_rows.data());
      open = {open_rows.data(), left};
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < selection.count; ++i) {
      const uint32_t row = selection[i];
      const uint8_t is_taken = taken[row];
      out[count] = static_cast<uint16_t>(row);
      count += is_taken;
    }
    return count;
  }

  std::vector<NodePtr> children_;
};

class AndNode final : public LogicalNode {
 public:
  explicit AndNode(std::vector<NodePtr> children) : LogicalNode(std::move(children)) {
    // A condition that can fail is guarded by those before it: it keeps its place, and nothing passes it.
    size_t segment = 0;
    for (size_t i = 0; i < children_.size(); ++i) {
      const bool guarded = children_[i]->can_fail();
      if (guarded) ++segment;
      conjuncts_.push_back({i, segment, 1, 0.5});
      if (guarded) ++segment;
    }
  }

  void evaluate(EvaluationInput& input, Selection selection, Vector* result) override {
    evaluate_with(input, selection, false, result);
  }

  uint32_t select(EvaluationInput& input, Selection selection, bool wanted, uint16_t* out) override {
    if (!wanted) return select_any(input, selection, false, out);
    const bool measures = vectors_ < 4 || vectors_ % 32 == 0;
    ++vectors_;
    Selection open = selection;
    for (Conjunct& conjunct : conjuncts_) {
      if (open.count == 0) return 0;
      ExpressionNode& child = *children_[conjunct.child];
      if (measures) {
        open = {out, measured_select(conjunct, child, input, open, out)};
      } else {
        open = {out, child.select(input, open, true, out)};
      }
    }
    if (measures) {
      std::stable_sort(conjuncts_.begin(), conjuncts_.end(), [](const Conjunct& a, const Conjunct& b) {
        return a.segment != b.segment ? a.segment < b.segment : a.rank() < b.rank();
      });
    }
    return open.count;
  }

 private:
  static uint32_t measured_select(Conjunct& conjunct, ExpressionNode& child, EvaluationInput& input,
                                  Selection open, uint16_t* out) {
    const auto begin = std::chrono::steady_clock::now();
    const uint32_t found = child.select(input, open, true, out);
    const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - begin;
    conjunct.nanos_per_row = (conjunct.nanos_per_row + elapsed.count() / open.count) / 2;
    conjunct.pass_rate = (conjunct.pass_rate + static_cast<double>(found) / open.count) / 2;
    return found;
  }

  std::vector<Conjunct> conjuncts_;
  uint64_t vectors_ = 0;
};

class OrNode final : public LogicalNode {
 public:
  using LogicalNode::LogicalNode;
  void evaluate(EvaluationInput& input, Selection selection, Vector* result) override {
    evaluate_with(input, selection, true, result);
  }
  uint32_t select(EvaluationInput& input, Selection selection, bool wanted, uint16_t* out) override {
    return wanted ? select_any(input, selection, true, out) : select_all(input, selection, false, out);
  }
};

class NotNode final : public ExpressionNode {
 public:
  explicit NotNode(NodePtr child) : ExpressionNode(TypeId::kBoolean), child_(std::move(child)) {}
  bool can_fail() const override { return child_->can_fail(); }
  void reset() override { child_->reset(); }
  void evaluate(EvaluationInput& input, Selection selection, Vector* result) override {
    Vector value;
    child_->evaluate(input, selection, &value);
    if (value.is_constant()) {
      *result = value.is_valid(0) ? Vector::constant(Value::of_bool(*value.values<uint8_t>() == 0))
                                  : Vector::constant_null(TypeId::kBoolean);
      return;
    }
    auto* out = result->allocate_as<uint8_t>(TypeId::kBoolean, input.chunk.size);
    const auto* bytes = value.values<uint8_t>();
    for (uint32_t i = 0; i < selection.count; ++i) {
      const uint32_t row = selection[i];
      out[row] = bytes[row] == 0 && value.is_valid(row);
    }
    if (value.may_have_nulls()) {
      std::memcpy(result->allocate_validity(input.chunk.size), value.validity,
                  (input.chunk.size + 63) / 64 * sizeof(uint64_t));
    }
  }
  uint32_t select(EvaluationInput& input, Selection selection, bool wanted, uint16_t* out) override {
    return child_->select(input, selection, !wanted, out);
  }

 private:
  NodePtr child_;
};

}  // namespace

NodePtr compile_logical(const BoundExpression& expression) {
  std::vector<NodePtr> children;
  for (const BoundPtr& child : expression.children) children.push_back(compile_expression(*child));
  switch (expression.kind) {
    case BoundKind::kAnd: return std::make_unique<AndNode>(std::move(children));
    case BoundKind::kOr: return std::make_unique<OrNode>(std::move(children));
    default: return std::make_unique<NotNode>(std::move(children[0]));
  }
}

}  // namespace idem
