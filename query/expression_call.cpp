#include <algorithm>
#include <array>
#include <cstring>

#include "query/code_memory.h"
#include "query/comparison_kernels.h"
#include "query/expression_node.h"

namespace idem {

namespace {

bool is_symbol(const Vector& v) { return v.type.id == TypeId::kSymbol; }

// Functions, operators and casts.
class CallNode : public ExpressionNode {
 public:
  CallNode(const BoundExpression& expression, std::vector<NodePtr> children)
      : ExpressionNode(expression.type),
        function_(*expression.function),
        types_(expression.call_types),
        children_(std::move(children)),
        arguments_(children_.size()) {
    // Without slots and the like among the other arguments, what was learned of a symbol stays true.
    const auto varying = std::count_if(expression.children.begin(), expression.children.end(),
                                       [](const BoundPtr& child) { return !is_foldable(*child); });
    constants_may_change_ = varying > 1;
  }

  bool can_fail() const override {
    if (!function_.never_fails) return true;
    return std::any_of(children_.begin(), children_.end(),
                       [](const NodePtr& child) { return child->can_fail(); });
  }
  void reset() override {
    for (const NodePtr& child : children_) child->reset();
  }

  void evaluate(EvaluationInput& input, Selection selection, Vector* result) override {
    evaluate_arguments(input, selection);
    compute(input, selection, result);
  }

 protected:
  void compute(EvaluationInput& input, Selection selection, Vector* result) {
    const uint32_t size = input.chunk.size;
    if (is_null_call()) {
      *result = Vector::constant_null(type_);
    } else if (all_constant()) {
      evaluate_once(input.state, result);
    } else if (const Vector* symbols = only_symbols()) {
      learn(input.state, *symbols, selection);
      memory_.gather(*symbols, size, selection, type_, result);
    } else {
      if (!function_.takes_symbols) decode_arguments(size, selection);
      run(input.state, arguments_, size, selection, result);
    }
    drop_arguments();
  }

  void evaluate_arguments(EvaluationInput& input, Selection selection) {
    for (size_t i = 0; i < children_.size(); ++i) {
      children_[i]->evaluate(input, selection, &arguments_[i]);
      Vector& argument = arguments_[i];
      if (argument.form == Vector::Form::kSequence)
        argument = flatten(argument, input.chunk.size, selection, false);
      if (is_symbol(argument) && argument.is_constant()) argument = decoded(argument, 1, {nullptr, 1});
      if (!is_symbol(argument)) argument.type = types_.arguments[i];
    }
  }

  // What arguments share with the chunk is let go, so that its buffers can be used again.
  void drop_arguments() {
    for (Vector& argument : arguments_) argument = Vector();
  }

  bool is_null_call() const {
    return function_.strict && std::any_of(arguments_.begin(), arguments_.end(),
                                           [](const Vector& v) { return v.is_constant() && !v.is_valid(0); });
  }

  bool all_constant() const {
    return function_.volatility != Volatility::kVolatile &&
           std::all_of(arguments_.begin(), arguments_.end(), [](const Vector& v) { return v.is_constant(); });
  }

  // The argument that is a symbol, if the call depends on nothing else but constants.
  const Vector* only_symbols() const {
    if (function_.volatility != Volatility::kImmutable || !function_.strict) return nullptr;
    const Vector* found = nullptr;
    for (const Vector& argument : arguments_) {
      if (argument.is_constant()) continue;
      if (!is_symbol(argument) || found != nullptr || !CodeMemory::suits(argument)) return nullptr;
      found = &argument;
    }
    return found;
  }

  void learn(EvaluationState& state, const Vector& symbols, Selection selection) {
    forget_if_constants_changed();
    memory_.learn(symbols, selection, [&](const Vector& strings, uint32_t count, Vector* results) {
      std::vector<Vector> with_strings = arguments_;
      for (size_t i = 0; i < with_strings.size(); ++i) {
        if (!is_symbol(with_strings[i])) continue;
        with_strings[i] = strings;
        with_strings[i].type = types_.arguments[i];
      }
      run(state, with_strings, count, {nullptr, count}, results);
    });
  }

  void decode_arguments(uint32_t size, Selection selection) {
    for (size_t i = 0; i < arguments_.size(); ++i) {
      if (!is_symbol(arguments_[i])) continue;
      arguments_[i] = decoded(arguments_[i], size, selection);
      arguments_[i].type = types_.arguments[i];
    }
  }

  const ScalarFunction& function_;
  CallTypes types_;
  std::vector<NodePtr> children_;
  std::vector<Vector> arguments_;
  CodeMemory memory_;

 private:
  void evaluate_once(EvaluationState& state, Vector* result) {
    function_.kernel(state, types_, arguments_, 1, {nullptr, 1}, result);
    result->form = Vector::Form::kConstant;
    result->type = type_;
  }

  void run(EvaluationState& state, std::span<const Vector> arguments, uint32_t size, Selection selection,
           Vector* result) {
    const bool has_nulls =
        function_.strict && std::any_of(arguments.begin(), arguments.end(), [](const Vector& v) {
          return !v.is_constant() && v.may_have_nulls();
        });
    if (!has_nulls) {
      function_.kernel(state, types_, arguments, size, selection, result);
    } else if (function_.blind) {
      function_.kernel(state, types_, arguments, size, selection, result);
      mark_nulls(arguments, size, selection, result);
    } else {
      std::array<uint16_t, kVectorSize> rows;
      Selection valid = selection;
      for (const Vector& argument : arguments) {
        if (!argument.may_have_nulls() || argument.is_constant()) continue;
        valid = {rows.data(), select_valid(argument, valid, true, rows.data())};
      }
      function_.kernel(state, types_, arguments, size, valid, result);
      mark_nulls(arguments, size, selection, result);
    }
    result->type = type_;
  }

  void mark_nulls(std::span<const Vector> arguments, uint32_t size, Selection selection, Vector* result) {
    const uint32_t words = (size + 63) / 64;
    std::array<uint64_t, kVectorSize / 64> valid;
    if (result->validity != nullptr) {
      std::memcpy(valid.data(), result->validity, words * sizeof(uint64_t));
    } else {
      valid.fill(~uint64_t{0});
    }
    for (const Vector& argument : arguments) {
      if (argument.is_constant() || !argument.may_have_nulls()) continue;
      for (uint32_t w = 0; w < words; ++w) valid[w] &= argument.validity[w];
    }
    std::memcpy(result->allocate_validity(size), valid.data(), words * sizeof(uint64_t));
    // The kernel wrote into this buffer or left it out; nobody else has it yet.
    const size_t width = physical_size(physical_type(result->type));
    auto* elements = static_cast<char*>(const_cast<void*>(result->data));
    for (uint32_t i = 0; i < selection.count; ++i) {
      const uint32_t row = selection[i];
      if (((valid[row >> 6] >> (row & 63)) & 1) == 0) std::memset(elements + width * row, 0, width);
    }
  }

  void forget_if_constants_changed() {
    if (!constants_may_change_) return;
    std::string now;
    for (const Vector& argument : arguments_) {
      if (!argument.is_constant()) continue;
      const Value value = argument.value_at(0);
      EvaluationState plain;
      now += value.is_null() ? std::string("\1")
                             : cast_value(plain, value, TypeId::kText, CastContext::kExplicit).as_string();
      now += '\0';
    }
    if (now == constants_) return;
    constants_ = std::move(now);
    memory_.forget();
  }

  bool constants_may_change_ = false;
  std::string constants_;  // that memory_ was filled with
};

// A boolean function: rows are selected without a vector in between where its answers are known by code.
class PredicateNode final : public CallNode {
 public:
  using CallNode::CallNode;

  uint32_t select(EvaluationInput& input, Selection selection, bool wanted, uint16_t* out) override {
    if (selection.count == 0) return 0;
    evaluate_arguments(input, selection);
    const Vector* symbols = is_null_call() || all_constant() ? nullptr : only_symbols();
    if (symbols == nullptr) {
      Vector value;
      compute(input, selection, &value);
      return select_boolean(value, selection, wanted, out);
    }
    learn(input.state, *symbols, selection);
    const uint32_t found = memory_.select(*symbols, selection, wanted, out);
    drop_arguments();
    return found;
  }
};

class ComparisonNode final : public CallNode {
 public:
  ComparisonNode(const BoundExpression& expression, std::vector<NodePtr> children, Comparison comparison)
      : CallNode(expression, std::move(children)), comparison_(comparison) {}

  uint32_t select(EvaluationInput& input, Selection selection, bool wanted, uint16_t* out) override {
    if (selection.count == 0) return 0;
    evaluate_arguments(input, selection);
    uint32_t found = 0;
    const bool by_code = comparison_ == Comparison::kEqual || comparison_ == Comparison::kNotEqual;
    const Vector* symbols = by_code || is_null_call() ? nullptr : only_symbols();
    if (symbols != nullptr) {
      learn(input.state, *symbols, selection);
      found = memory_.select(*symbols, selection, wanted, out);
    } else {
      found = select_comparison(wanted ? comparison_ : negated(comparison_), arguments_[0], arguments_[1],
                                input.chunk.size, selection, out);
    }
    drop_arguments();
    return found;
  }

 private:
  Comparison comparison_;
};

// A cast that changes only the name of the type.
class RelabelNode final : public ExpressionNode {
 public:
  RelabelNode(SqlType to, NodePtr child) : ExpressionNode(to), child_(std::move(child)) {}
  void evaluate(EvaluationInput& input, Selection selection, Vector* result) override {
    child_->evaluate(input, selection, result);
    if (!is_symbol(*result)) result->type = type_.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : type_;
  }
  uint32_t select(EvaluationInput& input, Selection selection, bool wanted, uint16_t* out) override {
    return child_->select(input, selection, wanted, out);
  }
  bool can_fail() const override { return child_->can_fail(); }
  void reset() override { child_->reset(); }

 private:
  NodePtr child_;
};

}  // namespace

NodePtr compile_call(const BoundExpression& expression) {
  std::vector<NodePtr> children;
  for (const BoundPtr& child : expression.children) children.push_back(compile_expression(*child));
  const ScalarFunction& function = *expression.function;
  if (function.kernel == nullptr)
    return std::make_unique<RelabelNode>(expression.type, std::move(children[0]));
  if (is_array_membership(expression))
    return compile_array_membership(expression,
                                    std::make_unique<PredicateNode>(expression, std::move(children)));
  if (expression.type.id != TypeId::kBoolean)
    return std::make_unique<CallNode>(expression, std::move(children));
  const auto comparison = children.size() == 2 ? comparison_of(function.name) : std::nullopt;
  if (comparison) return std::make_unique<ComparisonNode>(expression, std::move(children), *comparison);
  return std::make_unique<PredicateNode>(expression, std::move(children));
}

}  // namespace idem
