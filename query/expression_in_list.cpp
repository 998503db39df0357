#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_set>

#include "common/array_value.h"
#include "common/hash.h"
#include "common/string_order.h"
#include "query/code_memory.h"
#include "query/comparison_kernels.h"
#include "query/expression_node.h"

namespace idem {

namespace {

// Texts that a set can find by their bytes.
bool is_hashed_text(TypeId type) { return compares_by_bytes(type) || type == TypeId::kChar; }

// A set of constants of one type. Whole numbers (dates, timestamps, codes …) and strings are hashed; other
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

  ValueSet& set() { return set_; }

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

}  // namespace

NodePtr compile_in_list(const BoundExpression& expression) {
  NodePtr value = compile_expression(*expression.children[0]);
  const auto first = expression.children.begin() + 1;
  if (std::all_of(first, expression.children.end(),
                  [](const BoundPtr& item) { return item->is_constant(); })) {
    auto node = std::make_unique<MembershipNode>(std::move(value));
    for (auto item = first; item != expression.children.end(); ++item)
      node->set().add(Vector::constant((*item)->value));
    node->set().finish();
    return node;
  }
  std::vector<NodePtr> list;
  for (auto item = first; item != expression.children.end(); ++item)
    list.push_back(compile_expression(**item));
  return std::make_unique<GeneralInNode>(std::move(value), std::move(list));
}

NodePtr make_array_membership(NodePtr value, const Value& array) {
  auto node = std::make_unique<MembershipNode>(std::move(value));
  const ArrayView view(array.as_string());
  const SqlType element(view.element());
  for (uint32_t i = 0; i < view.size(); ++i) {
    if (view.is_null(i)) {
      node->set().add(Vector::constant_null(element));
      continue;
    }
    Vector constant;
    view.element_at(i, constant.allocate(element, 1));
    if (physical_type(element) == PhysicalType::kString) {
      auto* text = constant.allocate_as<std::string_view>(element, 1);
      *text = constant.store_string(view.string_at(i));
    }
    constant.form = Vector::Form::kConstant;
    node->set().add(constant);
  }
  node->set().finish();
  return node;
}

}  // namespace idem
