#include "query/expression_evaluator.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "common/error.h"
#include "query/comparison_kernels.h"
#include "query/expression_node.h"

namespace idem {

namespace {

class ColumnNode final : public ExpressionNode {
 public:
  ColumnNode(uint32_t index, SqlType result_type) : ExpressionNode(result_type), index_(index) {}
  void evaluate(EvaluationInput& input, Selection, Vector* result) override {
    *result = input.chunk.columns[index_];
  }
  bool can_fail() const override { return false; }

 private:
  uint32_t index_;
};

class ConstantNode final : public ExpressionNode {
 public:
  explicit ConstantNode(const Value& value)
      : ExpressionNode(value.type()), vector_(Vector::constant(value)) {}
  void evaluate(EvaluationInput&, Selection, Vector* result) override { *result = vector_; }
  bool can_fail() const override { return false; }

 private:
  Vector vector_;
};

class SlotNode final : public ExpressionNode {
 public:
  SlotNode(uint32_t index, SqlType result_type) : ExpressionNode(result_type), index_(index) {}
  void evaluate(EvaluationInput& input, Selection, Vector* result) override {
    const Value& value = input.state.slots.at(index_);
    *result = value.is_null() ? Vector::constant_null(type_) : Vector::constant(value);
  }
  bool can_fail() const override { return false; }

 private:
  uint32_t index_;
};

// Depends on nothing that changes: computed when a row first needs it.
class FoldedNode final : public ExpressionNode {
 public:
  explicit FoldedNode(NodePtr child) : ExpressionNode(child->type()), child_(std::move(child)) {}
  void evaluate(EvaluationInput& input, Selection, Vector* result) override {
    if (!is_known_) {
      DataChunk one;
      one.set_size(1);
      EvaluationInput alone{input.state, one};
      Vector value;
      child_->evaluate(alone, one.selection, &value);
      // All rows share it: a vector that nobody writes into.
      known_ = Vector::constant(value.value_at(0));
      is_known_ = true;
    }
    *result = known_;
  }
  bool can_fail() const override { return child_->can_fail(); }

 private:
  NodePtr child_;
  Vector known_;
  bool is_known_ = false;
};

}  // namespace

NodePtr compile_expression(const BoundExpression& expression) {
  NodePtr node;
  switch (expression.kind) {
    case BoundKind::kColumn: return std::make_unique<ColumnNode>(expression.index, expression.type);
    case BoundKind::kConstant: return std::make_unique<ConstantNode>(expression.value);
    case BoundKind::kSlot: return std::make_unique<SlotNode>(expression.index, expression.type);
    case BoundKind::kCall: node = compile_call(expression); break;
    case BoundKind::kAnd:
    case BoundKind::kOr:
    case BoundKind::kNot: node = compile_logical(expression); break;
    case BoundKind::kIsNull:
    case BoundKind::kIsDistinct:
    case BoundKind::kCase:
    case BoundKind::kCoalesce: node = compile_conditional(expression); break;
    case BoundKind::kInList: node = compile_in_list(expression); break;
    case BoundKind::kSubquery: return compile_subquery(expression);
  }
  if (is_foldable(expression)) return std::make_unique<FoldedNode>(std::move(node));
  return node;
}

uint32_t ExpressionNode::select(EvaluationInput& input, Selection selection, bool wanted, uint16_t* out) {
  if (selection.count == 0) return 0;
  Vector value;
  evaluate(input, selection, &value);
  return select_boolean(value, selection, wanted, out);
}

uint32_t select_boolean(const Vector& value, Selection selection, bool wanted, uint16_t* out) {
  if (value.is_constant()) {
    if (!value.is_valid(0) || (*value.values<uint8_t>() != 0) != wanted) return 0;
    for (uint32_t i = 0; i < selection.count; ++i) out[i] = static_cast<uint16_t>(selection[i]);
    return selection.count;
  }
  const auto* bytes = value.values<uint8_t>();
  if (wanted && !value.may_have_nulls()) return select_bytes(bytes, selection, out);
  uint32_t found = 0;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    out[found] = static_cast<uint16_t>(row);
    found += ((bytes[row] != 0) == wanted) & value.is_valid(row);
  }
  return found;
}

Vector decoded(const Vector& input, uint32_t size, Selection selection) {
  if (input.form == Vector::Form::kConstant) {
    if (input.type.id != TypeId::kSymbol) return input;
    const Value value = input.value_at(0);
    if (value.is_null()) return Vector::constant_null(TypeId::kVarchar);
    return Vector::constant(Value::of_string(TypeId::kVarchar, value.as_string()));
  }
  if (input.form == Vector::Form::kFlat) return input;
  return flatten(input, size, selection, true);
}

VectorScatter::VectorScatter(SqlType type, uint32_t size, Vector* to)
    : to_(to),
      size_(size),
      elements_(static_cast<char*>(
          to->allocate(type.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : type, size))),
      width_(physical_size(physical_type(to->type))),
      is_text_(physical_type(to->type) == PhysicalType::kString) {}

uint64_t* VectorScatter::validity() {
  if (words_ == nullptr) words_ = to_->allocate_validity(size_);
  return words_;
}

void VectorScatter::set_null(uint32_t row) {
  validity()[row >> 6] &= ~(uint64_t{1} << (row & 63));
  std::memset(elements_ + width_ * row, 0, width_);
}

void VectorScatter::set_value(uint32_t row, const Value& value) {
  if (value.is_null()) return set_null(row);
  const Vector one = Vector::constant(value);
  const auto position = static_cast<uint16_t>(row);
  copy(one, {&position, 1});
}

void VectorScatter::copy(const Vector& from, Selection rows) {
  const Vector source = decoded(from, size_, rows);
  const char* data = static_cast<const char*>(source.data);
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    if (!source.is_valid(row)) {
      set_null(row);
      continue;
    }
    set_element(row, data + width_ * (source.is_constant() ? 0 : row));
  }
}

void VectorScatter::set_element(uint32_t row, const void* element) {
  if (is_text_) {
    std::string_view text;
    std::memcpy(&text, element, sizeof text);
    text = to_->store_string(text);
    std::memcpy(elements_ + width_ * row, &text, sizeof text);
  } else {
    std::memcpy(elements_ + width_ * row, element, width_);
  }
}

uint32_t select_valid(const Vector& vector, Selection selection, bool valid, uint16_t* out) {
  uint32_t found = 0;
  for (uint32_t i = 0; i < selection.count; ++i) {
    const uint32_t row = selection[i];
    out[found] = static_cast<uint16_t>(row);
    found += vector.is_valid(row) == valid;
  }
  return found;
}

uint32_t subtract_rows(Selection all, const uint16_t* part, uint32_t part_count, uint16_t* out) {
  uint32_t found = 0, next = 0;
  for (uint32_t i = 0; i < all.count; ++i) {
    const uint32_t row = all[i];
    if (next < part_count && part[next] == row) {
      ++next;
    } else {
      out[found++] = static_cast<uint16_t>(row);
    }
  }
  return found;
}

ExpressionEvaluator::ExpressionEvaluator(const BoundExpression& expression)
    : root_(compile_expression(expression)), type_(expression.type) {}
ExpressionEvaluator::~ExpressionEvaluator() = default;
ExpressionEvaluator::ExpressionEvaluator(ExpressionEvaluator&&) noexcept = default;
ExpressionEvaluator& ExpressionEvaluator::operator=(ExpressionEvaluator&&) noexcept = default;

void ExpressionEvaluator::evaluate(EvaluationState& state, const DataChunk& input, Selection selection,
                                   Vector* result) {
  if (selection.count == 0) {
    *result = Vector::constant_null(type_.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : type_);
    return;
  }
  EvaluationInput in{state, input};
  root_->evaluate(in, selection, result);
  if (result->type.id == TypeId::kSymbol && type_.id != TypeId::kSymbol)
    *result = decoded(*result, input.size, selection);
  if (result->type.id != TypeId::kSymbol && type_.id != TypeId::kSymbol) result->type = type_;
}

uint32_t ExpressionEvaluator::select(EvaluationState& state, const DataChunk& input, Selection in,
                                     uint16_t* out_rows) {
  if (in.count == 0) return 0;
  EvaluationInput all{state, input};
  return root_->select(all, in, true, out_rows);
}

void ExpressionEvaluator::reset() { root_->reset(); }

Value evaluate_constant(EvaluationState& state, const BoundExpression& expression) {
  DataChunk one;
  one.set_size(1);
  Vector result;
  ExpressionEvaluator(expression).evaluate(state, one, one.selection, &result);
  return result.value_at(0);
}

}  // namespace idem
