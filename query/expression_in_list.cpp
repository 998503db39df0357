#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <unordered_set>

#include "common/array_value.h"
#include "common/hash.h"
#include "common/string_order.h"
#include "query/array_elements.h"
#include "query/code_memory.h"
#include "query/comparison_kernels.h"
#include "query/expression_node.h"
#include "query/scan_condition.h"

namespace idem {

namespace {

// Texts that a set can find by their bytes.
bool is_hashed_text(TypeId type) { return compares_by_bytes(type) || type == TypeId::kChar; }

// Equal floating-point numbers as equal bits: 0 and -0, all NaN.
template <class T>
int64_t bits_of(T number) {
  const double wide = number == 0 ? 0 : number != number ? std::numeric_limits<double>::quiet_NaN() : number;
  return std::bit_cast<int64_t>(wide);
}

// A set of constants of one type. Numbers (dates, timestamps, codes … too) and strings are hashed; other
// types, rare in lists, are compared one by one.
class ValueSet {
 public:
  void add(const Vector& constant) {
    if (!constant.is_valid(0)) {
      has_null_ = true;
      return;
    }
    is_padded_ = constant.type.id == TypeId::kChar;
    physical_ = physical_type(constant.type);
    switch (physical_) {
      case PhysicalType::kBool: numbers_.push_back(*constant.values<uint8_t>()); break;
      case PhysicalType::kInt16: numbers_.push_back(*constant.values<int16_t>()); break;
      case PhysicalType::kInt32: numbers_.push_back(*constant.values<int32_t>()); break;
      case PhysicalType::kInt64: numbers_.push_back(*constant.values<int64_t>()); break;
      case PhysicalType::kFloat: numbers_.push_back(bits_of(*constant.values<float>())); break;
      case PhysicalType::kDouble: numbers_.push_back(bits_of(*constant.values<double>())); break;
      case PhysicalType::kString:
        if (is_hashed_text(constant.type.id)) {
          const std::string_view text = *constant.values<std::string_view>();
          texts_.emplace(is_padded_ ? without_padding(text) : text);
          break;
        }
        [[fallthrough]];
      default: others_.push_back(constant);
    }
  }

  void finish() {
    if (numbers_.size() <= kLinear) return;
    size_t capacity = 16;
    while (capacity < numbers_.size() * 2) capacity *= 2;
    slots_.assign(capacity, 0);
    used_.assign(capacity, 0);
    for (const int64_t number : numbers_) {
      size_t at = hash_u64(static_cast<uint64_t>(number)) & (capacity - 1);
      while (used_[at] != 0 && slots_[at] != number) at = (at + 1) & (capacity - 1);
      used_[at] = 1;
      slots_[at] = number;
    }
  }

  bool has_null() const { return has_null_; }

  // Bytes at the selected rows; NULL rows get anything.
  void contains(const Vector& value, uint32_t size, Selection selection, uint8_t* out) const {
    for (uint32_t i = 0; i < selection.count; ++i) out[selection[i]] = 0;
    switch (physical_type(value.type)) {
      case PhysicalType::kBool: return contains_numbers<uint8_t>(value, selection, out);
      case PhysicalType::kInt16: return contains_numbers<int16_t>(value, selection, out);
      case PhysicalType::kInt32: return contains_numbers<int32_t>(value, selection, out);
      case PhysicalType::kInt64: return contains_numbers<int64_t>(value, selection, out);
      case PhysicalType::kFloat: return contains_floating<float>(value, selection, out);
      case PhysicalType::kDouble: return contains_floating<double>(value, selection, out);
      case PhysicalType::kString:
        if (is_hashed_text(value.type.id)) return contains_texts(value, selection, out);
        [[fallthrough]];
      default: return contains_others(value, size, selection, out);
    }
  }

 private:
  static constexpr size_t kLinear = 8;

  template <class T>
  void contains_numbers(const Vector& value, Selection selection, uint8_t* out) const {
    const T* values = value.values<T>();
    const uint32_t mask = value.is_constant() ? 0 : ~0U;
    if (slots_.empty()) {
      for (const int64_t number : numbers_) {
        const auto wanted = static_cast<T>(number);
        if (selection.is_all() && !value.is_constant()) {
          for (uint32_t i = 0; i < selection.count; ++i)
            out[i] = static_cast<uint8_t>(out[i] | (values[i] == wanted));
        } else {
          for (uint32_t i = 0; i < selection.count; ++i) {
            const uint32_t row = selection[i];
            out[row] = static_cast<uint8_t>(out[row] | (values[row & mask] == wanted));
          }
        }
      }
      return;
    }
    for (uint32_t i = 0; i < selection.count; ++i) {
      const uint32_t row = selection[i];
      out[row] = holds(static_cast<int64_t>(values[row & mask]));
    }
  }

  template <class T>
  void contains_floating(const Vector& value, Selection selection, uint8_t* out) const {
    const T* values = value.values<T>();
    const uint32_t mask = value.is_constant() ? 0 : ~0U;
    for (uint32_t i = 0; i < selection.count; ++i) {
      const uint32_t row = selection[i];
      const int64_t bits = bits_of(values[row & mask]);
      out[row] =
          slots_.empty() ? std::find(numbers_.begin(), numbers_.end(), bits) != numbers_.end() : holds(bits);
    }
  }

  bool holds(int64_t number) const {
    size_t at = hash_u64(static_cast<uint64_t>(number)) & (slots_.size() - 1);
    while (used_[at] != 0) {
      if (slots_[at] == number) return true;
      at = (at + 1) & (slots_.size() - 1);
    }
    return false;
  }

  void contains_texts(const Vector& value, Selection selection, uint8_t* out) const {
    const auto* texts = value.values<std::string_view>();
    for (uint32_t i = 0; i < selection.count; ++i) {
      const uint32_t row = selection[i];
      if (!value.is_valid(row)) continue;
      const std::string_view text = texts[value.is_constant() ? 0 : row];
      out[row] = texts_.contains(is_padded_ ? without_padding(text) : text);
    }
  }

  void contains_others(const Vector& value, uint32_t size, Selection selection, uint8_t* out) const {
    std::array<uint16_t, kVectorSize> found;
    for (const Vector& other : others_) {
      const uint32_t count =
          select_comparison(Comparison::kEqual, value, other, size, selection, found.data());
      for (uint32_t i = 0; i < count; ++i) out[found[i]] = 1;
    }
  }

  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return hash_bytes(text); }
  };
  struct TextEqual {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return a == b; }
  };

  PhysicalType physical_ = PhysicalType::kInt64;
  bool has_null_ = false, is_padded_ = false;
  std::vector<int64_t> numbers_, slots_;
  std::vector<uint8_t> used_;
  std::unordered_set<std::string, TextHash, TextEqual> texts_;
  std::vector<Vector> others_;
};

void clear_bit(uint64_t* words, uint32_t row) { words[row >> 6] &= ~(uint64_t{1} << (row & 63)); }

class MembershipNode : public ExpressionNode {
 public:
  explicit MembershipNode(NodePtr value) : ExpressionNode(TypeId::kBoolean), value_(std::move(value)) {}
  bool can_fail() const override { return value_->can_fail(); }
  void reset() override { value_->reset(); }

  void evaluate(EvaluationInput& input, Selection selection, Vector* result) override {
    Vector value;
    const uint8_t* found = look_up(input, selection, &value);
    auto* out = result->allocate_as<uint8_t>(TypeId::kBoolean, input.chunk.size);
    uint64_t* words = nullptr;
    for (uint32_t i = 0; i < selection.count; ++i) {
      const uint32_t row = selection[i];
      const bool is_null = !value.is_valid(row) || (found[row] == 0 && set_.has_null());
      out[row] = is_null ? 0 : found[row];
      if (!is_null) continue;
      if (words == nullptr) words = result->allocate_validity(input.chunk.size);
      clear_bit(words, row);
    }
  }

  uint32_t select(EvaluationInput& input, Selection selection, bool wanted, uint16_t* out) override {
    if (selection.count == 0 || (!wanted && set_.has_null())) return 0;
    Vector value;
    const uint8_t* found = look_up(input, selection, &value);
    uint32_t count = 0;
    for (uint32_t i = 0; i < selection.count; ++i) {
      const uint32_t row = selection[i];
      out[count] = static_cast<uint16_t>(row);
      count += value.is_valid(row) & (found[row] == static_cast<uint8_t>(wanted));
    }
    return count;
  }

  void look_for(ValueSet set) {
    set_ = std::move(set);
    memory_.forget();
  }

 private:
  const uint8_t* look_up(EvaluationInput& input, Selection selection, Vector* value) {
    value_->evaluate(input, selection, value);
    const uint32_t size = input.chunk.size;
    if (CodeMemory::suits(*value)) {
      memory_.learn(*value, selection, [this](const Vector& strings, uint32_t count, Vector* results) {
        set_.contains(strings, count, {nullptr, count},
                      results->allocate_as<uint8_t>(TypeId::kBoolean, count));
      });
      memory_.gather(*value, size, selection, TypeId::kBoolean, &by_code_);
      return by_code_.values<uint8_t>();
    }
    set_.contains(decoded(*value, size, selection), size, selection, found_.data());
    return found_.data();
  }

  NodePtr value_;
  ValueSet set_;
  CodeMemory memory_;
  Vector by_code_;
  std::array<uint8_t, kVectorSize> found_;
};

// The list has parts that change from row to row or call to call.
class GeneralInNode final : public ExpressionNode {
 public:
  GeneralInNode(NodePtr value, std::vector<NodePtr> list)
      : ExpressionNode(TypeId::kBoolean), value_(std::move(value)), list_(std::move(list)) {}
  bool can_fail() const override {
    return value_->can_fail() ||
           std::any_of(list_.begin(), list_.end(), [](const NodePtr& item) { return item->can_fail(); });
  }
  void reset() override {
    value_->reset();
    for (const NodePtr& item : list_) item->reset();
  }

  void evaluate(EvaluationInput& input, Selection selection, Vector* result) override {
    const uint32_t size = input.chunk.size;
    auto* out = result->allocate_as<uint8_t>(TypeId::kBoolean, size);
    for (uint32_t i = 0; i < selection.count; ++i) out[selection[i]] = 0;
    Vector value, item;
    value_->evaluate(input, selection, &value);
    std::array<uint16_t, kVectorSize> open_rows, found_rows;
    std::array<uint8_t, kVectorSize> met_null;
    for (uint32_t i = 0; i < selection.count; ++i) met_null[selection[i]] = !value.is_valid(selection[i]);
    Selection open = selection;
    for (const NodePtr& node : list_) {
      if (open.count == 0) break;
      node->evaluate(input, open, &item);
      const uint32_t found =
          select_comparison(Comparison::kEqual, value, item, size, open, found_rows.data());
      for (uint32_t i = 0; i < found; ++i) out[found_rows[i]] = 1;
      if (item.may_have_nulls()) {
        for (uint32_t i = 0; i < open.count; ++i) met_null[open[i]] |= !item.is_valid(open[i]);
      }
      open = {open_rows.data(), subtract_rows(open, found_rows.data(), found, open_rows.data())};
    }
    uint64_t* words = nullptr;
    for (uint32_t i = 0; i < open.count; ++i) {
      const uint32_t row = open[i];
      if (met_null[row] == 0) continue;
      if (words == nullptr) words = result->allocate_validity(size);
      clear_bit(words, row);
    }
  }

 private:
  NodePtr value_;
  std::vector<NodePtr> list_;
};

ValueSet set_of_elements(const ArrayView& array) {
  ValueSet set;
  const SqlType element(array.element());
  for (uint32_t i = 0; i < array.size(); ++i) set.add(element_constant(array, element, i));
  set.finish();
  return set;
}

// `value` = ANY of an array that is the same for all rows of a vector, mostly for all of the execution.
class ArrayMembershipNode final : public ExpressionNode {
 public:
  ArrayMembershipNode(NodePtr value, NodePtr array, NodePtr by_element)
      : ExpressionNode(TypeId::kBoolean),
        members_(std::move(value)),
        array_(std::move(array)),
        by_element_(std::move(by_element)) {}
  bool can_fail() const override { return by_element_->can_fail(); }
  void reset() override {
    members_.reset();
    array_->reset();
    by_element_->reset();
  }
  void evaluate(EvaluationInput& input, Selection selection, Vector* result) override {
    chosen(input, selection).evaluate(input, selection, result);
  }
  uint32_t select(EvaluationInput& input, Selection selection, bool wanted, uint16_t* out) override {
    if (selection.count == 0) return 0;
    return chosen(input, selection).select(input, selection, wanted, out);
  }

 private:
  // NULL and {} instead of an array decide without looking at the value.
  ExpressionNode& chosen(EvaluationInput& input, Selection selection) {
    Vector array;
    array_->evaluate(input, selection, &array);
    if (!array.is_constant() || !array.is_valid(0)) return *by_element_;
    const std::string_view bytes = *array.values<std::string_view>();
    if (bytes != known_) {
      if (ArrayView(bytes).size() == 0) return *by_element_;
      known_ = bytes;
      members_.look_for(set_of_elements(ArrayView(known_)));
    }
    return members_;
  }

  MembershipNode members_;
  NodePtr array_;
  const NodePtr by_element_;
  std::string known_;  // the array that the members are of
};

}  // namespace

NodePtr compile_in_list(const BoundExpression& expression) {
  NodePtr value = compile_expression(*expression.children[0]);
  const auto first = expression.children.begin() + 1;
  if (std::all_of(first, expression.children.end(),
                  [](const BoundPtr& item) { return item->is_constant(); })) {
    ValueSet set;
    for (auto item = first; item != expression.children.end(); ++item)
      set.add(Vector::constant((*item)->value));
    set.finish();
    auto node = std::make_unique<MembershipNode>(std::move(value));
    node->look_for(std::move(set));
    return node;
  }
  std::vector<NodePtr> list;
  for (auto item = first; item != expression.children.end(); ++item)
    list.push_back(compile_expression(**item));
  return std::make_unique<GeneralInNode>(std::move(value), std::move(list));
}

namespace {

// An execution constant, or a subquery that is run once among its parts.
bool is_same_for_all_rows(const BoundExpression& e) {
  if (e.kind == BoundKind::kSubquery) return e.children.empty() && e.correlated.empty();
  if (e.children.empty()) return is_execution_constant(e);
  return (!e.function || e.function->volatility != Volatility::kVolatile) &&
         std::all_of(e.children.begin(), e.children.end(),
                     [](const BoundPtr& child) { return is_same_for_all_rows(*child); });
}

}  // namespace

bool is_array_membership(const BoundExpression& call) {
  if (call.function->name != "any_of" || !call.children[0]->is_constant() ||
      call.children[0]->value.as_string() != "=")
    return false;
  const SqlType left = call.children[1]->type, element(call.call_types.arguments[2].element);
  const bool is_alike = left.id == TypeId::kSymbol ? compares_by_bytes(element.id)
                                                   : call.call_types.arguments[1].id == element.id;
  return is_alike && is_same_for_all_rows(*call.children[2]);
}

NodePtr compile_array_membership(const BoundExpression& call, NodePtr by_element) {
  return std::make_unique<ArrayMembershipNode>(compile_expression(*call.children[1]),
                                               compile_expression(*call.children[2]), std::move(by_element));
}

}  // namespace idem
